"""Reliability of the sentences on why a sample may be wrong: measured on request, kept with the run."""

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

NOT_MEASURED = "Whether these causes separate errors from the others is not measured."
_OF_EXAMPLES: dict[str, Faithfulness] = {}
"""By run id; a measurement of an example serves every visitor, since its files are fixed."""


@dataclass(frozen=True, slots=True)
class Worth:
    """The reliability of causes, as the notes show it."""

    brief: str
    """Shown beside the heading."""
    sentence: str
    kinds: tuple[tuple[str, str, str], ...] = ()
    """(kind of cause, AUROC, samples)."""
    is_measured: bool = False
    is_open: bool = False


def opened(run: str) -> Diagnosis:
    """Return the run with its measured reliability."""
    diagnosis = RUNS.get(run)
    measured = _OF_EXAMPLES.get(run)
    if measured is None:
        return diagnosis
    return replace(diagnosis, faithfulness=measured)


def worth_of(diagnosis: Diagnosis, *, is_open: bool = False) -> Worth | None:
    """Return the reliability of a run's causes; None for a run without causes."""
    measured = diagnosis.faithfulness
    if measured is None:
        if not can_name(diagnosis):
            return None
        return Worth("not measured", NOT_MEASURED, is_open=is_open)
    kinds = tuple(kinds_table(measured))
    whole = measured.anything
    brief = "not known"
    if whole is not None and kinds:
        brief = f"AUROC {number(whole.auroc.value, 2)}"
    return Worth(brief, faithfulness_sentence(diagnosis, measured), kinds, True, is_open)


def worth_beside(diagnosis: Diagnosis, row: int) -> Worth | None:
    """Return the reliability beside one sample's sentence; None without a sentence."""
    if not reason_sentence(diagnosis, row):
        return None
    return worth_of(diagnosis)


def measure(run: str, progress: Progress) -> Faithfulness:
    """Measure the reliability; a visitor's own run keeps it for its downloads."""
    from core.checks.faithfulness import measure_faithfulness  # scikit-learn: not needed for the first view

    measured = measure_faithfulness(RUNS.get(run), progress=progress)
    RUNS.change(run, lambda now: replace(now, faithfulness=measured))
    if RUNS.get(run).faithfulness is None:
        _OF_EXAMPLES[run] = measured
    return measured


def on_measure(session: Session) -> Iterator[tuple[Any, ...]]:
    """Measure the open run; yields (job id, status, measured run or "", cancel button)."""
    name = require_own(session).samples.name
    run = session.run
    job = Job(lambda progress: measure(run, progress))
    steps = follow(
        job,
        "The measurement did not finish",
        "",
        reminder="The run is unchanged.",
        outputs=lambda _: (run,),
        done=f"Measured on {name}.",
    )
    for step in steps:
        yield *step, gr.update(visible=bool(step[0]))
