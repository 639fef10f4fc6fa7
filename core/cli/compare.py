"""The command `compare`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import argument, command, heading, option
from core.cli.options import ANSWERS, RUN
from core.cli.output import TABLES, check_suffix, in_folder, new_run, tell_run, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import Comparison, Diagnosis


@command()
@argument("run", "RUN", RUN)
@argument("a", "[A]", '"model" (the one under diagnosis, default) or the name of a result')
@argument("b", "[B]", "the model set beside it (default: the latest probe)")
@option("--out FILE", "file to write: .csv, .parquet, .json or .html")
@heading("Another model of yours beside it, from a table with the run's ids")
@option("--second TABLE", "label, and predictions, probabilities or logits; its columns by usual names, or")
@ANSWERS
@option("--worse FILE", "diagnose where B is worse than A, and write that run there")
@option("--student FOLDER", "it is a student that `distil` wrote there: say how much smaller and faster it is")
def compare(
    run: Path,
    roles: Roles,
    a: str = "model",
    b: str | None = None,
    second: Path | None = None,
    student: Path | None = None,
    worse: Path | None = None,
    out: Path | None = None,
) -> None:
    """Two models side by side: what one fixes and breaks of the other.

    On all samples, in failure clusters, and in classes.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
    costs = None if student is None else _costs(student)
    from core.checks.compare import compare as beside
    from core.reports.tables.comparison import comparison_document, comparison_table
    from core.reports.wording.comparison import comparison_lines
    from core.reports.wording.second_model import second_lines
    from core.store import load

    diagnosis = load(run)
    notes: tuple[str, ...] = ()
    if second is not None:
        from core.checks.second_model import with_second

        if b is not None:
            raise InvalidInput(
                "--second is the model set beside the first, so B has no place. Leave B or --second out."
            )
        diagnosis, b, notes = with_second(diagnosis, second, roles)
        for note in notes:
            say(f"Note: {note}", file=sys.stderr)
    found = beside(diagnosis, a, b)
    lead = second_lines(diagnosis, found, costs) if second is not None or costs is not None else []
    say("\n".join([*lead, *comparison_lines(diagnosis, found)]))
    if worse is not None:
        _find_worse(diagnosis, found, worse)
    if out is None:
        return
    in_folder(out)
    found = replace(found, notes=(*found.notes, *notes))
    if out.suffix.lower() == ".html":
        from core.reports.html.diagnosis import write_comparison

        write_comparison(diagnosis, found, out, lead)
    elif out.suffix.lower() == ".json":
        from core.files import write_json

        write_json(out, comparison_document(diagnosis, found))
    else:
        write_table(comparison_table(diagnosis, found), out)
    say(f"Written: {out}")


def _find_worse(diagnosis: Diagnosis, found: Comparison, out: Path) -> None:
    """Diagnose the difference of the errors and write the run."""
    from core.checks.compare import MODEL, probe_of
    from core.checks.second_model import diagnose_regressions
    from core.reports.wording.summary import text_summary
    from core.store import save

    if found.a != MODEL:
        raise InvalidInput(f"--worse needs the model under diagnosis as A: got {found.a!r}. Leave A out.")
    new_run(out)
    with TerminalProgress() as progress:
        run = diagnose_regressions(diagnosis, probe_of(diagnosis, found.b), progress=progress)
        save(run, out, progress)
    say(f"\n{text_summary(run)}")
    tell_run(out)


def _costs(student: Path) -> Any:
    """What teacher and student take; a folder that holds no student is refused before the comparison."""
    from core.checks.model_cost import read_costs

    return read_costs(student)
