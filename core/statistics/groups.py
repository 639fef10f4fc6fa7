"""Rows that must stay together because they share something, directly or through others."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.records import I64


def joined(n: int, rows: I64, shared: I64) -> I64:
    """(n,) group numbers from 0, in the order of each group's first row.

    Args:
        n: number of rows; a row that shares nothing is a group of its own.
        rows, shared: (m,) pairs: row `rows[k]` has part in the thing numbered `shared[k]`, at least 0.

    Example:
        >>> joined(5, np.array([0, 3, 3, 1]), np.array([7, 7, 9, 9])).tolist()
        [0, 0, 1, 0, 2]
    """
    _, things = np.unique(shared, return_inverse=True)
    size = n + len(things)
    graph = coo_matrix((np.ones(len(rows)), (rows, n + things)), shape=(size, size))
    # scipy numbers components by their lowest node, and the rows come before what they share
    return connected_components(graph, directed=False)[1][:n].astype(np.int64)


def size_of_group(groups: I64) -> I64:
    """(n,) how many rows the group of each row has."""
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return sizes[number]
