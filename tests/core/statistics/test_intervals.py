"""Intervals and corrections: against scipy, scikit-learn and slow loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.metrics import roc_auc_score

from core.errors import InvalidInput
from core.records import F64, I64
from core.statistics.intervals import accuracy_of, bootstrap, conditional_shrink, searched_difference, wilson
from core.statistics.ranking import auroc


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 10), (7, 20), (20, 20), (311, 1000)])
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


def test_auroc_matches_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        scores, positive = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.3
        assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))
    assert np.isnan(auroc(np.arange(4.0), np.ones(4, bool)))
    assert np.isnan(auroc(np.arange(4.0), np.zeros(4, bool)))


def mean_of(values: F64) -> Callable[[I64], float]:
    return lambda rows: float(values[rows].mean())


def test_the_bootstrap_interval_of_a_mean_is_the_usual_one() -> None:
    values = np.random.default_rng(2).normal(3, 2, 400)
    found = bootstrap(mean_of(values), 400, None, np.random.default_rng(0), repeats=2000)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    np.testing.assert_allclose([found.low, found.high], [values.mean() - half, values.mean() + half], atol=0.03)


def test_clustered_rows_have_a_wider_interval_when_groups_are_resampled() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), 10)
    values = rng.normal(size=40)[groups] + 0.3 * rng.normal(size=400)
    by_row = bootstrap(mean_of(values), 400, None, np.random.default_rng(0))
    by_group = bootstrap(mean_of(values), 400, groups, np.random.default_rng(0))
    assert by_group.value == by_row.value
    # ten rows that say nearly the same are worth one: about sqrt(10) times the width
    assert 2.2 < (by_group.high - by_group.low) / (by_row.high - by_row.low) < 4.2


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
    undefined = bootstrap(mean_of(values), 10, None, np.random.default_rng(0))
    assert np.isnan([undefined.value, undefined.low, undefined.high]).all()


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_interval_of_a_share_holds_with_few_groups(share: float, alike: bool) -> None:
    """Twelve groups of ten rows, independent or all alike: of 300 intervals at most 7 % miss."""
    rng, groups, held = np.random.default_rng(0), np.repeat(np.arange(12), 10), 0
    for _ in range(300):
        right = np.repeat(rng.random(12) < share, 10) if alike else rng.random(120) < share
        found = accuracy_of(~right, groups)
        held += found.low <= share <= found.high
    assert held >= 279


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


def test_conditional_shrinkage_has_less_error_than_the_plain_value_where_few_pass() -> None:
    rng = np.random.default_rng(11)
    for truth in (0.5, 1.0, 2.0):
        z = truth + rng.normal(size=4000)
        z = z[z > 3.0]
        shrunk = np.array([conditional_shrink(float(v), 3.0) for v in z[:300]])
        assert np.sqrt(((shrunk - truth) ** 2).mean()) < np.sqrt(((z[:300] - truth) ** 2).mean())


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


def test_large_groups_that_are_all_right_by_luck_do_not_say_that_the_rest_knows_the_share():
    """Four groups of 50 alike rows beside 200 single ones: as often as all four are right, the share looks sure."""
    sizes = np.r_[np.full(4, 50), np.ones(200, np.int64)]
    groups, held, rng = np.repeat(np.arange(len(sizes)), sizes), 0, np.random.default_rng(0)
    for _ in range(100):
        found = accuracy_of((rng.random(len(sizes)) < 0.3)[groups], groups)
        held += found.low <= 0.7 <= found.high
    assert held >= 90  # 0.74 before


def test_of_many_rows_the_bootstrap_draws_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def mean(rows: I64) -> float:
        drawn.append(len(rows))
        return float(rows.mean())

    monkeypatch.setattr("core.statistics.intervals.REDRAWN", 1000 * 150)
    bootstrap(mean, 1000, None, np.random.default_rng(0))
    assert drawn == [1000] * 151  # and all rows as they are
    drawn.clear()
    bootstrap(mean, 5000, None, np.random.default_rng(0))
    assert len(drawn) == 101


def test_of_no_rows_nothing_is_known() -> None:
    found = bootstrap(lambda rows: float(rows.mean()), 0, None, np.random.default_rng(0))
    assert np.isnan([found.value, found.low, found.high]).all()
