"""Groups of rows that must stay together, and the variance, folds and bootstraps that respect them."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool

GroupTerms = tuple[Any, Any, Any]
"""Arrays of the scores' own type."""


def joined(n: int, rows: I64, shared: I64) -> I64:
    """(n,) group numbers from 0, in the order of each group's first row.

    Args:
        n: number of rows; a row that shares nothing is its own group.
        rows, shared: (m,) pairs: row `rows[k]` belongs to set `shared[k]`, at least 0.

    Example:
        >>> joined(5, np.array([0, 3, 3, 1]), np.array([7, 7, 9, 9])).tolist()
        [0, 0, 1, 0, 2]
    """
    from scipy.sparse import coo_matrix  # a saved run opens without it
    from scipy.sparse.csgraph import connected_components

    _, sets = np.unique(shared, return_inverse=True)
    size = n + len(sets)
    graph = coo_matrix((np.ones(len(rows)), (rows, n + sets)), shape=(size, size))
    # scipy numbers components by their lowest node, and the rows come before what they share
    return connected_components(graph, directed=False)[1][:n].astype(np.int64)


def class_numbers(classes: Any, n: int, least: int = 0, end: int | None = None) -> I64:
    """(n,) the caller's class numbers, checked.

    Raises:
        InvalidInput: they are not one whole number per row, below `least`, or not below `end`.
    """
    numbers = np.asarray(classes)
    if numbers.shape != (n,) or numbers.dtype.kind not in "biu":
        raise InvalidInput(
            f"classes must be one whole number for each of the {n:,} rows: got {numbers.dtype} and {numbers.shape}."
        )
    if n and (numbers.min() < least or (end is not None and numbers.max() >= end)):
        last = "" if end is None else f" to {end - 1}"
        raise InvalidInput(f"classes must be numbered from {least}{last}: got {numbers.min()} to {numbers.max()}.")
    return numbers.astype(np.int64)


def group_numbers(groups: Any, n: int) -> I64:
    """(n,) the caller's groups, numbered from 0; each row is its own group without them.

    Raises:
        InvalidInput: they are not one per row.
    """
    if groups is None:
        return np.arange(n)
    numbers = np.unique(groups, return_inverse=True)[1]
    if numbers.shape != (n,):
        raise InvalidInput(f"groups must be one for each of the {n:,} rows: got the shape {numbers.shape}.")
    return numbers


def size_of_group(groups: I64) -> I64:
    """(n,) size of each row's group."""
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return sizes[number]


def cluster_variance_terms(scores: F32 | F64, groups: I64) -> GroupTerms:
    """Terms whose sums give the variance of a set's mean where rows come in groups (`core.statistics.permutation`).

    Args:
        scores: (p, n), groups along the last axis.

    Returns:
        For each row: (p, n) its score times the sum S of its group; (p, n) its score times the size of its group, plus
        S; and (1, n) that size. They add up over any set of rows: for the set's mean m the sum over it of (score - m)
        (S - size m) is the first minus m times the second plus m^2 times the third. So the sum over groups of squared
        group totals about the mean (Liang & Zeger 1986) needs no pass over groups for each of many sets.
    """
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    sums = np.add.reduceat(scores[:, order], np.cumsum(sizes) - sizes, axis=1)[:, number]
    spans = sizes[number].astype(scores.dtype)[None]
    return scores * sums, scores * spans + sums, spans


def term_sums(sets: F32 | F64, scores: F32 | F64, groups: I64) -> tuple[list[Any], list[Any]]:
    """Sums of the terms over each of the (k, n) indicated sets and over all rows, for
    `core.statistics.permutation.excess_and_error`.

    Args:
        scores: (n, p).
    """
    terms = [term.T for term in cluster_variance_terms(scores.T, groups)]
    return [sets @ term for term in terms], [term.sum(0)[None] for term in terms]


def join_classes(labels: I64, joining: Bool, groups: I64 | None) -> I64 | None:
    """(n,) groups in which the rows of each class marked in (k,) `joining` are one group.

    None where that would leave fewer than half of the groups (or of the classes and single rows): where many groups
    share those classes, joining chains them together and leaves too few units to permute. Half is a convention.
    """
    n = len(labels)
    rows = np.flatnonzero(joining[labels])
    classes = joined(n, rows, labels[rows])
    if groups is None:
        return classes
    number = np.unique(groups, return_inverse=True)[1]
    both = joined(n, np.r_[np.arange(n), rows], np.r_[number, number.max() + 1 + labels[rows]])
    if 2 * len(np.unique(both)) < min(number.max(), classes.max()) + 1:
        return None
    return both


def assign_folds(n: int, blocks: I64, groups: I64 | None, n_folds: int, rng: np.random.Generator) -> I64:
    """(n,) fold of each row: groups are never split, and classes are spread evenly where groups allow it.

    Raises:
        InvalidInput: there are fewer groups than folds.
    """
    labels = group_numbers(groups, n)
    n_groups = int(labels.max()) + 1
    if n_groups < n_folds:
        raise InvalidInput(
            f"Cross-fitting needs at least {n_folds} groups: got {n_groups}. "
            "Leave the group column out, or add more groups."
        )
    first = np.unique(labels, return_index=True)[1]
    order = np.lexsort((rng.random(n_groups), blocks[first]))  # groups by class, shuffled inside each
    fold_of_group = np.empty(n_groups, dtype=np.int64)
    fold_of_group[order] = np.arange(n_groups) % n_folds
    return fold_of_group[labels]


def groups_at(groups: I64 | None, rows: I64 | Bool) -> I64 | None:
    """Group numbers of these rows; None if the samples have no groups."""
    if groups is None:
        return None
    return groups[rows]


def some_groups(groups: I64, most: int, rng: np.random.Generator) -> I64:
    """Ascending numbers of about `most` rows: whole groups, drawn without replacement."""
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    drawn = order[: max(2, int(np.searchsorted(np.cumsum(sizes[order]), most)))]
    inside = np.zeros(len(sizes), bool)
    inside[drawn] = True
    return np.flatnonzero(inside[groups])


def group_bootstrap(groups: I64, n_members: int, rng: np.random.Generator) -> F64:
    """(members, n) how often each row is drawn when whole groups are drawn with replacement."""
    n_groups = int(groups.max()) + 1
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_members)
    return drawn[:, groups].astype(np.float64)
