"""Precision, ties included, against trying all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.scoreboard.measures import expected_precision_at


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


@pytest.mark.parametrize(
    ("k", "scores", "words"), [(11, np.zeros(10), "between 1 and 10"), (1, np.array([np.nan, 1.0]), "1 of 2 are")]
)
def test_bad_arguments_are_named(k, scores, words):
    with pytest.raises(InvalidInput, match=words):
        expected_precision_at(k, scores, np.zeros(len(scores), bool))
