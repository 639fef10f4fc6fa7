"""A prediction on fresh samples as the report and the page show it: what was frozen beside what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from core.records import Diagnosis, Estimate, Measure, Prediction, PredictionRow
from core.reports.html.intervals import Axis, Dot, Mark, axis_of, dots, tick
from core.reports.wording.predictions import (
    CONFIRMED_KINDS,
    MeasureStyle,
    measure_name,
    prediction_name,
    prediction_rows,
    prediction_verdict,
    replicates,
)

MEASURES: tuple[Measure, ...] = ("error rate", "mean loss")
"""In the order in which their tables stand: figures of both are never in one."""


def measure_axis(style: MeasureStyle, estimates: list[Estimate]) -> Axis:
    """All shares, or the losses that these hold."""
    return (0.0, 1.0) if style.is_share else axis_of([Mark(e) for e in estimates])


@dataclass(frozen=True, slots=True)
class PredictionLine:
    """A frozen finding, or what a person would have picked without a test."""

    name: str
    kind: str
    is_finding: bool
    n: int
    """Fresh samples that match."""
    predicted: str
    expected: str
    """The interval that judges: the frozen one widened to what so few samples vary by."""
    frozen: str
    observed: str
    seen: str
    """The observed value's interval, or ""."""
    rest: str
    p: float | None
    verdict: str
    missed: bool
    state: Literal["held", "partly", "unsure"]
    """Came again as predicted, came again otherwise, or neither can be said."""
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """The lines of one measure in the prediction's order, and the ends of the axis that they are drawn on."""

    measure: str
    """Such as "error rate" or "mean cross-entropy, in nats"."""
    lines: tuple[PredictionLine, ...]
    low: str
    high: str


def prediction_tables(diagnosis: Diagnosis, prediction: Prediction) -> tuple[PredictionTable, ...]:
    """What became of each finding of the diagnosis in the prediction: a table for each measure, findings first."""
    rows = prediction_rows(replace(diagnosis, prediction=prediction))
    there = {row.measure for row in rows}
    return tuple(
        _table(diagnosis, measure, [r for r in rows if r.measure == measure])
        for measure in MEASURES
        if measure in there
    )


def _table(diagnosis: Diagnosis, measure: Measure, rows: list[PredictionRow]) -> PredictionTable:
    style = MeasureStyle.of(diagnosis, measure)
    axis = measure_axis(style, [e for r in rows for e in (r.expected, r.observed) if e is not None])
    lines = tuple(_line(r, style, axis) for r in rows)
    return PredictionTable(measure_name(diagnosis, measure), lines, *map(style.value, axis))


def _line(row: PredictionRow, style: MeasureStyle, axis: Axis) -> PredictionLine:
    marks = [Mark(row.expected, "expected"), Mark(row.predicted, "predicted")]
    marks += [] if row.rest is None else [tick(row.rest)]
    marks += [] if row.observed is None else [Mark(row.observed)]
    return PredictionLine(
        name=prediction_name(row),
        kind=row.kind,
        is_finding=row.kind in CONFIRMED_KINDS,
        n=row.n,
        predicted=style.value(row.predicted.value),
        expected=style.interval(row.expected),
        frozen=style.interval(row.predicted),
        observed=style.value(None if row.observed is None else row.observed.value),
        seen=style.interval(row.observed),
        rest=style.value(row.rest),
        p=row.p,
        verdict=prediction_verdict(row),
        missed=row.as_predicted is False,
        state="unsure" if not replicates(row) or row.as_predicted is None else "held" if row.as_predicted else "partly",
        dots=dots(marks, axis),
    )
