"""The command `check`: how Errata reads a table, and whether its columns agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import LOSS, TABLE_FILE, TASKS, samples
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.data.tasks.options import TaskOptions
from core.errors import InvalidInput


@command()
@argument("table", "[TABLE]", f"{TABLE_FILE} (default: the table inside --images)", required=False)
@samples("")
@LOSS
@option("--issues FILE", "cleanlab's issues for the same rows")
@TASKS
def check(task: TaskOptions, roles: Roles, table: Path | None = None) -> None:
    """Check how `diagnose` would read a table.

    Embeds and writes nothing. A clear mistake is an error (exit code 2); a likely one is a note.
    """
    if table is None and task.images is None and task.detections is None:
        raise InvalidInput("check needs a table. Name one, or add --images with a folder or zip that contains one.")
    from core.data.tasks.read import read_task
    from core.reports.wording.understood import as_understood

    with TerminalProgress() as progress:
        data = read_task(replace(task, table=table), roles, progress)
    for line in as_understood(data):
        say(line)
