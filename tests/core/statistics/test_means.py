"""The mean of a part against the rest: exact answers for shares, drawn ones for other values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.statistics.means import PartMeans, _gamma_quantile, chance_below_zero


@pytest.mark.parametrize("shift", [-0.9, -0.3, 0.0, 0.7])
def test_the_chance_is_that_of_drawn_weights(shift: float) -> None:
    rng = np.random.default_rng(0)
    values = [rng.exponential(1.0, 12) - 1 + shift, rng.normal(0, 3, 30) + shift, np.array([2.0, -1.0])]
    part = np.repeat(np.arange(3), [12, 30, 2])
    chances = chance_below_zero(np.concatenate(values), part, 3)
    for chance, one in zip(chances, values):
        drawn = (rng.exponential(1.0, (40_000, len(one))) @ one <= 0).mean()
        assert chance == pytest.approx(drawn, abs=0.025 if len(one) == 2 else 0.01)


@pytest.mark.parametrize(
    ("values", "chance"), [([2.0, -1, -1], 5 / 9), ([1.0, 1, -2], 4 / 9), ([3.0, -1, -1], 7 / 16), ([1.0, -1], 1 / 2)]
)
def test_the_chance_of_a_few_values_is_that_by_hand(values: list[float], chance: float) -> None:
    """Of 2 E1 <= E2 + E3 it is the integral of exp(-x) exp(-2x) (1 + 2x) over x > 0. Three have their mean at 0."""
    found = chance_below_zero(np.array(values), np.zeros(len(values), np.int64), 1)
    assert found[0] == pytest.approx(chance, abs=0.004)


def test_values_on_one_side_of_zero_leave_no_chance() -> None:
    values, part = np.array([1.0, 2.0, -1.0, -2.0, 0.0]), np.array([0, 0, 1, 1, 2])
    assert chance_below_zero(values, part, 3).tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("wrong", [8, 12, 14, 20])
def test_of_two_shares_it_is_fishers_exact_p(wrong: int) -> None:
    values = np.r_[np.ones(wrong), np.zeros(20 - wrong), np.ones(30), np.zeros(70)]
    p = PartMeans.of(values, np.repeat([0, 1], [20, 100]), 2).excess_p()[0]
    exact = stats.fisher_exact([[wrong, 20 - wrong], [30, 70]], alternative="greater").pvalue
    assert p == pytest.approx(exact, rel=0.12)


def test_the_interval_of_a_share_is_clopper_and_pearsons() -> None:
    values = np.r_[np.ones(5), np.zeros(15), np.ones(30), np.zeros(70)]
    for found, (k, n) in zip(
        PartMeans.of(values, np.repeat([0, 1], [20, 100]), 2).estimates(0.95), ((5, 20), (30, 100))
    ):
        exact = stats.beta.ppf([0.025, 0.975], [k, k + 1], [n - k + 1, n - k])
        assert (found.value, found.low, found.high) == pytest.approx((k / n, *exact), abs=2e-3)


def test_copies_in_groups_count_once_and_equal_groups_change_nothing() -> None:
    rng = np.random.default_rng(1)
    values, part = rng.exponential(1.0, 120) + np.repeat([0.4, 0.0, 0.0], 40), np.repeat([0, 1, 2], 40)
    plain = PartMeans.of(values, part, 3).excess_p()
    copied = PartMeans.of(np.repeat(values, 3), np.repeat(part, 3), 3, np.repeat(np.arange(120), 3)).excess_p()
    np.testing.assert_allclose(copied, plain, rtol=1e-6)
    assert (PartMeans.of(np.repeat(values, 3), np.repeat(part, 3), 3).excess_p()[0]) < plain[0] / 2


def test_groups_that_cross_parts_are_taken_out_of_the_rest_of_each() -> None:
    rng = np.random.default_rng(2)
    values, part, groups = rng.exponential(1.0, 300), rng.integers(0, 3, 300), rng.integers(0, 60, 300)
    found = PartMeans.of(values, part, 3, groups)
    mean, deviation, skew = found._others()
    for c in range(3):
        outside = [(values[(groups == g) & (part != c)]) for g in range(60)]
        sums = np.array([v.sum() - len(v) * values.mean() for v in outside if len(v)])
        sizes = np.array([len(v) for v in outside if len(v)], dtype=float)
        unit = np.bincount(groups).max()
        sums, sizes = np.r_[sums, unit * found.greatest], np.r_[sizes, unit]
        left = sums - sums.sum() / sizes.sum() * sizes
        m = len(sums)
        assert mean[c] == pytest.approx(sums.sum() / sizes.sum())
        assert deviation[c] ** 2 == pytest.approx((left**2).sum() / sizes.sum() ** 2 * m / (m + 1))
        third = 2 * (left**3).sum() / sizes.sum() ** 3 * m**2 / ((m + 1) * (m + 2))
        assert skew[c] == pytest.approx(third / deviation[c] ** 3)


@pytest.mark.parametrize(
    "values",
    [
        np.repeat([0.0, 1.0, 2.0], 20),  # no variance inside or outside
        np.zeros(60),
        np.r_[np.zeros(59), 1e9],
        1e8 + np.random.default_rng(3).normal(size=60) * 1e-3,
        -np.random.default_rng(4).pareto(0.7, 60),
    ],
    ids=["constant", "nought", "one huge", "far from zero", "long tail downwards"],
)
@pytest.mark.parametrize("groups", [None, np.arange(60) % 25])
def test_extreme_values_have_a_p_and_an_interval(values: np.ndarray, groups: np.ndarray | None) -> None:
    means = PartMeans.of(values, np.repeat([0, 1, 2], 20), 3, groups)
    p = means.excess_p()
    assert ((p >= 0) & (p <= 1)).all()
    assert np.ptp(values) > 0 or (p >= 0.5).all()
    for part, found in enumerate(means.estimates(0.95)):
        assert found.low <= found.value <= found.high
        assert found.value == pytest.approx(values[part * 20 : part * 20 + 20].mean())


@pytest.mark.parametrize("skew", [-3.0, -0.2, 1e-5, 0.2, 1.0, 8.0, 10.0])
def test_the_quantiles_of_the_rest_are_those_of_pearsons_third_type(skew: float) -> None:
    for normal in (-3.0, -0.5, 0.0, 0.5, 3.0):
        expected = stats.pearson3.ppf(stats.norm.cdf(normal), skew)
        assert _gamma_quantile(normal, np.array([skew]))[0] == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("grouped", [False, True])
def test_other_values_beside_the_rest_of_a_part_have_the_p_of_the_part_itself(grouped: bool) -> None:
    rng = np.random.default_rng(0)
    values, part = rng.gamma(1.0, 1.0, 200), np.arange(200) % 4
    values[part == 1] *= 1.5
    groups = np.arange(200) // 8 if grouped else None
    data = PartMeans.of(values, part, 4, groups)
    own = part == 1
    twice = np.r_[values[own], values[own] + 0.1]
    inner = None if groups is None else np.r_[groups[own], groups[own] + 100]
    found = data.of_others(twice, np.repeat([0, 1], own.sum()), 2, inner).excess_p((data, 1))
    assert found[0] == pytest.approx(data.excess_p()[1], rel=1e-6)
    assert found[1] < found[0]
