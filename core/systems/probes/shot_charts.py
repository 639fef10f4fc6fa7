"""Accuracy by number of shots as a drawing with tables beneath it, for report and page. Computes no statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import log2

from core.numbers import percent
from core.reports.html.intervals import Axis, Mark, axis_of
from core.reports.wording.comparison import share
from core.systems.probes.shot_curves import ShotCurve, ShotCurves
from core.systems.probes.wording import CURVE_COLUMNS, CURVES_NOTE, curve_cells, curve_sentence, curves_lead

N_COLOURS = 4


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """One probe on a square of 100 by 100, and its table."""

    name: str
    colour: int
    sentence: str
    band: str
    """Outline of the intervals."""
    line: str
    dots: tuple[tuple[str, str, str], ...]
    """(percent from the left, percent from the top, tooltip) of each number of shots."""
    rows: tuple[tuple[str, ...], ...]
    """Below `CURVE_COLUMNS`."""


@dataclass(frozen=True, slots=True)
class ShotChart:
    """Curves on the same rows."""

    lead: str
    note: str
    low: str
    high: str
    """Accuracy at the lower and the upper edge."""
    ticks: tuple[tuple[str, str], ...]
    """(percent from the left, number) of each number of shots, on a logarithmic scale."""
    zero_shot: tuple[str, ...]
    """Percent from the top of zero-shot's accuracy; several where the probes' texts differ."""
    curves: tuple[DrawnCurve, ...]
    columns: tuple[str, ...] = CURVE_COLUMNS


def shot_charts(curves: Sequence[ShotCurves]) -> list[ShotChart]:
    """One chart for each set of rows."""
    charts: list[ShotChart] = []
    for rows in curves:
        points = list(chain.from_iterable(curve.points for curve in rows.curves))
        numbers = sorted({p.shots for p in points})
        across = log2(numbers[0]), log2(numbers[-1])
        zero = {curve.zero_shot.value: curve.zero_shot for curve in rows.curves if curve.zero_shot is not None}
        axis = axis_of([Mark(e) for e in (*zero.values(), *(p.accuracy for p in points))], least=0.0, most=1.0)
        charts.append(
            ShotChart(
                curves_lead(rows),
                CURVES_NOTE.format(what=rows.modality),
                percent(axis[0]),
                percent(axis[1]),
                tuple((_left(n, across), f"{n:,}") for n in numbers),
                tuple(_top(value, axis) for value in sorted(zero)),
                tuple(_drawn(curve, i % N_COLOURS, across, axis) for i, curve in enumerate(rows.curves)),
            )
        )
    return charts


def _drawn(curve: ShotCurve, colour: int, across: Axis, axis: Axis) -> DrawnCurve:
    places = [(_left(p.shots, across), p.accuracy) for p in curve.points]
    lower = [f"{x},{_top(e.low, axis)}" for x, e in reversed(places)]
    return DrawnCurve(
        curve.name,
        colour,
        curve_sentence(curve),
        " ".join([*(f"{x},{_top(e.high, axis)}" for x, e in places), *lower]),
        " ".join(f"{x},{_top(e.value, axis)}" for x, e in places),
        tuple((x, _top(e.value, axis), f"{p.result}: {share(e)}") for (x, e), p in zip(places, curve.points)),
        tuple(curve_cells(curve)),
    )


def _left(shots: int, across: Axis) -> str:
    return f"{3 + 94 * (log2(shots) - across[0]) / (across[1] - across[0]):.1f}"


def _top(accuracy: float, axis: Axis) -> str:
    share_of = (accuracy - axis[0]) / ((axis[1] - axis[0]) or 1.0)
    return f"{100 - 100 * min(max(share_of, 0.0), 1.0):.1f}"
