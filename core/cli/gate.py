"""The command `gate`: whether a new version of the model may pass."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.command import argument, command, option
from core.cli.options import ANSWERS, RUN
from core.cli.output import in_folder
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.errors import InvalidInput


@command(note="Exit code 1: it is worse somewhere. What is asked, and a file for GitHub Actions: docs/gate.md.")
@argument("run", "RUN", RUN)
@option("--second TABLE", "the new model's answers: the run's ids, the label, and predictions, probabilities or logits")
@ANSWERS
@option("--coverage SHARE", "of the run's samples that must be answered (default 1, all of them)")
@option("--margin POINTS", "by so many percentage points it may be worse (default 0)")
@option("--junit FILE", "write the outcome as JUnit XML too")
@option("--permutations N", "of the search for new regressions (default 5,000)")
@option("--no-search", "ask only of all samples and of the run's findings")
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
    """Hold a new version of the model back where it is worse.

    It fails if the second model errs more over all or in a cluster, condition or phrase that the run confirmed, by more
    than the interval allows, or if a regression somewhere new is confirmed; and if it leaves samples of the run without
    an answer. What was asked is printed as Markdown.
    """
    from core.checks.checkpoints.gate import gate as asked
    from core.discovery.settings import Settings
    from core.files import write_text
    from core.reports.tables.gate import gate_junit, gate_markdown
    from core.store import load

    if junit is not None:  # before the work, not after it
        if junit.exists() and second.exists() and junit.samefile(second):
            raise InvalidInput(f"--junit would overwrite {second.name}, the new model's answers. Name another file.")
        in_folder(junit, "--junit")
    settings = Settings(n_permutations=permutations, map=False, sensitivity=False)
    diagnosis = load(run)
    with TerminalProgress() as progress:
        found = asked(
            diagnosis,
            second,
            roles,
            coverage=coverage,
            margin=margin,
            settings=None if no_search else settings,
            progress=progress,
        )
    say(gate_markdown(diagnosis, found))
    if junit is not None:
        write_text(junit, gate_junit(diagnosis, found))
    if not found.passed:
        raise click.exceptions.Exit(1)
