"""A bar is set where answers above it are right often enough, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.weights.vl_t5.calibrated_bar import calibrated_bar


def test_the_bar_is_as_low_as_answers_above_it_stay_reliable() -> None:
    chances = np.linspace(1, 0, 400)
    right = chances > 0.4
    bar = calibrated_bar(chances.tolist(), right.tolist())
    above = chances >= bar
    assert right[above].mean() >= 0.9
    assert 0.36 < bar < 0.41
    assert calibrated_bar([0.9, 0.8], [False, True]) == 1.0
    assert calibrated_bar([0.9] * 40 + [float("nan")], [True] * 41) == 0.0
    with pytest.raises(InvalidInput, match="there are none"):
        calibrated_bar([], [])


def test_a_model_that_is_not_right_often_enough_seldom_gets_a_bar() -> None:
    rng = np.random.default_rng(0)
    given = [calibrated_bar(rng.random(300).tolist(), (rng.random(300) < 0.9).tolist()) < 1 for _ in range(200)]
    assert np.mean(given) < 0.06  # 0.12 where the luckiest of all bars is taken
