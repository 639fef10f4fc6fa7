"""The command `follow`: the clusters of a run over checkpoints of the model."""

from __future__ import annotations

from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import ANSWERS, JSON, RUN
from core.cli.output import TABLES, check_suffix, in_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles


@command(note="How answers are read, and the corrections for multiple tests: docs/probes.md.")
@argument("run", "RUN", RUN)
@argument(
    "tables",
    "TABLE...",
    "table of answers for each checkpoint, named like it, in order of time; names that differ only in numbers are "
    "sorted by number",
)
@ANSWERS
@option("--out FILE", "file to write: .html, .csv, .parquet or .json")
@JSON
def follow(run: Path, roles: Roles, tables: tuple[Path, ...], out: Path | None = None, as_json: bool = False) -> None:
    """Follow the groups of a run over checkpoints.

    The groups stay as the run confirmed them. Prints whether the error rate of each group changed from first to last.
    --out and --json give the rates of the group and of the others at every checkpoint, with intervals.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
    from core.checks.checkpoints.follow import by_number, follow as follow_checkpoints
    from core.files import write_json
    from core.reports.checkpoints import checkpoints_section
    from core.reports.html.diagnosis import write_section
    from core.reports.tables.checkpoints import checkpoints_document, checkpoints_table
    from core.reports.terminal import section_lines
    from core.store import load

    diagnosis = load(run)
    with TerminalProgress() as progress:
        followed = follow_checkpoints(diagnosis, by_number(tables), roles, progress=progress)
    section = checkpoints_section(diagnosis, followed)
    if as_json:
        print_json(checkpoints_document(diagnosis, followed))
    else:
        say("\n".join(section_lines(section)))
    if out is None:
        return
    in_folder(out)
    if out.suffix.lower() == ".html":
        write_section(diagnosis, section, out)
    elif out.suffix.lower() == ".json":
        write_json(out, checkpoints_document(diagnosis, followed))
    else:
        write_table(checkpoints_table(diagnosis, followed), out)
    if not as_json:
        say(f"Written: {out}")
