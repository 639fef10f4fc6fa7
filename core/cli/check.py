"""The command `check`: how a table is read, and whether what it says fits together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import LOSS, TASKS, samples
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.data.tasks.options import TaskOptions
from core.errors import InvalidInput


@command()
@argument(
    "table", "[TABLE]", "CSV, TSV, JSON Lines or Parquet, one row a sample; or the one inside --images", required=False
)
@samples("")
@LOSS
@option("--issues FILE", "cleanlab's issues of the same rows")
@TASKS
def check(task: TaskOptions, roles: Roles, table: Path | None = None) -> None:
    """Read a table as `diagnose` does, and say how it was understood.

    Nothing is embedded or written. What a mistake alone explains is refused (exit code 2), what may be one is noted.
    """
    if table is None and task.images is None and task.detections is None:
        raise InvalidInput("There is nothing to check. Name a table, or a folder or zip that holds one with --images.")
    from core.data.tasks.read import read_task
    from core.reports.wording.understood import as_understood

    with TerminalProgress() as progress:
        data = read_task(replace(task, table=table), roles, progress)
    for line in as_understood(data):
        say(line)
