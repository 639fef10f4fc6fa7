"""Sections as markup: cards with images where rows are of samples, else a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from core.numbers import number, percent
from core.records import Diagnosis
from core.records.sections import Pictures, Row, Section
from core.reports.html.charts import N_CLUSTER_COLOURS
from core.reports.html.intervals import Axis, IntervalBar
from core.reports.html.render import render

MAX_TABLE_ROWS = 12
"""Rows of a table that are open; the rest are folded under them."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row with what the report adds: its bar, its images, its color."""

    row: Row
    bar: IntervalBar | None
    colour: str
    """The style sheet's class: of ranked rows the color on the map."""
    members: Sequence[object]
    similar: Sequence[object]
    n_more: int
    """Members that are not shown."""
    figure: str


def draw_section(diagnosis: Diagnosis, section: Section, pictures: Pictures, most: int) -> Markup:
    """The section as markup whose texts are escaped.

    Args:
        diagnosis: the run it is of.
        section: rows of one measure share the axis of their bars.
        pictures: gives the gallery entries of row numbers.
        most: images of each row; half as many similar ones.
    """
    measures = ("error rate", "mean loss")
    axes = {measure: _axis([r for r in section.rows if r.measure == measure]) for measure in measures}
    rows = [_drawn(row, axes[row.measure], pictures, most) for row in section.rows]
    ends = {
        measure: (percent(axis[0]), percent(axis[1])) if measure == "error rate" else (number(axis[0]), number(axis[1]))
        for measure, axis in axes.items()
        if any(drawn.bar is not None and drawn.row.measure == measure for drawn in rows)
    }
    return render(
        "section.html.j2",
        diagnosis=diagnosis,
        section=section,
        rows=rows,
        ends=ends,
        most_rows=MAX_TABLE_ROWS,
        has_images=any(row.samples is not None for row in section.rows),
        bare=diagnosis.samples.items is None,
        figure=Markup(section.figure(pictures)) if section.figure is not None else "",
    )


def _drawn(row: Row, axis: Axis, pictures: Pictures, most: int) -> DrawnRow:
    colour = "" if row.rank is None else f"cluster-{(row.rank - 1) % N_CLUSTER_COLOURS}"
    shown = None if row.samples is None else row.samples[:most]
    members = [] if shown is None else pictures(shown)
    similar = [] if row.similar_but_right is None else pictures(row.similar_but_right[: most // 2])
    figure = Markup(row.figure(pictures)) if row.figure is not None else ""
    n_more = 0 if shown is None else row.n - len(shown)
    return DrawnRow(row, _bar(row, axis, colour), colour, members, similar, n_more, figure)


def _axis(rows: Sequence[Row]) -> Axis:
    """From 0 to the largest value, with a little room."""
    ends = [0.0]
    for row in rows:
        values = [] if row.estimate is None else [row.estimate.low, row.estimate.value, row.estimate.high]
        ends += [v for v in (*values, row.against) if v is not None and isfinite(v)]
    return min(ends), 1.05 * max(ends)


def _bar(row: Row, axis: Axis, colour: str) -> IntervalBar | None:
    """The estimate with its interval and a line at what it is compared with; None without an interval."""
    estimate = row.estimate
    low, high = axis
    if estimate is None or row.against is None or high <= low:
        return None
    values = (estimate.low, estimate.value, estimate.high, row.against)
    if not all(isfinite(value) for value in values):
        return None
    return IntervalBar(*((value - low) / (high - low) for value in values), colour=colour)
