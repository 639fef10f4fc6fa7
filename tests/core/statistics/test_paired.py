"""Paired tests against scipy, scikit-learn, full enumeration and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from core.errors import InvalidInput
from core.statistics.intervals import effective_sample_size, paired_limits
from core.statistics.paired import kappa, mcnemar, paired_difference, paired_p, sign_flip_p


@pytest.mark.parametrize(("a", "b"), [(0, 5), (3, 9), (10, 10), (40, 11)])
def test_mcnemar_is_the_mid_p_of_the_binomial_test(a, b):
    at = [math.comb(a + b, i) / 2 ** (a + b) for i in range(a + b + 1)]
    low = min(a, b)
    assert mcnemar(a, b) == pytest.approx(2 * (sum(at[:low]) + 0.5 * at[low]))
    assert mcnemar(a, b) == mcnemar(b, a)
    assert mcnemar(7, 7) == pytest.approx(1)


def test_without_a_disagreement_p_is_one():
    assert mcnemar(0, 0) == 1.0
    same = np.array([True, False, True])
    assert paired_p(same, same) == 1.0
    assert sign_flip_p(np.zeros(5)) == 1.0


def test_the_difference_matches_bonett_and_price_by_hand():
    """n = 50, 9 rows only A gets wrong, 3 only B: pa = 10/52, pb = 4/52."""
    wrong_a = np.array([True] * 9 + [False] * 3 + [True] * 8 + [False] * 30)
    wrong_b = np.array([False] * 9 + [True] * 3 + [True] * 8 + [False] * 30)
    found = paired_difference(wrong_a, wrong_b)
    reach = 1.959964 * np.sqrt((14 / 52 - (6 / 52) ** 2) / 52)
    assert found.value == pytest.approx(6 / 50)
    assert found.low == pytest.approx(6 / 52 - reach, abs=1e-6)
    assert found.high == pytest.approx(6 / 52 + reach, abs=1e-6)


def test_the_interval_has_a_width_where_no_row_disagrees():
    found = paired_difference(np.zeros(30, bool), np.zeros(30, bool))
    assert found.value == 0
    assert found.low < 0 < found.high


def test_sign_flips_match_all_flips():
    difference = np.array([0.5, -0.25, 1.0, 0.75, 0.0, 0.5, -1.0, 0.25])
    sums = [abs(sum(s * d for s, d in zip(signs, difference))) for signs in itertools.product((1, -1), repeat=8)]
    exact = np.mean([s >= abs(difference.sum()) - 1e-9 for s in sums])
    assert sign_flip_p(difference) == pytest.approx(exact, abs=0.02)


def test_the_rows_of_a_group_flip_together():
    """Twenty rows of one group say no more than one row: of four groups that agree the least two-sided p is 2/16."""
    difference, groups = np.ones(80), np.repeat(np.arange(4), 20)
    assert sign_flip_p(difference, groups) == pytest.approx(2 / 16, abs=0.02)
    assert sign_flip_p(difference) == pytest.approx(1 / 10000)


def test_groups_that_agree_in_all_leave_room_for_what_a_few_groups_cannot_show():
    """Of six groups in which no row disagrees, a seventh could disagree as a whole."""
    none, groups = np.zeros(60, bool), np.repeat(np.arange(6), 10)
    found, alone = paired_difference(none, none, groups), paired_difference(none, none)
    assert found.low < -0.2 < alone.low < 0 < alone.high < 0.2 < found.high
    assert found.low >= -1


def test_groups_widen_the_interval_and_groups_of_one_row_change_nothing():
    rng = np.random.default_rng(1)
    by_group = rng.random(20) < 0.4
    wrong_a, wrong_b, groups = np.repeat(by_group, 10), np.zeros(200, bool), np.repeat(np.arange(20), 10)
    alone, together = paired_difference(wrong_a, wrong_b), paired_difference(wrong_a, wrong_b, groups)
    assert together.high - together.low > 1.8 * (alone.high - alone.low)
    wrong_b[:30] = True
    only_a, only_b = (float((x & ~y).mean()) for x, y in ((wrong_a, wrong_b), (wrong_b, wrong_a)))
    difference = wrong_a.astype(float) - wrong_b
    found = paired_difference(wrong_a, wrong_b, groups)
    limits = paired_limits(only_a, only_b, *effective_sample_size(difference, groups, float(difference.var())))
    assert (found.low, found.high) == pytest.approx(limits)
    alone = paired_difference(wrong_a, wrong_b)
    assert paired_difference(wrong_a, wrong_b, np.arange(200)).to_dict() == alone.to_dict()
    assert paired_p(wrong_a, wrong_b, np.arange(200)) == paired_p(wrong_a, wrong_b)


def test_kappa_is_cohens():
    rng = np.random.default_rng(3)
    a = rng.random(100) < 0.4
    b = a ^ (rng.random(100) < 0.2)
    assert kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))
    assert kappa(a, a) == 1
    assert np.isnan(kappa(np.zeros(5, bool), np.zeros(5, bool)))


def test_other_rows_or_none_are_refused():
    with pytest.raises(InvalidInput, match="got 2 and 3"):
        paired_difference(np.zeros(2, bool), np.zeros(3, bool))
    with pytest.raises(InvalidInput, match="at least one"):
        paired_p(np.zeros(0, bool), np.zeros(0, bool))


@pytest.mark.parametrize("scale", [1e-15, 1e-9, 1.0, 1e9])
@pytest.mark.parametrize("groups", [None, np.arange(10) // 2])
def test_the_unit_of_the_differences_changes_no_p(scale, groups):
    difference = np.arange(1.0, 11.0)
    assert sign_flip_p(scale * difference, groups) == sign_flip_p(difference, groups) < 0.2


def test_differences_that_are_no_numbers_are_no_evidence():
    assert sign_flip_p(np.array([1.0, 2.0, np.nan])) == 1.0
