from __future__ import annotations

import math

import pytest

from core.systems.common.epochs import Best, cosine


def test_the_step_size_falls_from_the_whole_by_half_at_the_middle_to_the_floor() -> None:
    assert [cosine(done, 10) for done in (0, 5, 10)] == pytest.approx([1.0, 0.5, 0.0])
    assert [cosine(done, 10, 0.1) for done in (0, 5, 10)] == pytest.approx([1.0, 0.55, 0.1])


def test_the_first_of_the_highest_scores_is_kept_and_a_score_that_is_no_number_is_not() -> None:
    best = Best("start")
    for epoch, score in enumerate([(math.nan,), (0.5, -2.0), (0.5, -1.0), (0.5, -1.0), (0.4, 0.0)]):
        best.offer(epoch, score, lambda epoch=epoch: f"of {epoch}")
    assert (best.epoch, best.weights) == (2, "of 2")


def test_without_any_score_the_start_is_kept() -> None:
    assert (Best("start").epoch, Best("start").weights) == (0, "start")
