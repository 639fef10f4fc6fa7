"""The permuted statistic, and p-values and thresholds from permutations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from core.records import F32, F64, I64
from core.statistics.groups import cluster_variance_terms

ROUNDING = 2e-5
"""A permuted statistic that falls short of the observed one by no more counts as equal: sums of 200,000 rows in single
precision differ by up to 4e-6 with the order of the rows, and a tie missed would make p too small."""
PRIOR_ROWS = 5.0
"""Rows' worth of the scope's variance mixed into each side; see `excess_and_error`. On tuning seeds, with 20 failing
rows in a class of 100, 5 rows found them in 16 of 30 runs at a threshold of 3.2; 40 rows in 14 at 3.7, and they took a
difference of variances for a shift."""


def holm(p: Sequence[float]) -> F64:
    """Holm's step-down adjustment of the p-values `p`, in the order given. Source: Holm 1979, Scand. J. Statist.
    6(2)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values))))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def bonferroni(p: float, n_tests: int) -> float:
    """The p-value adjusted for all `n_tests`: at most 1."""
    return min(1.0, p * n_tests)


def permutation_p(observed: float, null: F32 | F64) -> float:
    """(b + 1) / (B + 1), where b of B null values reach the observed one (Phipson & Smyth 2010: never 0, so exact).

    1 where the observed value is nan; a null value that is nan counts as reaching it.
    """
    return float((np.sum(~(null < observed - ROUNDING)) + 1) / (len(null) + 1))


def permutation_threshold(null: F32, alpha: float) -> float:
    """The smallest statistic whose p is at most alpha; inf where the null is too short for any, nan where it is
    empty."""
    if not len(null):
        return float("nan")
    n_reaching = int(alpha * (len(null) + 1) + 1e-9) - 1  # null values that may reach the statistic
    if n_reaching < 0:
        return float("inf")
    return float(np.sort(null)[-1 - n_reaching]) + 2 * ROUNDING  # just above the tolerance of `permutation_p`


Sums = F32 | F64


def plain_excess(size: F64, scope_size: F64, inside: Sums, inside_squares: Sums, total: Sums, *_: Any) -> Sums:
    """(r, p) mean inside minus mean outside; takes the arguments of `excess_and_error`."""
    return inside / size - (total - inside) / (scope_size - size)


def studentised_excess(*sums: Any, prior: float = PRIOR_ROWS) -> Sums:
    """(r, p) mean inside minus mean outside over its standard error; takes the arguments of `excess_and_error`.

    Studentizing keeps the test's level where the two sides have unequal variances.
    """
    excess, error = excess_and_error(*sums, prior=prior)
    return excess / error


def excess_and_error(
    size: F64,
    scope_size: F64,
    inside: Sums,
    inside_squares: Sums,
    total: Sums,
    total_squares: Sums,
    inside_groups: Iterable[Any] | None = None,
    total_groups: Iterable[Any] | None = None,
    *,
    prior: float = PRIOR_ROWS,
) -> tuple[Sums, Sums]:
    """Mean inside minus mean outside, and its standard error (Welch), for many sets and columns at once.

    Args:
        size, scope_size: (r, 1) rows inside the set and in its scope, set being a part of scope.
        inside, inside_squares: (r, p) sums of the loss and of its square inside.
        total, total_squares: (r, p) or (1, p) the same over the scope.
        inside_groups, total_groups: sums of each of `core.statistics.groups.cluster_variance_terms`, where rows come
            in groups. The variance of a side's mean is then that of the sums of its groups about the side's mean (Liang
            & Zeger 1986, Biometrika 73(1)). It is never less than that of as many single rows, apart from the prior's
            share, which refers to the effective rows of the scope. So the rows of a side may be correlated to any
            degree, and to another degree than those of the other side. Where a side holds part of a group, the part's
            sum is multiplied by the whole group's. A side counts for (its rows)^2 over the sum of the sizes of its
            rows' groups (Kish 1965).
        prior: this many rows' worth of the scope's variance are mixed into each side's variance where that makes it
            larger. Without it a handful of equal losses would have no variance and an infinite t. With too much, or if
            mixed in always, a set of another variance looks like a failure (losses of equal mean and other shape by
            region: 15 of 100 runs claimed with forty rows; docs/decisions/search-inside-the-null.md).

    Returns:
        (r, p) differences and (r, p) errors. Welch 1947, Biometrika 34; the mixed-in variance is ours.
    """
    outside_size = scope_size - size
    outside = total - inside
    outside_squares = total_squares - inside_squares
    outside_groups = None
    if inside_groups is not None and total_groups is not None:
        outside_groups = [of_all - of_set for of_set, of_all in zip(inside_groups, total_groups)]
    squares, count = _effective_squares(size, inside, inside_squares, inside_groups)
    squares_outside, count_outside = _effective_squares(outside_size, outside, outside_squares, outside_groups)
    squares_all, count_all = _effective_squares(scope_size, total, total_squares, total_groups)
    common = prior * np.maximum(squares_all / count_all, 1e-12)
    error = _squared_error(squares, count, common, prior)
    error = error + _squared_error(squares_outside, count_outside, common, prior)
    return inside / size - outside / outside_size, np.sqrt(error)


def _effective_squares(size: F64, total: Sums, squares: Sums, groups: Iterable[Any] | None) -> tuple[Sums, Sums]:
    """The sum of squares about the mean of a side's effective rows, and their number (Kish 1965)."""
    single = np.maximum(squares - total * total / size, 0)
    if groups is None:
        return single, size
    products, crossed, spans = groups
    mean = total / size
    count = np.maximum(size**2 / np.maximum(spans, 1), 1)
    of_sums = products - mean * crossed + mean**2 * spans
    return np.maximum(of_sums, single) * (count / size) ** 2, count


def _squared_error(squares: Sums, count: Sums, common: Sums, prior: float) -> Sums:
    """Squared error of a mean: the side's variance, or that with the prior where it is larger, over its rows."""
    return np.maximum(squares / np.maximum(count - 1, 1), (squares + common) / (count + prior)) / count


def difference_of(inside: F64, outside: F64, groups: tuple[I64, I64] | None = None) -> tuple[float, float]:
    """Mean inside minus mean outside of two samples, and its standard error by `excess_and_error`.

    Args:
        groups: groups of the rows inside, and outside, where rows come in groups.
    """
    values = np.r_[inside, outside].astype(np.float64)
    sums = [inside.sum(), (inside**2).sum(), values.sum(), (values**2).sum()]
    of_groups: list[Any] = []
    if groups is not None:
        terms = cluster_variance_terms(values[None], np.r_[groups])
        of_groups.append([term[:, : len(inside)].sum(1, keepdims=True) for term in terms])
        of_groups.append([term.sum(1, keepdims=True) for term in terms])
    unit = np.ones((1, 1))
    arguments = [float(value) * unit for value in (len(inside), len(values), *sums)]
    excess, error = excess_and_error(*arguments, *of_groups)
    return float(excess[0, 0]), float(error[0, 0])
