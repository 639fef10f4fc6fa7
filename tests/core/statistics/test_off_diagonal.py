"""Confusions against quasi-independence: plain reference computations, and nulls with a favorite answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from core.statistics.off_diagonal import excess_p, quasi_independence


def drawn(seed: int, k: int, mean: float = 12.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    table = rng.poisson(mean * np.outer(rng.lognormal(0, 0.7, k), rng.lognormal(0, 0.7, k)))
    np.fill_diagonal(table, rng.integers(0, 500, k))  # which nothing may depend on
    return table


def off_diagonal(k: int) -> np.ndarray:
    return ~np.eye(k, dtype=bool)


def fitted(table: np.ndarray) -> np.ndarray:
    """The fit, by scaling a whole table to the totals."""
    counts = np.where(off_diagonal(len(table)), table, 0).astype(float)
    fit = off_diagonal(len(table)).astype(float)
    for _ in range(3000):
        fit *= (counts.sum(1) / fit.sum(1))[:, None]
        fit *= counts.sum(0) / fit.sum(0)
    return fit


@pytest.mark.parametrize("k", [3, 4, 9])
def test_the_fit_has_the_totals_of_the_table_and_an_empty_diagonal(k: int) -> None:
    table = np.where(off_diagonal(k), drawn(k, k), 0)
    a, b = quasi_independence(table.sum(1).astype(float), table.sum(0).astype(float))
    fit = np.where(off_diagonal(k), np.outer(a, b), 0)
    np.testing.assert_allclose(fit.sum(0), table.sum(0), rtol=1e-6)
    np.testing.assert_allclose(fit.sum(1), table.sum(1), rtol=1e-6)
    np.testing.assert_allclose(fit, fitted(table), rtol=1e-5)


@pytest.mark.parametrize("k", [4, 9])
def test_a_p_is_that_of_fishers_noncentral_distribution_with_the_odds_of_the_fit(k: int) -> None:
    table = drawn(10 + k, k)
    cells = np.argwhere(off_diagonal(k))
    fit = fitted(table)
    counts = np.where(off_diagonal(k), table, 0)
    total, rows, columns = counts.sum(), counts.sum(1), counts.sum(0)
    expected = []
    for i, j in cells.tolist():
        others = total - rows[i] - columns[j] + fit[i, j]
        odds = fit[i, j] * others / ((rows[i] - fit[i, j]) * (columns[j] - fit[i, j]))
        expected.append(stats.nchypergeom_fisher.sf(counts[i, j] - 1, total, rows[i], columns[j], odds))
    np.testing.assert_allclose(excess_p(table, cells), expected, rtol=1e-4, atol=1e-7)


def test_with_three_classes_no_small_p_is_below_that_of_every_table_with_the_same_totals() -> None:
    cycle = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    n_compared = 0
    for seed in range(20):
        table = np.where(off_diagonal(3), drawn(seed, 3), 0)
        tables = [table + shift * cycle for shift in range(-400, 401)]
        chances = np.array([-gammaln(t + 1).sum() if (t >= 0).all() else -np.inf for t in tables])
        chances = np.exp(chances - chances.max())
        for shift in range(min(table[cycle == -1]) + 1):
            exact = chances[400 + shift :].sum() / chances.sum()  # a greater count of 0 → 1 is a greater shift
            if exact < 0.1:
                assert excess_p(table + shift * cycle, np.array([[0, 1]]))[0] >= exact
                n_compared += 1
    assert n_compared > 40


def test_a_cell_that_the_totals_decide_and_a_table_without_errors_have_p_of_one() -> None:
    assert excess_p(np.array([[50, 30], [40, 5]]), np.array([[0, 1], [1, 0]])).tolist() == [1, 1]
    only_one = np.array([[0, 9, 11, 12], [14, 0, 0, 0], [20, 0, 0, 0], [30, 0, 0, 0]])
    assert excess_p(only_one, np.argwhere(only_one > 0)).min() > 0.99
    assert excess_p(np.diag([4, 5, 6]), np.array([[0, 1]])).tolist() == [1]


@pytest.mark.parametrize("k", [4, 10])
def test_an_answer_that_all_classes_favor_leaves_the_p_of_pairs_at_their_level(k: int) -> None:
    """Of classes that draw wrong answers from one list, 20 times as often the first class."""
    low = 0
    n = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        answers = np.r_[20.0, np.ones(k - 1)]
        table = np.zeros((k, k), np.int64)
        for true in range(k):
            share = np.where(np.arange(k) == true, 0, answers)
            table[true] = rng.multinomial(200, share / share.sum())
        p = excess_p(table, np.c_[np.zeros(k - 1, int), np.arange(1, k)])  # where the errors of the first class go
        low += int((p * (k - 1) <= 0.05).any())
        n += 1
    assert low <= stats.binom.ppf(0.999, n, 0.05)


def test_a_planted_pair_is_found_beside_a_favorite_answer() -> None:
    table = np.array([[0, 50, 48, 52], [90, 0, 5, 5], [85, 5, 0, 10], [60, 30, 10, 0]])
    cells = np.argwhere(off_diagonal(4))
    p = excess_p(table, cells)
    assert cells[p.argmin()].tolist() == [3, 1]
    assert p.min() < 0.001
