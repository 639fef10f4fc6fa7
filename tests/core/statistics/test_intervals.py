"""Intervals and corrections: against scipy, scikit-learn and slow loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from core.errors import InvalidInput
from core.records import F64, I64
from core.statistics.intervals import (
    accuracy_of,
    bootstrap,
    conditional_shrink,
    effective_sample_size,
    effective_sample_size_at,
    likeness_within,
    paired_limits,
    searched_difference,
    simultaneous_level,
    wilson,
    wilson_limits,
)


@pytest.mark.parametrize(("successes", "n"), [(1, 1), (0, 10), (1, 10), (7, 20), (20, 20), (311, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_wilson_interval_is_scipys(successes: int, n: int, level: float) -> None:
    reference = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    found = wilson(successes, n, level)
    np.testing.assert_allclose(
        [found.value, found.low, found.high], [successes / n, reference.low, reference.high], atol=1e-12
    )


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_a_share_of_nothing_or_beyond_all_is_refused(successes: int, n: int) -> None:
    with pytest.raises(InvalidInput, match="0 <= successes <= n"):
        wilson(successes, n)


def mean_of(values: F64) -> Callable[[I64], float]:
    return lambda rows: float(values[rows].mean())


def test_the_bootstrap_interval_of_a_mean_is_the_usual_one() -> None:
    values = np.random.default_rng(2).normal(3, 2, 400)
    found = bootstrap(mean_of(values), 400, None, np.random.default_rng(0), repeats=2000)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    np.testing.assert_allclose([found.low, found.high], [values.mean() - half, values.mean() + half], atol=0.03)


def test_the_bootstrap_draws_whole_groups_whatever_their_numbers() -> None:
    groups = np.array([70, 5, 70, -3, 5, 70])
    seen: list[I64] = []
    bootstrap(lambda rows: seen.append(rows) or 0.0, 6, groups, np.random.default_rng(0), repeats=50)
    for rows in seen:
        times = np.bincount(rows, minlength=6)
        assert times[0] == times[2] == times[5]
        assert times[1] == times[4]
        assert times[0] + times[1] + times[3] == 3


def test_undefined_draws_are_left_out_of_the_bootstrap_interval() -> None:
    values = np.r_[np.nan, np.ones(9)]
    found = bootstrap(lambda rows: float("nan") if (rows == 0).sum() > 1 else 1.0, 10, None, np.random.default_rng(0))
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    for n in (10, 0):
        undefined = bootstrap(mean_of(values), n, None, np.random.default_rng(0))
        assert np.isnan([undefined.value, undefined.low, undefined.high]).all()


@pytest.mark.parametrize(
    ("values", "groups", "worth"),
    [
        # pairs all alike: the jackknife's variance, 3/4 of four squares of 1/6, is 8/3 of 1/32
        ([1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 2, 2, 3, 3], 3.0),
        # each pair holds both: no variance between the four that tell, beside one of pairs all alike, 6/5
        ([0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 2, 2, 3, 3], 8 / (6 / 5)),
        # nothing differs within groups, whose rows have (9 + 9 + 1 + 1) / 8 beside them on average
        ([1, 1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1, 2, 3], 3.2),
        # 1/16 within is 3/4 of 1/12 in all: 1/4 alike, 1 + 1/4 (40/12 - 1) = 19/12; one group tells, beside 40/12
        ([0] * 11 + [1], [0] * 4 + [1] * 4 + [2, 2, 3, 3], 12 / ((19 / 12 + 40 / 12) / 2)),
        # 3/32 is 11/24 of 9/44: 13/24 alike, 163/72; two tell
        ([0] * 7 + [1, 0, 0, 1, 1], [0] * 4 + [1] * 4 + [2, 2, 3, 3], 12 / ((2 * 163 / 72 + 40 / 12) / 3)),
        ([1, 0, 1], [5, 5, 5], 1.0),
    ],
)
def test_rows_in_groups_are_worth_as_many_as_by_hand(values: list[int], groups: list[int], worth: float) -> None:
    x, of = np.array(values, float), np.array(groups)
    rows, quantile = effective_sample_size(x, of, float(x.var()))
    assert rows == pytest.approx(worth)
    kish = np.bincount(of).sum() ** 2 / (np.bincount(of) ** 2).sum()
    assert quantile == pytest.approx(stats.t.ppf(0.975, max(kish - 1, 1)))
    assert effective_sample_size(x, of, 0.0) == pytest.approx((kish, stats.norm.ppf(0.975)))  # no variance is known
    # as many as unseen rows of the same groups are worth whose values are as alike
    unseen, again = effective_sample_size_at(of, likeness_within(x, of))
    assert unseen == pytest.approx(min(max(rows, kish), len(x)))
    assert again == pytest.approx(quantile)


def test_of_groups_that_do_not_tell_values_are_taken_for_all_alike() -> None:
    for values, groups in (([0, 1, 1], [0, 1, 2]), ([1, 1, 1], [0, 0, 1]), ([0, 1], None), ([], None)):
        of = None if groups is None else np.array(groups)
        assert likeness_within(np.array(values, float), of) == 1.0
    assert effective_sample_size_at(np.arange(9), 1.0) == (9.0, 1.96)


def test_a_share_of_rows_in_groups_is_one_of_as_many_trials_as_they_are_worth() -> None:
    wrong = np.array([1, 1, 0, 0, 1, 1, 0, 0, 0, 0], bool)
    found = accuracy_of(wrong, np.arange(10) // 2)
    assert found.value == 0.6
    assert (found.low, found.high) == wilson_limits(0.6, *effective_sample_size(wrong, np.arange(10) // 2, 0.24))
    for groups in (None, np.arange(10)):
        assert accuracy_of(wrong, groups).to_dict() == wilson(6, 10).to_dict()
    assert wilson_limits(0.6, 10) == pytest.approx((wilson(6, 10).low, wilson(6, 10).high), abs=1e-4)


def test_a_paired_difference_ends_where_shares_do_and_holds_its_value() -> None:
    assert paired_limits(1.0, 0.0, 8, 0.0) == pytest.approx((0.8, 1.0))
    assert (paired_limits(1.0, 0.0, 2, 1.96)[1], paired_limits(0.0, 1.0, 2, 1.96)[0]) == (1.0, -1.0)


def test_intervals_that_hold_together_share_what_may_miss() -> None:
    assert [simultaneous_level(n) for n in (0, 1, 5)] == pytest.approx([0.95, 0.95, 0.99])
    assert simultaneous_level(4, 0.8) == pytest.approx(0.95)


def test_one_group_says_nearly_nothing_of_a_share() -> None:
    found = accuracy_of(np.arange(50) % 2 == 0, np.zeros(50, np.int64))
    assert found.low < 0.02
    assert found.high > 0.98


@pytest.mark.parametrize("threshold", [2.0, 3.5])
@pytest.mark.parametrize("beyond", [0.01, 0.3, 0.6, 1.0, 2.5])
def test_conditional_shrinkage_is_the_mean_of_the_likelihood_given_the_threshold(
    threshold: float, beyond: float
) -> None:
    z = threshold + beyond

    def likelihood(mean: float) -> float:
        passed = integrate.quad(lambda x: float(np.exp(-0.5 * (x - mean) ** 2)), threshold, threshold + mean + 15)[0]
        return float(np.exp(-0.5 * (z - mean) ** 2)) / passed

    mass = integrate.quad(likelihood, 0, z + 10)[0]
    expected = integrate.quad(lambda m: m * likelihood(m), 0, z + 10)[0] / mass
    assert conditional_shrink(z, threshold) == pytest.approx(min(expected, z), rel=0.01)


def test_conditional_shrinkage_grows_with_z_and_fades_far_beyond_the_threshold() -> None:
    z = np.linspace(2.5, 12, 60)
    shrunk = np.array([conditional_shrink(float(v), 3.0) for v in z])
    assert (np.diff(shrunk) >= -1e-4).all()
    assert ((shrunk >= 0) & (shrunk <= z)).all()
    assert shrunk[-1] == pytest.approx(12, abs=0.01)
    assert (shrunk[z <= 3.0] == 0).all()
    assert (shrunk[z > 3.0] > 0.5).all()  # a finding that passed is not shown as no effect at all


def test_a_searched_difference_holds_its_value_and_the_plain_difference() -> None:
    rng = np.random.default_rng(9)
    for _ in range(200):
        inside = rng.gamma(1.0, 1.0, rng.integers(2, 40)) + rng.uniform(0, 2)
        outside = rng.gamma(1.0, 1.0, rng.integers(2, 200))
        statistic = rng.uniform(2.0, 9.0)
        found = searched_difference(inside, outside, rng.uniform(1.9, 5.0), statistic)
        assert found.low <= found.value <= found.high
        assert found.low <= inside.mean() - outside.mean() <= found.high


def test_a_finding_that_barely_passed_is_shrunk_and_a_clear_one_is_not() -> None:
    rng = np.random.default_rng(10)
    outside = rng.normal(0, 1, 500)
    weak, clear = rng.normal(0, 1, 50), rng.normal(2, 1, 50)
    error = np.sqrt(weak.var(ddof=1) / 50 + outside.var(ddof=1) / 500)
    weak += outside.mean() - weak.mean() + 3.1 * error  # just above the threshold by itself
    plain = searched_difference(weak, outside, 3.0)
    assert plain.value == pytest.approx(weak.mean() - outside.mean())
    assert searched_difference(weak, outside, 3.0, 3.3).value < 0.8 * plain.value
    assert searched_difference(weak, outside, 3.0, 12.0).value == pytest.approx(plain.value, rel=0.01)
    # tested on little that was left, but plain to see by itself
    assert searched_difference(clear, outside, 3.0, 3.3).value == pytest.approx(clear.mean() - outside.mean(), rel=0.01)


def test_without_a_threshold_a_difference_has_no_interval() -> None:
    found = searched_difference(np.array([1.0, 2.0]), np.array([0.0, 1.0, 2.0]), float("nan"))
    assert found.value == pytest.approx(0.5)
    assert np.isnan([found.low, found.high]).all()
    assert searched_difference(np.array([1.0, 2.0]), np.array([1.0, 2.0]), 3.0, 0.0).value == 0.0


def test_of_many_rows_the_bootstrap_draws_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def mean(rows: I64) -> float:
        drawn.append(len(rows))
        return float(rows.mean())

    monkeypatch.setattr("core.statistics.intervals.MAX_REDRAWN_ROWS", 1000 * 150)
    bootstrap(mean, 1000, None, np.random.default_rng(0))
    assert drawn == [1000] * 151  # and all rows as they are
    drawn.clear()
    bootstrap(mean, 5000, None, np.random.default_rng(0))
    assert len(drawn) == 101
