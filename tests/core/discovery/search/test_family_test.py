"""The threshold that a statistic of the family must reach."""

from __future__ import annotations

import numpy as np

from core.discovery.search.family_test import FamilyTest
from core.records import F32


def made(alpha: float, null: F32) -> FamilyTest:
    return FamilyTest(np.zeros((3, 1)), ("mean loss",), alpha, np.zeros((3, 1), np.float32), null)


def test_the_threshold_is_the_least_statistic_whose_p_is_at_most_alpha() -> None:
    for n_permutations in (19, 24, 99, 100, 199, 250):
        null = np.random.default_rng(n_permutations).normal(3, 1, n_permutations).astype(np.float32)
        for alpha in (0.04, 0.05, 0.1):
            test = made(alpha, null)
            if alpha * (n_permutations + 1) >= 1:
                assert test.p(test.threshold) <= alpha
                assert test.p(test.threshold - 3e-5) > alpha
            else:
                assert test.threshold == np.inf
    assert np.isnan(made(0.05, np.zeros(0, np.float32)).threshold)
