"""Small sets of rows that are each other's nearest neighbors, by the embedding alone."""

from __future__ import annotations

import numpy as np

from core.records import F32, F64, I64
from core.row_runs import row_runs

MIN_CLOSED = 0.3
"""Share of the rows in closed sets of three or more. Of independent rows in four dimensions or more fewer are; on a
curve about a third."""
MIN_DIMENSION = 4.0
MIN_CLUMPED = 1.35
"""How many times nearer the nearest neighbors may be than the dimension explains by which wider ones lie: .6 to 1.15
among independent rows."""
MAX_CLOSED_ROWS = 20_000
"""Among more rows only clumping is looked at, which costs less."""
MAX_SET = 30
N_QUERIES = 400
_NEAR = 20
_WIDE = 60
_LOG_NEAR = 3.548
"""Mean of the logarithm of the 20th over that of the first neighbor's distance, times the dimension: 1 + 1/2 + ... +
1/19."""
_LOG_WIDE = 1.115
"""The same for the 60th over the 20th: 1/20 + ... + 1/59."""
_CELLS = 8_000_000


def in_small_sets(vectors: F32, rng: np.random.Generator) -> float:
    """Share of the rows that lie in small sets, or 0 where that could be chance.

    Args:
        vectors: (n, d) rows; those of one set are nearer to each other than to others.
    """
    n = len(vectors)
    if n < 4 * _WIDE:
        return 0.0
    most = N_QUERIES if n <= MAX_CLOSED_ROWS else N_QUERIES // 4  # 100 are enough for medians
    rows = np.sort(rng.permutation(n)[:most])
    nearest, distances = _neighbours(vectors, rows, _WIDE)
    logs = np.log(np.maximum(distances, 1e-12))
    wide = float(np.median(logs[:, _WIDE - 1] - logs[:, _NEAR - 1])) / _LOG_WIDE
    clumped = float(np.median(logs[:, _NEAR - 1] - logs[:, 0])) / _LOG_NEAR / max(wide, 1e-9)
    closed = 0.0
    if n <= MAX_CLOSED_ROWS:
        closed = _share_closed(vectors, rows, nearest[:, : min(MAX_SET, n // 10)])
    if clumped >= MIN_CLUMPED:
        return max(closed, _share_clumped(logs, wide))
    if closed >= MIN_CLOSED and 1 / max(wide, 1e-9) >= MIN_DIMENSION:
        return closed
    return 0.0


def _share_clumped(logs: F64, wide: float) -> float:
    """Share of the rows whose nearest neighbor is nearer than that of 19 in 20 independent rows."""
    # the k-th distance to the power of the dimension is about a gamma variable: the ratio of first to 20th has a
    # beta distribution, whose lower twentieth is 1 - .95 ** (1 / 19)
    limit = np.log(1 - 0.95 ** (1 / (_NEAR - 1))) * wide
    return float((logs[:, 0] - logs[:, _NEAR - 1] < limit).mean())


def _neighbours(vectors: F32, rows: I64, most: int) -> tuple[I64, F64]:
    """(len(rows), most) the nearest other rows, nearest first, and their distances."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    nearest = list[I64]()
    distances = list[F64]()
    for run in row_runs(len(rows), len(vectors), _CELLS):
        part = rows[run]
        squared = squares[part, None] + squares - 2 * vectors[part] @ vectors.T
        squared[np.arange(len(part)), part] = np.inf
        first = np.argpartition(squared, most, axis=1)[:, :most]
        values = np.take_along_axis(squared, first, 1)
        order = np.argsort(values, axis=1, kind="stable")
        nearest.append(np.take_along_axis(first, order, 1))
        distances.append(np.sqrt(np.maximum(np.take_along_axis(values, order, 1), 0)))
    return np.concatenate(nearest), np.concatenate(distances)


def _share_closed(vectors: F32, rows: I64, nearest: I64) -> float:
    """Share of `rows` in a closed set of three or more: the nearest neighbors of each member are the other members."""
    most = nearest.shape[1]
    known = dict(zip(rows.tolist(), nearest))
    open_sizes = {row: set(range(2, most + 1)) for row in rows.tolist()}  # numbers of other members that are possible
    n_closed = 0
    for place in range(most):
        asked = {int(known[row][place]) for row in open_sizes}
        new = np.array(sorted(asked - known.keys()), np.int64)
        if len(new):
            known.update(zip(new.tolist(), _neighbours(vectors, new, most)[0]))
        left = dict[int, set[int]]()
        for row, sizes in open_sizes.items():
            other = int(known[row][place])
            own = known[row].tolist()
            theirs = known[other].tolist()
            agreed = {size for size in sizes if {row, *own[:size]} == {other, *theirs[:size]}}
            if place + 1 in agreed:
                n_closed += 1
            elif agreed:
                left[row] = agreed
        open_sizes = left
        if not open_sizes:
            break
    return n_closed / len(rows)
