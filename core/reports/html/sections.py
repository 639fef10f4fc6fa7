"""Sections as markup: cards with images where rows are of samples, else a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from core.numbers import number, percent, points
from core.records import Diagnosis, Figure, Pictures, Row, Section
from core.reports.html.charts import N_CLUSTER_COLOURS
from core.reports.html.intervals import Axis, IntervalBar, interval_bar
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
    axes = axes_of(section.rows)
    rows = [_drawn(row, axes, pictures, most) for row in section.rows]
    drawn_measures = {drawn.row.measure for drawn in rows if drawn.bar is not None}
    ends = dict[str, tuple[str, str]]()
    for measure, (low, high) in axes.items():
        if measure not in drawn_measures:
            continue
        ends[measure] = number(low), number(high)
        if measure in ("error rate", "share of the class"):
            ends[measure] = percent(low), percent(high)
        elif measure == "gain in points":
            ends[measure] = points(low, sign=True), points(high, sign=True)
    return render(
        "section.html.j2",
        diagnosis=diagnosis,
        section=section,
        rows=rows,
        ends=ends,
        most_rows=MAX_TABLE_ROWS,
        has_images=any(row.samples is not None or row.figure is not None for row in section.rows),
        bare=diagnosis.samples.items is None,
        figure=figure_markup(section.figure, pictures),
    )


def figure_markup(figure: Figure | None, pictures: Pictures) -> Markup:
    """The figure that a section or a row brings as markup; "" without one."""
    if figure is None:
        return Markup()
    return Markup(figure(pictures))


def _drawn(row: Row, axes: Mapping[str, Axis], pictures: Pictures, most: int) -> DrawnRow:
    colour = f"cluster-{(row.rank - 1) % N_CLUSTER_COLOURS}" if row.rank is not None else ""
    members = ()
    similar = ()
    n_more = 0
    if row.samples is not None:
        shown = row.samples[:most]
        members = pictures(shown)
        n_more = row.n - len(shown)
    if row.similar_but_right is not None:
        similar = pictures(row.similar_but_right[: most // 2])
    figure = figure_markup(row.figure, pictures)
    return DrawnRow(row, row_bar(row, axes, colour), colour, members, similar, n_more, figure)


def axes_of(rows: Sequence[Row]) -> dict[str, Axis]:
    """The axis that the bars of the rows of each measure share."""
    measures = sorted({row.measure for row in rows})
    return {measure: _axis([row for row in rows if row.measure == measure]) for measure in measures}


def _axis(rows: Sequence[Row]) -> Axis:
    """From 0, or a value below it, to the highest, with a little room."""
    ends = [0.0]
    for row in rows:
        values = [row.against]
        if row.estimate is not None:
            values += [row.estimate.low, row.estimate.value, row.estimate.high]
        ends += [v for v in values if v is not None and isfinite(v)]
    return 1.05 * min(ends), 1.05 * max(ends)


def row_bar(row: Row, axes: Mapping[str, Axis], colour: str = "") -> IntervalBar | None:
    """The estimate with its interval and a line at what it is compared with; None without an interval."""
    if row.estimate is None or row.against is None:
        return None
    return interval_bar(row.estimate, *axes[row.measure], colour, row.against)
