"""Places on an axis, and what is drawn of them."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

import pytest

from core.records import Estimate
from core.reports.html.intervals import Mark, axis_of, dot_chart, dots, interval_bar, interval_range
from core.reports.html.render import environment


@pytest.fixture
def drawn() -> Callable[..., str]:
    """drawn("dot_line", dots): what a macro of parts.html.j2 makes of a record."""

    def call(macro: str, *given: Any) -> str:
        return str(getattr(environment().get_template("parts.html.j2").module, macro)(*given))

    return call


def test_an_interval_without_bounds_draws_nothing(drawn: Callable[..., str]) -> None:
    assert interval_bar(Estimate(1.0, nan, nan), 0.0, 2.0) is None
    assert interval_bar(Estimate(1.0, 0.5, 1.5), 1.0, 1.0) is None
    assert drawn("interval_svg", None).strip() == drawn("interval_line", None).strip() == ""


def test_report_and_page_draw_an_interval_at_the_same_places(drawn: Callable[..., str]) -> None:
    bar = interval_bar(Estimate(1.0, 0.5, 3.0), 0.0, 2.0, "cluster-1")
    svg, line = drawn("interval_svg", bar), drawn("interval_line", bar)
    assert 'class="interval cluster-1"' in svg
    assert 'cx="150.0"' in svg
    assert 'd="M77.0 10H296.0"' in svg  # the end beyond the axis stays on it
    assert 'class="dot" style="left:50.0%"' in line
    assert 'class="range" style="left:25.0%;width:75.0%"' in line


def test_a_range_holds_zero_and_every_interval() -> None:
    assert interval_range([Estimate(1.0, 0.5, 2.0), Estimate(1.0, nan, nan)]) == pytest.approx((0.0, 2.1))
    low, high = interval_range([Estimate(-1.0, -2.0, 0.5)])
    assert low < -2.0
    assert high > 0.5
    assert interval_range([]) == (0.0, 1.0)


def test_an_axis_shows_all_marks_within_its_bounds() -> None:
    marks = [Mark(Estimate(0.5, 0.2, 0.9)), Mark(Estimate(0.1, nan, nan))]
    low, high = axis_of(marks)
    assert low < 0.1
    assert high > 0.9
    assert axis_of(marks, least=0.0, most=0.5)[1] == 0.5
    assert axis_of([]) == pytest.approx((-0.06, 1.06))


def test_a_mark_without_a_value_is_left_out_and_one_without_an_interval_has_no_band(drawn: Callable[..., str]) -> None:
    found = dots(
        [Mark(Estimate(nan, nan, nan)), Mark(Estimate(0.25, nan, nan), "read"), Mark(Estimate(0.5, 0.4, 0.6), "read")],
        (0.0, 1.0),
    )
    assert [(d.kind, d.at, round(d.width, 3)) for d in found] == [("read", 0.25, 0.0), ("read", 0.5, 0.2)]
    line = drawn("dot_line", found)
    assert line.count("band") == 1
    assert 'class="band read" style="left:40.0%;width:20.0%"' in line


def test_a_chart_has_a_row_for_each_mark_and_its_texts_stay_text(drawn: Callable[..., str]) -> None:
    marks = [Mark(Estimate(0.5, 0.4, 0.6), label="<b>", text="50 & more"), Mark(Estimate(0.1, nan, nan))]
    chart = drawn("dot_rows", dot_chart(marks, (0.0, 1.0), lambda value: f"{value:.0f}"))
    assert chart.count('class="dot-row"') == 2
    assert "<b>" not in chart
    assert "50 &amp; more" in chart
    assert "<i>0</i><i>1</i>" in chart
