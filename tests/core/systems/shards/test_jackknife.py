"""Means from sums in buckets: beside the formulas on the values themselves, and how often their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.records import F64, I64
from core.systems.shards.jackknife import MIN_BUCKETS, bucket_excess_p, bucket_mean


def in_buckets(values: F64, bucket: I64, b: int) -> tuple[I64, F64]:
    return np.bincount(bucket, minlength=b), np.bincount(bucket, values, b).astype(np.float64)


def test_a_row_a_bucket_gives_students_interval_and_empty_buckets_change_nothing() -> None:
    values = np.random.default_rng(0).exponential(1, 50)
    found = bucket_mean(*in_buckets(values, np.arange(50) * 2, 200))
    low, high = stats.t.interval(0.95, 49, values.mean(), stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))


def test_few_buckets_have_no_interval_and_no_p() -> None:
    sizes, sums = in_buckets(np.ones(40), np.arange(40) % (MIN_BUCKETS - 1), 64)
    found = bucket_mean(sizes, sums)
    assert found.value == 1
    assert np.isnan([found.low, found.high]).all()
    assert bucket_excess_p((sizes, sums), in_buckets(np.zeros(64), np.arange(64), 64)) == 1
    assert bucket_excess_p(in_buckets(np.ones(64), np.arange(64), 64), (sizes, sums * 0)) == 1


def test_losses_that_are_all_alike_give_no_p() -> None:
    same = in_buckets(np.ones(64), np.arange(64), 64)
    assert bucket_excess_p(same, same) == 1


def test_of_many_independent_rows_the_p_is_welchs() -> None:
    rng = np.random.default_rng(1)
    own, rest = rng.normal(0.11, 1, 2000), rng.normal(0, 2, 30_000)
    found = bucket_excess_p(
        in_buckets(own, rng.integers(0, 1024, 2000), 1024), in_buckets(rest, rng.integers(0, 1024, 30_000), 1024)
    )
    welch = stats.ttest_ind(own, rest, equal_var=False, alternative="greater").pvalue
    assert stats.norm.isf(found) == pytest.approx(stats.norm.isf(welch), abs=0.15)


@pytest.mark.parametrize("grouped", [False, True], ids=["rows alone", "groups of five that fail together"])
def test_intervals_hold_the_mean_and_p_is_small_by_luck_as_often_as_they_say(grouped: bool) -> None:
    rng, held, lucky, runs = np.random.default_rng(2), 0, 0, 400
    for _ in range(runs):
        groups = np.repeat(np.arange(600), 5) if grouped else np.arange(3000)
        values = rng.exponential(1, 3000) + (rng.normal(0, 1, 600)[groups] if grouped else 0)
        bucket = rng.integers(0, 256, groups.max() + 1)[groups]
        part = (rng.random(groups.max() + 1) < 0.1)[groups]
        own, rest = (in_buckets(values[rows], bucket[rows], 256) for rows in (part, ~part))
        found = bucket_mean(*own)
        held += found.low <= 1 <= found.high
        lucky += bucket_excess_p(own, rest) <= 0.05
    least, most = stats.binom.ppf([0.001, 0.999], runs, 0.05)
    assert least <= runs - held <= most + 4  # exponential losses: a little less than was said
    assert lucky <= most
