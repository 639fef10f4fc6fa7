"""Dot and whisker as markup, for the views that are no templates yet; see `core.reports.html.intervals`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.reports.html.intervals import Axis, Mark, axis_of, dot_chart, dots
from webapp.markup.render import part

__all__ = ["Mark", "axis_of", "chart", "line"]


def line(marks: Sequence[Mark], axis: Axis) -> str:
    """The marks drawn over each other on one line; for the eye only, so the figures must stand beside it as text."""
    return str(part("dot_line", dots(marks, axis)))


def chart(marks: Sequence[Mark], axis: Axis, written: Callable[[float], str]) -> str:
    """One row for each mark: its label, its line, and what is said of it; the axis' ends beneath."""
    return str(part("dot_rows", dot_chart(marks, axis, written)))
