"""All redraws at once give the interval of one redraw after another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.records import F64, I64, Estimate
from core.statistics.intervals import bootstrap
from core.statistics.redraws import BATCH_CELLS, bootstrap_correlation, bootstrap_mean, bootstrap_sums

A = np.random.default_rng(0).gamma(1, 1, 700)
"""Many rows: the redraws come in several parts."""
GROUPS = [None, np.random.default_rng(1).integers(5, 200, 700), np.arange(700), np.zeros(700, np.int64)]
assert BATCH_CELLS < 500 * 700


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def same(found: Estimate, expected: Estimate) -> None:
    np.testing.assert_allclose(
        [found.value, found.low, found.high], [expected.value, expected.low, expected.high], rtol=1e-12
    )


def rows_one_by_one(statistic: Callable[[I64], float], groups: I64 | None, n: int = 700) -> Estimate:
    return bootstrap(statistic, n, groups, rng())


@pytest.mark.parametrize("groups", GROUPS)
def test_means(groups: I64 | None) -> None:
    same(bootstrap_mean(A, groups, rng()), rows_one_by_one(lambda i: float(A[i].mean()), groups))
    far = A + 1e6
    found, expected = bootstrap_mean(far, groups, rng()), rows_one_by_one(lambda i: float(far[i].mean()), groups)
    assert (found.high - found.low) == pytest.approx(expected.high - expected.low, abs=1e-8)


def test_repeats_and_level_are_those_asked_for() -> None:
    found = bootstrap_mean(A, GROUPS[1], rng(), repeats=150, level=0.5)
    same(found, bootstrap(lambda i: float(A[i].mean()), 700, GROUPS[1], rng(), repeats=150, level=0.5))
    assert found.low > bootstrap_mean(A, GROUPS[1], rng(), repeats=150).low


@pytest.mark.parametrize("groups", GROUPS)
def test_correlations(groups: I64 | None) -> None:
    b = 1e4 + A + np.random.default_rng(2).normal(size=700)
    value = float(np.corrcoef(A, b)[0, 1])
    found = bootstrap_correlation(A, b, groups, rng(), value=value)
    expected = rows_one_by_one(lambda i: float(np.corrcoef(A[i], b[i])[0, 1]), groups)
    np.testing.assert_allclose([found.low, found.high], [expected.low, expected.high], rtol=1e-9)


def test_redraws_in_which_one_side_is_constant_are_left_out() -> None:
    """Most redraws hold no row of the only group that differs."""
    rare, b = np.where(np.arange(60) < 2, 1.1, 0.3), np.arange(60.0) % 7
    groups = np.arange(60) // 2

    def one(i: I64) -> float:
        return float(np.corrcoef(rare[i], b[i])[0, 1]) if np.ptp(rare[i]) else float("nan")

    found = bootstrap_correlation(rare, b, groups, rng(), value=one(np.arange(60)))
    same(found, rows_one_by_one(one, groups, 60))
    never = bootstrap_correlation(np.full(60, 0.3), b, groups, rng(), value=float("nan"))
    assert np.isnan([never.value, never.low, never.high]).all()


@pytest.mark.parametrize("groups", GROUPS)
def test_ratios_of_sums(groups: I64 | None) -> None:
    columns = np.stack([A, A**2], 1)

    def ratio(sums: F64) -> F64:
        return sums[..., 0] / sums[..., 1]

    value = float(ratio(columns.sum(0)))
    found = bootstrap_sums(ratio, columns, groups, rng(), value=value)
    same(found, rows_one_by_one(lambda i: float(A[i].sum() / (A[i] ** 2).sum()), groups))
