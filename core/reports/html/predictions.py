"""A prediction on fresh samples as the report and the page show it: what was frozen beside what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.records import Diagnosis, Estimate, Prediction, PredictionRow
from core.reports.html.intervals import Axis, Dot, Mark, axis_of, dots, tick
from core.reports.wording.predictions import (
    CONFIRMED_KINDS,
    Measure,
    prediction_name,
    prediction_rows,
    prediction_verdict,
)


def measure_axis(measure: Measure, estimates: list[Estimate]) -> Axis:
    """All shares, or the losses that these hold."""
    return (0.0, 1.0) if measure.is_share else axis_of([Mark(e) for e in estimates])


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
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """The lines in the prediction's order, and the ends of the axis that they are drawn on."""

    lines: tuple[PredictionLine, ...]
    low: str
    high: str


def prediction_table(diagnosis: Diagnosis, prediction: Prediction) -> PredictionTable:
    """What became of each finding of the diagnosis in the prediction."""
    rows = prediction_rows(replace(diagnosis, prediction=prediction))
    measure = Measure.of(diagnosis, is_share=prediction.measure == "error rate")
    axis = measure_axis(measure, [e for r in rows for e in (r.expected, r.observed) if e is not None])
    return PredictionTable(tuple(_line(r, measure, axis) for r in rows), *map(measure.value, axis))


def _line(row: PredictionRow, measure: Measure, axis: Axis) -> PredictionLine:
    marks = [Mark(row.expected, "expected"), Mark(row.predicted, "predicted")]
    marks += [] if row.rest is None else [tick(row.rest)]
    marks += [] if row.observed is None else [Mark(row.observed)]
    return PredictionLine(
        name=prediction_name(row),
        kind=row.kind,
        is_finding=row.kind in CONFIRMED_KINDS,
        n=row.n,
        predicted=measure.value(row.predicted.value),
        expected=measure.interval(row.expected),
        frozen=measure.interval(row.predicted),
        observed=measure.value(None if row.observed is None else row.observed.value),
        seen=measure.interval(row.observed),
        rest=measure.value(row.rest),
        p=row.p,
        verdict=prediction_verdict(row),
        missed=row.as_predicted is False,
        dots=dots(marks, axis),
    )
