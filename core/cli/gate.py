"""The command `gate`: pass or fail a new version of the model."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.command import argument, command, option
from core.cli.options import ANSWERS, RUN
from core.cli.output import in_folder
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.errors import InvalidInput


@command(note="Exit code 1: the new model is worse somewhere. The checks, and a file for GitHub Actions: docs/gate.md.")
@argument("run", "RUN", RUN)
@option("--second TABLE", "table of the new model: the run's ids, labels, and predictions, probabilities or logits")
@ANSWERS
@option("--coverage SHARE", "share of the run's samples that must have an answer (default: 1)")
@option("--margin POINTS", "percentage points by which the model may be worse (default: 0)")
@option("--junit FILE", "JUnit XML file for the outcome")
@option("--permutations N", "permutations in the search for new regressions (default: 5,000)")
@option("--no-search", "check only all samples and the run's findings")
def gate(
    run: Path,
    second: Path,
    roles: Roles,
    coverage: float = 1.0,
    margin: float = 0.0,
    junit: Path | None = None,
    permutations: int = 5000,
    no_search: bool = False,
) -> None:
    """Fail if the new model is worse.

    Checks all samples and each group, condition and phrase that the run confirmed, then searches for new regressions.
    Also fails if samples of the run have no answer. Prints the checks as Markdown.
    """
    from core.checks.checkpoints.gate import gate as run_gate
    from core.discovery.settings import Settings
    from core.files import write_text
    from core.reports.tables.gate import gate_junit, gate_markdown
    from core.store import load

    if junit is not None:  # before the work, not after it
        if junit.exists() and second.exists() and junit.samefile(second):
            raise InvalidInput(f"--junit would overwrite {second.name}, the new model's table. Choose another file.")
        in_folder(junit, "--junit")
    settings = Settings(n_permutations=permutations, map=False, sensitivity=False)
    diagnosis = load(run)
    with TerminalProgress() as progress:
        outcome = run_gate(
            diagnosis,
            second,
            roles,
            coverage=coverage,
            margin=margin,
            settings=None if no_search else settings,
            progress=progress,
        )
    say(gate_markdown(diagnosis, outcome))
    if junit is not None:
        write_text(junit, gate_junit(diagnosis, outcome))
    if not outcome.passed:
        raise click.exceptions.Exit(1)
