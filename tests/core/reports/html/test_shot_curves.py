"""The drawing of accuracy by number of shots, and its table."""

from __future__ import annotations

from core.probes.shot_curves import ShotCurve, ShotCurves, ShotPoint
from core.records import Estimate
from core.reports.html.shot_curves import shot_charts
from core.reports.wording.probes import curve_lines, curve_sentence


def point(shots: int, value: float, step: Estimate | None = None, p: float | None = None) -> ShotPoint:
    accuracy = Estimate(value, value - 0.1, value + 0.1)
    return ShotPoint(f"x, {shots} shots", shots, shots + 1, accuracy, Estimate(value - 0.2, 0.0, 0.5), step, p)


UP, FLAT = Estimate(0.2, 0.1, 0.3), Estimate(0.01, -0.1, 0.1)
CURVE = ShotCurve("x", (point(1, 0.3), point(4, 0.5, UP, 0.001), point(16, 0.51, FLAT, 0.6)), Estimate(0.2, 0.1, 0.3))
ROWS = ShotCurves(100, "image", "Halves.", (CURVE,))


def test_shots_lie_on_a_scale_that_doubles_and_accuracies_between_the_ends() -> None:
    (chart,) = shot_charts([ROWS])
    assert chart.ticks == (("3.0", "1"), ("50.0", "4"), ("97.0", "16"))
    drawn = chart.curves[0]
    assert [left for left, _, _ in drawn.dots] == ["3.0", "50.0", "97.0"]
    tops = [float(top) for _, top, _ in drawn.dots]
    assert tops[0] > tops[1] > tops[2]
    assert float(chart.zero_shot[0]) > tops[0]  # less accurate, so lower
    corners = [tuple(map(float, corner.split(","))) for corner in drawn.band.split()]
    assert len(corners) == 6
    assert corners[0][1] < tops[0] < corners[-1][1]
    assert "x, 4 shots: 50\u00a0%" in drawn.dots[1][2]


def test_zero_shot_is_drawn_once_where_it_is_the_same() -> None:
    other = ShotCurve("y", CURVE.points, CURVE.zero_shot)
    third = ShotCurve("z", CURVE.points, Estimate(0.4, 0.3, 0.5))
    (chart,) = shot_charts([ShotCurves(100, "image", "Halves.", (CURVE, other, third))])
    assert len(chart.zero_shot) == 2
    assert [c.colour for c in chart.curves] == [0, 1, 2]


def test_the_sentence_names_the_last_step_that_is_shown_to_help() -> None:
    said = curve_sentence(CURVE)
    assert said.startswith("x is right on 30")
    assert said.endswith("zero-shot on 20\u00a0%; the last step that is shown to help goes from 1 to 4.")
    worse = point(4, 0.2, Estimate(-0.2, -0.3, -0.1), 0.001)
    assert curve_sentence(ShotCurve("x", (point(1, 0.3), worse), None)).endswith("; no step is shown to help.")


def test_the_lines_hold_a_row_for_each_number_of_shots_and_for_none() -> None:
    lines = curve_lines([ROWS])
    assert lines[0] == "How many labelled samples?"
    assert "100 images" in lines[1]
    assert [line.split()[:2] for line in lines[4:8]] == [["0", "0"], ["1", "2"], ["4", "5"], ["16", "17"]]
    assert lines[6].rstrip().endswith("p\u00a0= 0.001") or lines[6].rstrip().endswith("p = 0.001")
    assert "over images" in lines[-1]
