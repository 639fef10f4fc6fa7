"""Reliability of the sentences on why a sample may be wrong: measured on request, kept with the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from core.checks.reasons import can_name
from core.records import Diagnosis, Faithfulness, Progress
from core.reports.wording.reasons import faithfulness_sentence, reason_sentence
from webapp.state.jobs import Job, follow
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_own

NOT_MEASURED = "Whether these causes separate errors from the others is not measured."
_OF_EXAMPLES: dict[str, Faithfulness] = {}
"""By run id; a measurement of an example serves every visitor, since its files are fixed."""


def opened(run: str) -> Diagnosis:
    """Return the run with its measured reliability."""
    diagnosis = RUNS.get(run)
    measured = _OF_EXAMPLES.get(run)
    if measured is None:
        return diagnosis
    return replace(diagnosis, faithfulness=measured)


def worth_of(diagnosis: Diagnosis, row: int | None = None) -> str:
    """Return how reliable a run's causes are, a sentence; "" for a run without causes, or a row without a sentence."""
    if row is not None and not reason_sentence(diagnosis, row):
        return ""
    if diagnosis.faithfulness is not None:
        return faithfulness_sentence(diagnosis, diagnosis.faithfulness)
    if can_name(diagnosis):
        return NOT_MEASURED
    return ""


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
