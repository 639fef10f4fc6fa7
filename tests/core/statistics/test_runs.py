"""Means and ratios over runs, against plain counting."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.runs import clopper_pearson, mean_over, ratio_over


def test_a_ratio_weighs_a_run_by_what_it_has_and_a_mean_does_not():
    parts, wholes = [1, 0, 9], [1, 1, 10]
    assert ratio_over(parts, wholes).value == pytest.approx(10 / 12)
    assert mean_over([p / w for p, w in zip(parts, wholes)]).value == pytest.approx((1 + 0 + 0.9) / 3)


def test_the_interval_of_a_ratio_resamples_whole_runs():
    """Ten runs, of which five hold all and five nothing: each counts once, however many claims it makes."""
    found = ratio_over([100, 0] * 5, [100, 100] * 5)
    assert found.low == pytest.approx(0.2, abs=0.11)
    assert found.high == pytest.approx(0.8, abs=0.11)


def test_nothing_over_nothing_is_undefined():
    assert np.isnan(ratio_over([0, 0], [0, 0]).value)


@pytest.mark.parametrize(("successes", "low", "high"), [(0, 0.0, 0.0183), (10, 0.0242, 0.0900), (200, 0.9817, 1.0)])
def test_exact_binomial_intervals_are_the_published_ones(successes, low, high):
    found = clopper_pearson(successes, 200)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_the_bootstrap_interval_of_a_mean_is_near_the_normal_one():
    values = np.random.default_rng(0).normal(size=400)
    found = mean_over(values)
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.01)
    assert found.high == pytest.approx(values.mean() + half, abs=0.01)
