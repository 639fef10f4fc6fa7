"""The statistic that is permuted, and the p values that come of permutations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.records import F64
from core.statistics.permutation import (
    difference_of,
    holm,
    permutation_p,
    permutation_threshold,
    plain_excess,
    studentised_excess,
)


def slow_holm(p: list[float]) -> list[float]:
    """From the definition: the j-th smallest of m is multiplied by m - j + 1, and none may be below a smaller one's."""
    out = [0.0] * len(p)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        running = max(running, min(1.0, (len(p) - rank) * p[index]))
        out[index] = running
    return out


def test_holm_matches_the_slow_loop_and_a_known_answer() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    rng = np.random.default_rng(0)
    for size in (0, 1, 2, 7, 40):
        p = (rng.random(size) ** 3).tolist()
        np.testing.assert_allclose(holm(p), slow_holm(p))


def test_a_permutation_p_counts_itself() -> None:
    assert permutation_p(5.0, np.arange(9.0)) == pytest.approx(0.5)
    assert permutation_p(100.0, np.arange(9.0)) == pytest.approx(0.1)


def test_the_threshold_is_the_least_statistic_whose_p_is_at_most_alpha() -> None:
    for n_permutations in (19, 24, 98, 99, 100, 199, 250):
        null = np.random.default_rng(n_permutations).normal(3, 1, n_permutations).astype(np.float32)
        for alpha in (0.04, 0.05, 0.1):
            threshold = permutation_threshold(null, alpha)
            if alpha * (n_permutations + 1) >= 1:
                assert permutation_p(threshold, null) <= alpha < permutation_p(threshold - 3e-5, null)
            else:
                assert threshold == np.inf


def slow_excess(inside: F64, scope: F64, prior: float) -> tuple[float, float]:
    """Plain and studentized excess of one set of values, `inside` being a part of `scope` and `scope[len(inside):]` the
    rest."""
    outside = scope[len(inside) :]
    common = scope.var()
    spread = [max(v.var(ddof=1), (len(v) * v.var() + prior * common) / (len(v) + prior)) for v in (inside, outside)]
    difference = inside.mean() - outside.mean()
    return difference, difference / np.sqrt(spread[0] / len(inside) + spread[1] / len(outside))


def test_studentised_excess_matches_the_slow_loop_for_many_sets_and_columns() -> None:
    rng = np.random.default_rng(7)
    scores, masks = rng.gamma(1.0, 2.0, (120, 5)), rng.random((30, 120)) < rng.uniform(0.1, 0.8, (30, 1))
    sizes = masks.sum(1)[:, None].astype(float)
    arguments: Any = (
        sizes,
        np.full((1, 1), 120.0),
        masks @ scores,
        masks @ scores**2,
        scores.sum(0)[None],
        (scores**2).sum(0)[None],
    )
    fast, plain = studentised_excess(*arguments, prior=40.0), plain_excess(*arguments)
    for row, mask in enumerate(masks):
        for column in range(5):
            values = scores[:, column]
            expected = slow_excess(values[mask], np.r_[values[mask], values[~mask]], 40.0)
            np.testing.assert_allclose([plain[row, column], fast[row, column]], expected, rtol=1e-9)
        values, rest = scores[mask, 0], scores[~mask, 0]
        difference, error = difference_of(values, rest)  # five rows of the scope, where nothing is said
        assert difference / error == pytest.approx(slow_excess(values, np.r_[values, rest], 5.0)[1])


def test_without_a_prior_the_statistic_is_welchs() -> None:
    rng = np.random.default_rng(8)
    inside, outside = rng.normal(1, 2, 30), rng.normal(0, 1, 80)
    values = np.r_[inside, outside]
    one = np.ones((1, 1))
    sums: Any = [v * one for v in (inside.sum(), (inside**2).sum(), values.sum(), (values**2).sum())]
    found = studentised_excess(30.0 * one, 110.0 * one, *sums, prior=0.0)
    reference: Any = stats.ttest_ind(inside, outside, equal_var=False)
    assert float(found[0, 0]) == pytest.approx(reference.statistic)


def test_groups_of_one_row_change_nothing_and_copies_count_once() -> None:
    rng = np.random.default_rng(10)
    inside, outside = rng.normal(1, 1, 40), rng.normal(0, 1, 60)
    alone, rest = difference_of(inside, outside), 100 + np.arange(60)
    assert difference_of(inside, outside, (np.arange(40), rest)) == pytest.approx(alone)
    # the same four rows ten times are four rows
    once, ten_times = difference_of(inside[:4], outside), np.tile(inside[:4], 10)
    again = difference_of(ten_times, outside, (np.tile(np.arange(4), 10), rest))
    assert again[0] == pytest.approx(once[0])
    # but for the scope, of which five rows are mixed in: its 36 further rows are of the four groups
    assert again[1] == pytest.approx(once[1], rel=0.25)
    assert again[1] > 2 * difference_of(ten_times, outside)[1]
    # all of one group: a single row, judged by the spread of the scope
    error = difference_of(np.full(40, 2.0), outside, (np.zeros(40, int), rest))[1]
    assert error > 0.8 * np.r_[np.full(40, 2.0), outside].std()


@pytest.mark.parametrize(("inner", "outer"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0), (0.3, 0.0)])
def test_the_error_is_right_however_alike_the_rows_of_a_group_are_on_each_side(inner: float, outer: float) -> None:
    """60 groups of 8 rows against 180: the difference over its error has a deviation of 1."""
    rng = np.random.default_rng(11)
    groups = np.repeat(np.arange(240), 8)

    def drawn(share: float, own: Any) -> Any:
        of_group = rng.normal(size=240)[groups[own]]
        return np.sqrt(share) * of_group + np.sqrt(1 - share) * rng.normal(size=own.sum())

    first = groups < 60
    ratios = []
    for _ in range(400):
        difference, error = difference_of(drawn(inner, first), drawn(outer, ~first), (groups[first], groups[~first]))
        ratios.append(difference / error)
    assert np.std(ratios) == pytest.approx(1, abs=0.12)


def test_a_part_of_each_group_is_never_judged_by_less_than_single_rows() -> None:
    """Each of 50 groups has half of its rows inside; what rows of a group have in common is not taken for certainty."""
    rng = np.random.default_rng(12)
    groups = np.repeat(np.arange(50), 8)
    inside = np.tile([True, False], 200)
    for _ in range(50):
        values = rng.normal(size=50)[groups] * rng.choice([-1, 1], 400) + rng.normal(size=400)
        error = difference_of(values[inside], values[~inside], (groups[inside], groups[~inside]))[1]
        assert error >= 0.95 * difference_of(values[inside], values[~inside])[1]


def test_a_statistic_that_is_no_number_is_no_evidence() -> None:
    null = np.arange(99.0)
    assert permutation_p(float("nan"), null) == 1.0
    assert permutation_p(1000.0, np.full(99, np.nan)) == 1.0
    assert permutation_p(1000.0, null) == 0.01
