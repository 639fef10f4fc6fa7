"""The drawing of accuracy by number of shots, and its table."""

from __future__ import annotations

from core.records import Estimate
from core.systems.probes.shot_charts import shot_charts
from core.systems.probes.shot_curves import ShotCurve, ShotCurves, ShotPoint
from core.systems.probes.wording import curve_lines, curve_sentence


def point(
    shots: int, value: float, step: Estimate | None = None, p: float | None = None, gain_p: float = 0.01
) -> ShotPoint:
    accuracy, gain = Estimate(value, value - 0.1, value + 0.1), Estimate(value - 0.2, 0.0, 0.5)
    return ShotPoint(f"x, {shots} shots", shots, shots + 1, accuracy, gain, gain_p, step, p)


UP, FLAT = Estimate(0.2, 0.1, 0.3), Estimate(0.01, -0.1, 0.1)
POINTS = point(1, 0.3, gain_p=0.2), point(4, 0.5, UP, 0.001), point(16, 0.51, FLAT, 0.6)
CURVE = ShotCurve("x", POINTS, Estimate(0.2, 0.1, 0.3))
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
    assert "x, 4 shots: 50%" in drawn.dots[1][2]


def test_zero_shot_is_drawn_once_where_it_is_the_same() -> None:
    other = ShotCurve("y", CURVE.points, CURVE.zero_shot)
    third = ShotCurve("z", CURVE.points, Estimate(0.4, 0.3, 0.5))
    (chart,) = shot_charts([ShotCurves(100, "image", "Halves.", (CURVE, other, third))])
    assert len(chart.zero_shot) == 2
    assert [c.colour for c in chart.curves] == [0, 1, 2]


def test_the_sentence_names_what_passes_zero_shot_and_the_last_step_that_is_shown_to_help() -> None:
    said = curve_sentence(CURVE).replace("\u00a0", " ")
    assert said.startswith("x is right on 30")
    assert " zero-shot on 20%. It beats zero-shot with 4 and 16. The last step" in said
    assert said.endswith("The last step shown to help is from 1 to 4.")
    worse = point(4, 0.1, Estimate(-0.2, -0.3, -0.1), 0.001)
    alone = curve_sentence(ShotCurve("x", (point(1, 0.3), worse), None))
    assert alone.endswith(" No single step is shown to help.")
    both = curve_sentence(ShotCurve("x", (point(1, 0.3), worse), CURVE.zero_shot))
    assert "It beats zero-shot with 1 and is worse than zero-shot with 4. " in both


def test_steps_too_small_to_be_shown_do_not_hide_what_they_add_up_to() -> None:
    small = [point(2**i, 0.2 + 0.02 * i, FLAT, 0.4, gain_p=0.2 if i < 4 else 0.001) for i in range(5)]
    said = curve_sentence(ShotCurve("x", tuple(small), CURVE.zero_shot))
    assert "It beats zero-shot with 16. No single step" in said
    none = [point(2**i, 0.2 + 0.02 * i, FLAT, 0.4, gain_p=0.2) for i in range(5)]
    assert "No number of shots shows a difference from zero-shot. " in curve_sentence(
        ShotCurve("x", tuple(none), CURVE.zero_shot)
    )


def test_the_lines_hold_a_row_for_each_number_of_shots_and_for_none() -> None:
    lines = curve_lines([ROWS])
    assert lines[0] == "How many labeled samples?"
    assert "100 images" in lines[1]
    assert [line.split()[:2] for line in lines[4:8]] == [["0", "0"], ["1", "2"], ["4", "5"], ["16", "17"]]
    assert lines[6].rstrip().endswith("p\u00a0= 0.001") or lines[6].rstrip().endswith("p = 0.001")
    assert "are over images" in lines[-1]
