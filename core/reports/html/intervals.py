"""Estimates on an axis: the places of what `parts.html.j2` draws, one record for the report and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from core.records import Estimate

Axis = tuple[float, float]
"""The values at its left and its right end."""


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """A dot with its interval and a line at zero; each place is a share of the axis' length."""

    low: float
    value: float
    high: float
    zero: float
    colour: str = ""
    """The style sheet's class for it."""


def interval_bar(estimate: Estimate, low: float, high: float, colour: str = "") -> IntervalBar | None:
    """The estimate on the axis from `low` to `high`, what lies beyond it at its end; None where a figure is undefined
    (an exploratory effect has no interval) or the axis has no length."""
    values = (estimate.low, estimate.value, estimate.high, 0.0)
    if not all(isfinite(v) for v in (*values, low, high)) or high <= low:
        return None
    return IntervalBar(*(_share(v, (low, high)) for v in values), colour=colour)


def interval_range(estimates: Sequence[Estimate]) -> Axis:
    """A range that holds zero and every finite interval, with a little air."""
    ends = [end for e in estimates for end in (e.low, e.high) if isfinite(end)]
    low = min([0.0, *ends])
    high = max([0.0, *ends])
    air = 0.05 * (high - low) or 1.0
    return low - air * (low < 0), high + air


@dataclass(frozen=True, slots=True)
class Mark:
    """One estimate on an axis that several share."""

    value: Estimate
    kind: str = "observed"
    """"observed" (a dot), "read" or "predicted" (a ring with a band), "expected" (a pale band) or "rest" (a thin
    line)."""
    label: str = ""
    said: str = ""


def tick(value: float, label: str = "", said: str = "") -> Mark:
    """A value without an interval, as a thin line."""
    return Mark(Estimate(value, nan, nan), "rest", label, said)


def axis_of(marks: Sequence[Mark], *, least: float | None = None, most: float | None = None) -> Axis:
    """The ends of the axis that shows all marks, with a little room; `least` and `most` bound it."""
    known = [v for m in marks for v in (m.value.low, m.value.value, m.value.high) if isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = 0.06 * (high - low or 1.0)
    low = low - room
    high = high + room
    return (low if least is None else max(low, least), high if most is None else min(high, most))


@dataclass(frozen=True, slots=True)
class Dot:
    """A mark as it is drawn; places are shares of the axis' length."""

    kind: str
    at: float
    low: float
    width: float
    """Of its band; 0 where it has none."""


def dots(marks: Sequence[Mark], axis: Axis) -> tuple[Dot, ...]:
    """The marks over each other on one line, without those that have no value."""
    return tuple(_dot(m, axis) for m in marks if isfinite(m.value.value))


def _dot(mark: Mark, axis: Axis) -> Dot:
    estimate = mark.value
    banded = isfinite(mark.value.low) and isfinite(mark.value.high)
    low, high = (_share(estimate.low, axis), _share(estimate.high, axis)) if banded else (0.0, 0.0)
    return Dot(mark.kind, _share(estimate.value, axis), low, max(high - low, 0.004) if banded else 0.0)


@dataclass(frozen=True, slots=True)
class DotChart:
    """Marks below each other on one axis: (label, dots, what is said of it) of each, and the axis' ends."""

    rows: tuple[tuple[str, tuple[Dot, ...], str], ...]
    low: str
    high: str


def dot_chart(marks: Sequence[Mark], axis: Axis, written: Callable[[float], str]) -> DotChart:
    """One row for each mark; `written` gives the axis' ends as text."""
    return DotChart(tuple((m.label, dots([m], axis), m.said) for m in marks), written(axis[0]), written(axis[1]))


def _share(value: float, axis: Axis) -> float:
    low, high = axis
    return min(max((value - low) / (high - low or 1.0), 0.0), 1.0)
