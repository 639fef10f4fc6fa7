"""Precision and average precision, ties included, against trying all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from core.errors import InvalidInput
from research.scoreboard.measures import average_precision, expected_precision_at


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_expected_precision_is_the_mean_over_all_orders_of_ties(k):
    scores = np.array([2.0, 1.0, 1.0, 1.0, -np.inf, -np.inf])
    truth = np.array([False, True, True, False, True, False])
    slow = []
    for order in permutations(range(6)):
        ranked = sorted(order, key=lambda i: -scores[i])  # sorted is stable: ties stay in the order of the permutation
        slow.append(truth[ranked[:k]].mean())
    assert expected_precision_at(k, scores, truth) == pytest.approx(np.mean(slow))


def test_a_constant_score_has_the_precision_of_chance():
    truth = np.arange(40) < 6
    assert expected_precision_at(10, np.zeros(40), truth) == pytest.approx(0.15)


def test_average_precision_is_that_of_scikit_learn_and_takes_infinite_scores():
    rng = np.random.default_rng(0)
    scores, truth = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.3
    assert average_precision(scores, truth) == pytest.approx(average_precision_score(truth, scores))
    lowest = np.where(scores == 0, -np.inf, scores)
    assert average_precision(lowest, truth) == pytest.approx(average_precision_score(truth, scores))
    assert average_precision(np.zeros(60), truth) == pytest.approx(truth.mean())
    assert np.isnan(average_precision(scores, np.zeros(60, bool)))


@pytest.mark.parametrize(
    ("k", "scores", "words"), [(11, np.zeros(10), "between 1 and 10"), (1, np.array([np.nan, 1.0]), "1 of 2 are")]
)
def test_bad_arguments_are_named(k, scores, words):
    with pytest.raises(InvalidInput, match=words):
        expected_precision_at(k, scores, np.zeros(len(scores), bool))
