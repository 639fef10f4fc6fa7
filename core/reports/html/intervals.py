"""Estimates on an axis: the places of what `parts.html.j2` draws, one record for the report and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from core.records import Estimate

MIN_BAND = 0.004
"""Width of a band as a share of the axis: a narrower one would not be seen."""
Axis = tuple[float, float]
"""The values at its left and its right end."""


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """A dot with its interval and a line at zero, or at what it is compared with; each place is a share of the axis'
    length."""

    low: float
    value: float
    high: float
    zero: float
    colour: str = ""
    """The style sheet's class for it."""


def interval_bar(
    estimate: Estimate, low: float, high: float, colour: str = "", against: float = 0.0
) -> IntervalBar | None:
    """The estimate on the axis from `low` to `high`, what lies beyond it at its end; None where a figure is undefined
    (an exploratory effect has no interval) or the axis has no length."""
    values = (estimate.low, estimate.value, estimate.high, against)
    if not all(isfinite(v) for v in (*values, low, high)) or high <= low:
        return None
    return IntervalBar(*(_share(v, (low, high)) for v in values), colour=colour)


def interval_range(estimates: Sequence[Estimate]) -> Axis:
    """A range that holds zero and every finite interval, with a little air."""
    ends = [0.0]
    for estimate in estimates:
        ends += [end for end in (estimate.low, estimate.high) if isfinite(end)]
    low = min(ends)
    high = max(ends)
    air = 0.05 * (high - low) or 1.0
    return low - air * (low < 0), high + air


@dataclass(frozen=True, slots=True)
class Mark:
    """One estimate on an axis that several share."""

    value: Estimate
    kind: str = "observed"
    """"observed" (a dot), "read" or "predicted" (a ring with a band), or "expected" (a pale band)."""
    label: str = ""
    text: str = ""
    """Its figures, such as "43% (40 to 46%)"."""


def axis_of(marks: Sequence[Mark], *, least: float | None = None, most: float | None = None) -> Axis:
    """The ends of the axis that shows all marks, with a little room; `least` and `most` bound it."""
    known = list[float]()
    for mark in marks:
        known += [value for value in (mark.value.low, mark.value.value, mark.value.high) if isfinite(value)]
    low = min(known, default=0.0)
    high = max(known, default=1.0)
    room = 0.06 * (high - low or 1.0)
    low = low - room
    high = high + room
    if least is not None:
        low = max(low, least)
    if most is not None:
        high = min(high, most)
    return low, high


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
    at = _share(estimate.value, axis)
    if not (isfinite(estimate.low) and isfinite(estimate.high)):
        return Dot(mark.kind, at, 0.0, 0.0)
    low = _share(estimate.low, axis)
    high = _share(estimate.high, axis)
    return Dot(mark.kind, at, low, max(high - low, MIN_BAND))


@dataclass(frozen=True, slots=True)
class DotChart:
    """Marks below each other on one axis: (label, dots, what is said of it) of each, and the axis' ends."""

    rows: tuple[tuple[str, tuple[Dot, ...], str], ...]
    low: str
    high: str


def dot_chart(marks: Sequence[Mark], axis: Axis, written: Callable[[float], str]) -> DotChart:
    """One row for each mark; `written` gives the axis' ends as text."""
    return DotChart(tuple((m.label, dots([m], axis), m.text) for m in marks), written(axis[0]), written(axis[1]))


def _share(value: float, axis: Axis) -> float:
    low, high = axis
    return min(max((value - low) / (high - low or 1.0), 0.0), 1.0)
