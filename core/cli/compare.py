"""The command `compare`: two models on the same samples."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.command import argument, command, heading, option
from core.cli.options import ANSWERS, RUN
from core.cli.output import TABLES, check_suffix, in_folder, new_run, tell_run, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.errors import InvalidInput

if TYPE_CHECKING:
    pass


@command()
@argument("run", "RUN", RUN)
@argument("a", "[A]", 'first model: the name of a result (default: "model", the one under diagnosis)')
@argument("b", "[B]", "second model (default: the latest probe)")
@option("--out FILE", "file to write: .csv, .parquet, .json or .html")
@heading("Another model of yours, from a table with the run's ids")
@option("--second TABLE", "table of labels, and predictions, probabilities or logits")
@ANSWERS
@option("--worse FILE", "run to write: a diagnosis of where B is worse than A")
@option("--student FOLDER", "folder written by `distil`: print how much smaller and faster the student is")
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
    """Compare two models: what the second fixes and breaks.

    On all samples, by group, and by class.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
    costs = None
    if student is not None:
        from core.checks.model_cost import read_costs

        costs = read_costs(student)  # fails before the comparison if the folder holds no student
    from core.checks.compare import MODEL, compare as compare_models, probe_of
    from core.reports.comparison import comparison_section
    from core.reports.tables.comparison import comparison_document, comparison_table
    from core.reports.terminal import section_lines
    from core.reports.wording.second_model import second_lines
    from core.store import load

    diagnosis = load(run)
    notes: tuple[str, ...] = ()
    if second is not None:
        from core.checks.second_model import with_second

        if b is not None:
            raise InvalidInput("B and --second both name the second model. Remove one of them.")
        diagnosis, b, notes = with_second(diagnosis, second, roles)
        for note in notes:
            say(f"Note: {note}", file=sys.stderr)
    comparison = compare_models(diagnosis, a, b)
    lead: list[str] = []
    if second is not None or costs is not None:
        lead = second_lines(diagnosis, comparison, costs)
    say("\n".join([*lead, *section_lines(comparison_section(diagnosis, comparison))]))
    if worse is not None:
        from core.checks.second_model import diagnose_regressions
        from core.reports.terminal import text_summary
        from core.store import save

        if comparison.a != MODEL:
            raise InvalidInput(f"--worse needs the model under diagnosis as A: got {comparison.a!r}. Remove A.")
        new_run(worse)
        with TerminalProgress() as progress:
            regressions = diagnose_regressions(diagnosis, probe_of(diagnosis, comparison.b), progress=progress)
            save(regressions, worse, progress)
        say(f"\n{text_summary(regressions)}")
        tell_run(worse)
    if out is None:
        return
    in_folder(out)
    comparison = replace(comparison, notes=(*comparison.notes, *notes))
    if out.suffix.lower() == ".html":
        from core.reports.html.diagnosis import write_section

        write_section(diagnosis, comparison_section(diagnosis, comparison), out, lead)
    elif out.suffix.lower() == ".json":
        from core.files import write_json

        write_json(out, comparison_document(diagnosis, comparison))
    else:
        write_table(comparison_table(diagnosis, comparison), out)
    say(f"Written: {out}")
