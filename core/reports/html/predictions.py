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


PredictionState = Literal["held", "partly", "unsure"]
"""Came again as predicted, came again otherwise, or neither can be said."""


def measure_axis(style: MeasureStyle, estimates: list[Estimate]) -> Axis:
    """All shares, or the losses that these hold."""
    if style.is_share:
        return 0.0, 1.0
    return axis_of([Mark(estimate) for estimate in estimates])


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
    state: PredictionState
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
    tables = list[PredictionTable]()
    for measure in MEASURES:
        measured = [row for row in rows if row.measure == measure]
        if measured:
            tables.append(_table(diagnosis, measure, measured))
    return tuple(tables)


def _table(diagnosis: Diagnosis, measure: Measure, rows: list[PredictionRow]) -> PredictionTable:
    style = MeasureStyle.of(diagnosis, measure)
    estimates = [row.expected for row in rows]
    estimates += [row.observed for row in rows if row.observed is not None]
    axis = measure_axis(style, estimates)
    lines = tuple(_line(row, style, axis) for row in rows)
    return PredictionTable(measure_name(diagnosis, measure), lines, *map(style.value, axis))


def _line(row: PredictionRow, style: MeasureStyle, axis: Axis) -> PredictionLine:
    marks = [Mark(row.expected, "expected"), Mark(row.predicted, "predicted")]
    if row.rest is not None:
        marks.append(tick(row.rest))
    observed = None
    if row.observed is not None:
        observed = row.observed.value
        marks.append(Mark(row.observed))
    return PredictionLine(
        name=prediction_name(row),
        kind=row.kind,
        is_finding=row.kind in CONFIRMED_KINDS,
        n=row.n,
        predicted=style.value(row.predicted.value),
        expected=style.interval(row.expected),
        frozen=style.interval(row.predicted),
        observed=style.value(observed),
        seen=style.interval(row.observed),
        rest=style.value(row.rest),
        p=row.p,
        verdict=prediction_verdict(row),
        state=_state(row),
        dots=dots(marks, axis),
    )


def _state(row: PredictionRow) -> PredictionState:
    if row.as_predicted is None or not replicates(row):
        return "unsure"
    if row.as_predicted:
        return "held"
    return "partly"
