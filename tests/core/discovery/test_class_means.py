"""Classes of one mean loss and different shapes, or made of copies: nothing is to be claimed of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.core.discovery.test_classes import found, made

SHAPES = {
    "exponential": lambda rng, n: rng.exponential(1.0, n),
    "uniform": lambda rng, n: rng.uniform(0, 2, n),
    "lognormal": lambda rng, n: rng.lognormal(-0.5, 1.0, n),
    "rarely low": lambda rng, n: np.where(rng.random(n) < 0.9, 1 / 0.9, 0.0),
}


@pytest.mark.parametrize(
    ("odd", "others"), [("uniform", "lognormal"), ("uniform", "exponential"), ("rarely low", "uniform")]
)
@pytest.mark.parametrize("size", [12, 500])
def test_classes_of_one_mean_and_different_shapes_are_hardly_ever_claimed(odd: str, others: str, size: int) -> None:
    claims, rng, labels = 0, np.random.default_rng(7), np.repeat([0, 1, 2], [size, 300, 300])
    for _ in range(8):
        loss = np.r_[SHAPES[odd](rng, size), SHAPES[others](rng, 600)]
        claims += any(f.confirmed for f in found(*made(labels, loss=loss)).values())
    assert claims <= 2  # by ranks 8 of 8 with 500 rows


def test_a_class_of_lower_mean_is_never_claimed_for_its_ranks() -> None:
    rng, labels = np.random.default_rng(8), np.repeat([0, 1], 400)
    loss = np.r_[rng.uniform(0.6, 0.8, 400), rng.lognormal(-1.125, 1.5, 400)]  # means 0.7 and 1
    assert stats.mannwhitneyu(loss[:400], loss[400:], alternative="greater").pvalue < 1e-6
    assert not found(*made(labels, loss=loss))["cat"].confirmed


def test_a_class_of_copies_is_not_claimed_where_they_are_one_group() -> None:
    rng, claims = np.random.default_rng(9), []
    for grouped in (False, True):
        wrong = 0
        for _ in range(12):
            loss, labels, groups = rng.exponential(1.0, 400), np.repeat([0, 1], 200), np.arange(400)
            loss[:200], groups[:200] = np.repeat(loss[:20], 10), np.repeat(np.arange(20), 10)  # each row ten times
            results = found(*made(labels, loss=loss, groups=groups if grouped else None))
            wrong += any(f.confirmed for f in results.values())
        claims.append(wrong)
    assert claims[0] >= 3
    assert claims[1] <= 1
