"""The test of weighted means: an exact p, a level that holds, groups that stay together, and no end of memory."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from core.statistics import weighted
from core.statistics.permuter import Permuter
from core.statistics.weighted import MAX_EXCEEDANCES, PERMUTATIONS, least_p, weighted_test


def centred(weights: np.ndarray, strata: np.ndarray) -> np.ndarray:
    return weights - (np.bincount(strata, weights) / np.bincount(strata))[strata]


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("seed", range(3))
def test_the_p_is_the_share_of_all_permutations_of_groups_that_reach_the_observed_sum(size: int, seed: int) -> None:
    """Of six single rows, or six groups of ten alike, which count once; and the larger of two columns."""
    rng = np.random.default_rng(seed)
    weights, strata = centred(rng.random(6), np.zeros(6, int)), np.zeros(6 * size, np.int64)
    values = np.stack([weights + seed * rng.normal(size=6), rng.normal(size=6)], 1)
    each = np.array([weights @ values[list(order)] for order in permutations(range(6))]) / values.std(0)
    exact = (each.max(1) >= each[0].max() - 1e-12).mean()
    values[:, 1] *= 100  # each counts by its own deviation
    rows = np.repeat(np.arange(6), size)
    found = weighted_test(weights[rows], values[rows], Permuter(strata, rows), rng)
    assert found.p == pytest.approx(exact, rel=0.25, abs=0.002)
    assert found.deviation == pytest.approx(size * (each[:, 0] * values[:, 0].std()).std(), rel=0.2)


def test_values_that_go_with_the_weights_have_the_least_p_and_others_stop_early() -> None:
    rng, strata = np.random.default_rng(0), np.zeros(300, np.int64)
    weights = centred(np.where(np.arange(300) < 40, 0.9, 0.05), strata)
    strong = np.c_[rng.random(300), (np.arange(300) < 40) * 1.0]
    found = weighted_test(weights, strong, Permuter(strata), rng)
    assert (found.p, found.best) == (least_p(300), 1)
    assert (least_p(300), least_p(10**5), least_p(200_000), least_p(10**7)) == (1e-4, 1e-4, 1 / 5_001, 1e-3)
    none = weighted_test(weights, rng.random((300, 1)), Permuter(strata), rng)
    assert none.p >= MAX_EXCEEDANCES / PERMUTATIONS
    less = weighted_test(weights, -strong[:, 1:], Permuter(strata), rng)
    assert less.p == 1.0


def test_of_many_rows_fewer_permutations_are_drawn_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weighted, "BATCH_CELLS", 5_000)
    monkeypatch.setattr(weighted, "MAX_CELLS", 1_500 * 1_000)
    strata, drawn = np.zeros(1_000, np.int64), list[int]()

    class Counting(Permuter):
        def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
            drawn.append(count)
            return super().draw(count, rng)

    weights = centred((np.arange(1_000) < 50) * 1.0, strata)
    found = weighted_test(weights, weights[:, None], Counting(strata), np.random.default_rng(0))
    assert found.p == 1 / 1_501
    assert (sum(drawn), max(drawn)) == (1_500, 5)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_the_unit_of_the_weights_changes_no_p(scale: float) -> None:
    rng = np.random.default_rng(3)
    strata, values = np.zeros(60, np.int64), rng.normal(size=(60, 1))
    weights = centred((values[:, 0] + rng.normal(size=60)) * 0.1, strata)
    found, plain = (
        weighted_test(w, values, Permuter(strata, None, values), np.random.default_rng(0)).p
        for w in (scale * weights, weights)
    )
    assert found == plain < 0.05
