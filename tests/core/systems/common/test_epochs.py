from __future__ import annotations

import math

from core.systems.common.epochs import Best


def test_the_first_of_the_highest_scores_is_kept_and_a_score_that_is_no_number_is_not() -> None:
    best = Best("start")
    for epoch, score in enumerate([(math.nan,), (0.5, -2.0), (0.5, -1.0), (0.5, -1.0), (0.4, 0.0)]):
        best.offer(epoch, score, lambda epoch=epoch: f"of {epoch}")
    assert (best.epoch, best.weights) == (2, "of 2")


def test_without_any_score_the_start_is_kept() -> None:
    assert (Best("start").epoch, Best("start").weights) == (0, "start")
