"""The curve of a training: where each epoch lies, and which was kept."""

from __future__ import annotations

from core.systems.common.epochs import Epoch
from core.systems.composition.reports.training_curve import training_curve

NAN = float("nan")
PASSES = [Epoch(0, None, 1.0, 0.0), Epoch(1, 2.0, 0.5, 0.5), Epoch(2, 1.0, 0.8, 1.0)]


def test_the_curve_marks_the_epoch_that_was_kept() -> None:
    curve = training_curve(PASSES, 1, losses=True)
    assert curve.dots == (("0.0", "98.0", False), ("50.0", "50.0", True), ("100.0", "2.0", False))
    lines = {name: points.split() for name, points in curve.lines}
    assert lines["curve"] == ["0.0,98.0", "50.0,50.0", "100.0,2.0"]
    assert lines["training"] == ["50.0,2.0", "100.0,50.0"]  # the highest loss of both is the top
    assert lines["loss"][0] == "0.0,50.0"
    assert "50% after epoch 1" in curve.said
    assert curve.epochs == 2


def test_without_a_kept_epoch_the_most_accurate_one_is_marked() -> None:
    assert [best for _, _, best in training_curve(PASSES).dots] == [False, False, True]
    assert [best for _, _, best in training_curve(PASSES[:1]).dots] == [True]
    assert training_curve([Epoch(0, None, 1.0, NAN), *PASSES[1:]], 2).dots[0] == ("50.0", "50.0", False)
