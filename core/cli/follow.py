"""The command `follow`: the failure clusters of a run over other checkpoints of the model."""

from __future__ import annotations

import sys
from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import ANSWERS, JSON, RUN
from core.cli.output import TABLES, check_suffix, in_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles


@command(note="How answers are read, and what is corrected: docs/probes.md.")
@argument("run", "RUN", RUN)
@argument(
    "tables",
    "TABLE...",
    "one of answers for each checkpoint, in order of time, called as the checkpoint; names that differ in numbers "
    "alone are put in the order of the numbers",
)
@ANSWERS
@option("--out FILE", "file to write: .html, .csv, .parquet or .json")
@JSON
def follow(run: Path, roles: Roles, tables: tuple[Path, ...], out: Path | None = None, as_json: bool = False) -> None:
    """Follow the failure clusters of a run over checkpoints.

    The clusters are frozen as the run found them; of each checkpoint the error rate in every cluster and in the rest is
    shown with its interval, and whether it changed from the first to the last.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
    from core.checks.checkpoints.follow import by_number, follow as followed
    from core.files import write_json
    from core.reports.html.checkpoints import checkpoint_charts, write_checkpoints
    from core.reports.tables.checkpoints import checkpoints_document, checkpoints_table
    from core.reports.wording.second_model import FOLLOWED
    from core.store import load

    diagnosis = load(run)
    with TerminalProgress() as progress:
        found = followed(diagnosis, by_number(tables), roles, progress=progress)
    if as_json:
        print_json(checkpoints_document(diagnosis, found))
    else:
        for note in found.notes:
            say(f"Note: {note}", file=sys.stderr)
        for chart in checkpoint_charts(diagnosis, found):
            number = "" if chart.number is None else f"Cluster {chart.number + 1}, "
            say(f"{number}{chart.title}: {chart.sentence}")
        say(FOLLOWED)
    if out is None:
        return
    in_folder(out)
    if out.suffix.lower() == ".html":
        write_checkpoints(diagnosis, found, out)
    elif out.suffix.lower() == ".json":
        write_json(out, checkpoints_document(diagnosis, found))
    else:
        write_table(checkpoints_table(diagnosis, found), out)
    if not as_json:
        say(f"Written: {out}")
