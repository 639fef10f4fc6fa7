"""Average precision of one query, with ties, and what random rankings give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from core.systems.composition.scoring.precision import average_precision, chance_precision


def test_what_is_worked_by_hand_comes_out_and_equal_scores_share_a_threshold() -> None:
    places_1_and_3 = average_precision(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    assert places_1_and_3 == pytest.approx((1 + 2 / 3) / 2)
    scores, relevant = np.array([1.0, 1.0, 0.0]), np.array([True, False, False])
    assert average_precision(scores, relevant) == average_precision(scores[::-1], relevant[::-1]) == 0.5
    assert average_precision(np.zeros(10), np.arange(10) < 3) == pytest.approx(0.3)


def test_nothing_relevant_or_a_score_that_is_no_number_is_undefined() -> None:
    assert np.isnan(average_precision(np.array([1.0, np.nan, 2.0, 3.0]), np.array([True, False, False, True])))
    assert np.isnan(average_precision(np.arange(3.0), np.zeros(3, bool)))
    assert np.isnan(chance_precision(0, 3))


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_it_agrees_with_scikit_learn_with_and_without_ties(levels: int) -> None:
    rng = np.random.default_rng(levels)
    for n in (1, 2, 17, 60):
        scores, relevant = rng.integers(0, levels, n).astype(np.float64), rng.random(n) < 0.4
        relevant[0] = True
        infinite = np.where(scores == scores.min(), -np.inf, scores)
        theirs = pytest.approx(average_precision_score(relevant, scores), abs=1e-12)
        assert average_precision(scores, relevant) == average_precision(infinite, relevant) == theirs


@pytest.mark.parametrize(("n_relevant", "n"), [(1, 1), (2, 2), (1, 10), (3, 12), (9, 10), (10, 10)])
def test_chance_is_what_random_rankings_give_on_average(n_relevant: int, n: int) -> None:
    rng = np.random.default_rng(0)
    found = [average_precision(rng.permutation(n).astype(np.float64), np.arange(n) < n_relevant) for _ in range(4000)]
    assert chance_precision(n_relevant, n) == pytest.approx(
        np.mean(found), abs=4 * np.std(found) / np.sqrt(4000) + 1e-12
    )
