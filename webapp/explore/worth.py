"""What the sentences on why a sample may fail are worth: measured when the visitor asks for it, kept with the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from core.checks.reasons import can_name
from core.numbers import number
from core.records import Diagnosis, Faithfulness, Progress
from core.reports.wording.reasons import faithfulness_sentence, kinds_table, reason_sentence
from webapp.state.jobs import Job, follow
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_own

NOT_YET = "Whether naming a cause tells failures from the rest was not measured yet."
_OF_EXAMPLES: dict[str, Faithfulness] = {}
"""By id: an example's files stay as they are, and what was measured of it holds for every visitor."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What the notes say of it."""

    brief: str
    """Beside the heading."""
    sentence: str
    kinds: tuple[tuple[str, str, str], ...] = ()
    """(kind of cause, AUROC, samples)."""
    is_measured: bool = False
    is_open: bool = False


def opened(run: str) -> Diagnosis:
    """The run, with what was measured of it here."""
    diagnosis = RUNS.get(run)
    found = _OF_EXAMPLES.get(run)
    return diagnosis if found is None else replace(diagnosis, faithfulness=found)


def worth_of(diagnosis: Diagnosis, *, is_open: bool = False) -> Worth | None:
    """What is known of it; None for a run that names no cause."""
    found = diagnosis.faithfulness
    if found is None:
        return Worth("not measured", NOT_YET, is_open=is_open) if can_name(diagnosis) else None
    kinds = tuple(kinds_table(found))
    whole = found.anything
    brief = f"AUROC {number(whole.auroc.value, 2)}" if whole is not None and kinds else "not known"
    return Worth(brief, faithfulness_sentence(diagnosis, found), kinds, True, is_open)


def worth_beside(diagnosis: Diagnosis, row: int) -> Worth | None:
    """The same, for beside the sentence of one sample; None where nothing is said of it."""
    return worth_of(diagnosis) if reason_sentence(diagnosis, row) else None


def measure(run: str, progress: Progress) -> Faithfulness:
    """Measure it and keep it: a visitor's own run keeps it for its downloads."""
    from core.checks.faithfulness import measure_faithfulness  # scikit-learn: not needed for the first view

    found = measure_faithfulness(RUNS.get(run), progress=progress)
    RUNS.change(run, lambda now: replace(now, faithfulness=found))
    if RUNS.get(run).faithfulness is None:
        _OF_EXAMPLES[run] = found
    return found


def on_measure(session: Session) -> Iterator[tuple[Any, ...]]:
    """Measure the open run; yields (job id, status, the run once it is measured, cancel button)."""
    name = require_own(session).samples.name
    run = session.run
    job = Job(lambda progress: measure(run, progress))
    steps = follow(
        job,
        "The measurement did not finish",
        "",
        reminder="The run is as it was.",
        outputs=lambda _: (run,),
        done=f"It was measured on {name}.",
    )
    for step in steps:
        yield *step, gr.update(visible=bool(step[0]))
