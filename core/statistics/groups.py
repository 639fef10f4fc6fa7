"""Rows that must stay together because they share something, directly or through others."""

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
        n: number of rows; a row that shares nothing is a group of its own.
        rows, shared: (m,) pairs: row `rows[k]` has part in the thing numbered `shared[k]`, at least 0.

    Example:
        >>> joined(5, np.array([0, 3, 3, 1]), np.array([7, 7, 9, 9])).tolist()
        [0, 0, 1, 0, 2]
    """
    from scipy.sparse import coo_matrix  # not needed by those who only look at a run
    from scipy.sparse.csgraph import connected_components

    _, things = np.unique(shared, return_inverse=True)
    size = n + len(things)
    graph = coo_matrix((np.ones(len(rows)), (rows, n + things)), shape=(size, size))
    # scipy numbers components by their lowest node, and the rows come before what they share
    return connected_components(graph, directed=False)[1][:n].astype(np.int64)


def class_numbers(classes: Any, n: int, least: int = 0, end: int | None = None) -> I64:
    """(n,) the numbers of classes that a caller gave.

    Raises:
        InvalidInput: they are not one whole number for each row, below `least`, or not below `end`.
    """
    found = np.asarray(classes)
    if found.shape != (n,) or found.dtype.kind not in "biu":
        raise InvalidInput(
            f"classes must be whole numbers, one for each of the {n:,} rows: got {found.dtype} and {found.shape}."
        )
    if n and (found.min() < least or (end is not None and found.max() >= end)):
        last = "" if end is None else f" to {end - 1}"
        raise InvalidInput(f"classes are numbered from {least}{last}: got {found.min()} to {found.max()}.")
    return found.astype(np.int64)


def group_numbers(groups: Any, n: int) -> I64:
    """(n,) the groups that a caller gave, numbered from 0; each row is its own where there are none.

    Raises:
        InvalidInput: they are not one for each row.
    """
    found = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    if found.shape != (n,):
        raise InvalidInput(f"groups must be one for each of the {n:,} rows: got the shape {found.shape}.")
    return found


def size_of_group(groups: I64) -> I64:
    """(n,) how many rows the group of each row has."""
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return sizes[number]


def cluster_variance_terms(scores: F32 | F64, groups: I64) -> GroupTerms:
    """What the variance of a set's mean is made of where rows come in groups (`core.statistics.permutation`).

    Args:
        scores: (p, n), groups along the last axis.

    Returns:
        Of each row: (p, n) its score times the sum S of its group; (p, n) its score times the size of its group, plus
        S; and (1, n) that size. They add up over any set of rows: for the set's mean m the sum over it of (score - m)
        (S - size m) is the first less m times the second plus m^2 times the third.
    """
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    sums = np.add.reduceat(scores[:, order], np.cumsum(sizes) - sizes, axis=1)[:, number]
    spans = sizes[number].astype(scores.dtype)[None]
    return scores * sums, scores * spans + sums, spans


def term_sums(sets: F32 | F64, scores: F32 | F64, groups: I64) -> tuple[list[Any], list[Any]]:
    """The sums of the terms, over each of the (k, n) indicated sets and over all rows, as
    `core.statistics.permutation.excess_and_error` takes them.

    Args:
        scores: (n, p).
    """
    terms = [term.T for term in cluster_variance_terms(scores.T, groups)]
    return [sets @ term for term in terms], [term.sum(0)[None] for term in terms]


def join_classes(labels: I64, joining: Bool, groups: I64 | None) -> I64 | None:
    """(n,) the groups with the rows of each class for which the (k,) `joining` holds in one; None where that would
    leave fewer than half of the groups (or of the classes and single rows) because many share such classes."""
    n = len(labels)
    rows = np.flatnonzero(joining[labels])
    classes = joined(n, rows, labels[rows])
    if groups is None:
        return classes
    number = np.unique(groups, return_inverse=True)[1]
    both = joined(n, np.r_[np.arange(n), rows], np.r_[number, number.max() + 1 + labels[rows]])
    return both if 2 * len(np.unique(both)) >= min(number.max(), classes.max()) + 1 else None


def assign_folds(n: int, blocks: I64, groups: I64 | None, n_folds: int, rng: np.random.Generator) -> I64:
    """(n,) fold of each row: groups are never split, and classes are spread evenly where groups allow it.

    Raises:
        InvalidInput: there are fewer groups than folds.
    """
    labels = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = int(labels.max()) + 1
    if n_groups < n_folds:
        raise InvalidInput(
            f"Cross-fitting needs at least {n_folds} groups: got {n_groups}. "
            "Leave the group column out, or bring more groups."
        )
    first = np.unique(labels, return_index=True)[1]
    order = np.lexsort((rng.random(n_groups), blocks[first]))  # groups by class, shuffled inside each
    fold_of_group = np.empty(n_groups, dtype=np.int64)
    fold_of_group[order] = np.arange(n_groups) % n_folds
    return fold_of_group[labels]


def some_groups(groups: I64, most: int, rng: np.random.Generator) -> I64:
    """Ascending numbers of about `most` rows: those of groups drawn without replacement, never part of one."""
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    kept = order[: max(2, int(np.searchsorted(np.cumsum(sizes[order]), most)))]
    inside = np.zeros(len(sizes), bool)
    inside[kept] = True
    return np.flatnonzero(inside[groups])


def group_bootstrap(groups: I64, n_members: int, rng: np.random.Generator) -> F64:
    """(members, n) how often each row is drawn when whole groups are drawn with replacement."""
    n_groups = int(groups.max()) + 1
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_members)
    return drawn[:, groups].astype(np.float64)
