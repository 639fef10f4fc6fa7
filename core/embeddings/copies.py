"""Find near-duplicates among rows of embeddings: equal rows, or equal up to a little noise.

Two rows are near-duplicates if their distance is below a bound that follows the data: at most half the distance within
which either has 20 neighbors, and less if a neighbor that close could be chance. The number of neighbors within a
distance r grows as r to the power m, the intrinsic dimension; the bound is where less than one row in a thousand has a
neighbor by chance. So it is half that distance from about m = 15 on, a tenth at m = 4, a hundredth at m = 2. Vectors
with few values (yes and no, grades) have no near-duplicates, since equality is natural among them.
docs/decisions/copies.md has the reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from core.records import F32, F64, I64, Progress, Reporter, no_progress
from core.statistics.groups import joined

MAX_NEAR_SHARE = 0.5
"""Maximum distance of a near-duplicate, as a share of the distance to the last neighbor."""
MAX_NEIGHBOURS = 20
"""Neighbors per row; a twentieth of the rows if those are few."""
CHANCE_SHARE = 1e-3
"""Share of the rows that can have a neighbor within the bound by chance."""
MIN_MEDIAN_SHARE = 0.1
"""Minimum of a neighbor distance as a share of the median one: the neighbors of a row with many copies are its copies,
so its distance would be too small."""
MIN_ROWS = 60
REFERENCE_ROWS = 4096
"""Rows among which neighbors are counted."""
SKETCH_DIMENSIONS = 64
"""Dimensions of the random projection for the search of pairs, if the vectors have more than twice as many."""
SKETCH_SLACK = 1.4
"""Factor by which a distance in the projection can exceed the true one."""
MAX_CANDIDATES = 32
"""Candidates examined per row: a row with more belongs to a large set, which is connected anyway."""
MAX_COARSE_VALUES = 32
"""Vectors are coarse if at least half of their columns have at most this many values, and fewer than half as many
values as there are distinct rows."""
_BLOCK_ROWS = 256
_TILE_ROWS = 1024
"""Rows, and rows compared with them, at a time: their products stay in the processor's cache."""


def find_copies(
    vectors: F32, distinct: tuple[I64, I64] | None = None, *, progress: Progress = no_progress
) -> tuple[I64, I64]:
    """Return (n,) group numbers shared by exact copies among (n, d) rows, and (n,) shared also by near-duplicates.

    Args:
        distinct: the result of `distinct_rows`, if available.
        progress: called as ("compare rows", done, total).
    """
    first, exact = distinct or distinct_rows(vectors)
    pairs = near_pairs(vectors[first], progress=progress)
    itself = np.arange(len(first))
    return exact, joined(len(first), np.r_[itself, pairs[:, 0]], np.r_[itself, pairs[:, 1]])[exact]


def distinct_rows(vectors: F32) -> tuple[I64, I64]:
    """Return (u,) the first row of each distinct vector, and (n,) the index of each row's vector. The order is that of
    a digest, so it does not depend on the order of the rows."""
    digests = [hashlib.blake2b((row + 0.0).tobytes(), digest_size=16).digest() for row in vectors]  # + 0.0: -0 is 0
    _, first, of_row = np.unique(np.array(digests, "S16"), return_index=True, return_inverse=True)
    return first.astype(np.int64), of_row.astype(np.int64)


def is_coarse(distinct: F32) -> bool:
    """Whether (u, d) distinct vectors have few values, so that different samples can share a vector."""
    columns = np.random.default_rng(0).permutation(distinct.shape[1])[:64]
    values = 0.0
    for part in (distinct[:REFERENCE_ROWS], distinct):  # a few thousand rows usually decide
        values = float(np.median([len(np.unique(part[:, column])) for column in columns]))
        if values > MAX_COARSE_VALUES:
            return False
    return values < len(distinct) / 2


def near_pairs(rows: F32, *, progress: Progress = no_progress) -> I64:
    """Find (m, 2) pairs of near-duplicates among (u, d) distinct rows, unordered; none among fewer than MIN_ROWS."""
    if len(rows) < MIN_ROWS or rows.shape[1] < 2 or is_coarse(rows):
        return np.zeros((0, 2), np.int64)
    sketch = rows
    slack = 1.0
    if rows.shape[1] > 2 * SKETCH_DIMENSIONS:
        normal = np.random.default_rng(0).normal(0, SKETCH_DIMENSIONS**-0.5, (rows.shape[1], SKETCH_DIMENSIONS))
        sketch = rows @ normal.astype(np.float32)
        slack = SKETCH_SLACK
    radii = _radii(sketch)
    report = Reporter(progress, "compare rows", len(rows))
    pairs = [np.zeros((0, 2), np.int64)]
    for start, left, right in _candidates(sketch, slack * radii):
        report(start)
        bound = np.minimum(radii[left], radii[right])
        distances = np.empty(len(left))
        for i in range(0, len(left), 4096):
            at = slice(i, i + 4096)
            distances[at] = np.linalg.norm(rows[left[at]] - rows[right[at]], axis=1)
        pairs.append(np.c_[left, right][distances <= bound])
    return np.concatenate(pairs)


def _radii(rows: F32) -> F64:
    """Compute (u,) the maximum distance of a near-duplicate of each row."""
    n = len(rows)
    reference = rows[:REFERENCE_ROWS]
    k = int(np.clip(len(reference) // 20, 3, MAX_NEIGHBOURS))
    squares = np.einsum("ij,ij->i", rows, rows)
    near = np.empty((n, 3 * k), np.float64)
    for start in range(0, n, _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        squared = squares[part, None] + squares[: len(reference)] - 2 * (rows[part] @ reference.T)
        itself = np.arange(start, min(start + _BLOCK_ROWS, len(reference)))
        squared[itself - start, itself] = np.inf
        near[part] = np.sort(np.partition(squared, 3 * k - 1, axis=1)[:, : 3 * k], axis=1)
    near = np.sqrt(np.maximum(near, 1e-12))
    close = _dimension(near, k // 4, k)
    wide = _dimension(near, k, 3 * k)
    # the smaller dimension, unless copies among the closest neighbors made it too small
    dimension = wide if close < wide / 2 else min(close, wide)
    share = min(MAX_NEAR_SHARE, (CHANCE_SHARE * len(reference) / (n * k)) ** (1 / dimension))
    return share * np.maximum(near[:, k - 1], MIN_MEDIAN_SHARE * float(np.median(near[:, k - 1])))


def _dimension(distances: F64, start: int, end: int) -> float:
    """Estimate the intrinsic dimension from the neighbors `start` to `end` in sorted distances (n, w).

    Source: Levina & Bickel 2004. Leaving out the nearest neighbors and the median over rows are ours.
    """
    growth = np.log(distances[:, end - 1 : end] / distances[:, start : end - 1]).mean(1)
    expected = [float((1 / np.arange(rank, end)).sum()) for rank in range(start + 1, end)]  # times 1 / dimension
    return float(np.mean(expected)) / max(float(np.median(growth)), 1e-3)


def _candidates(rows: F32, radii: F64) -> Iterator[tuple[int, I64, I64]]:
    """Yield the start of each block and its pairs (i, j), i < j, that can lie within both radii; at most MAX_CANDIDATES
    per row."""
    half = (np.einsum("ij,ij->i", rows, rows) / 2).astype(np.float32)
    bound = (radii**2 / 2 + 1e-6).astype(np.float32)  # 1e-6 for rounding of the products
    for start in range(0, len(rows), _BLOCK_ROWS):
        reach = (half - bound)[start : start + _BLOCK_ROWS, None]
        tiles = [_nearest(rows, half, reach, start, begin) for begin in range(start, len(rows), _TILE_ROWS)]
        left, right, product = (np.concatenate(parts) for parts in zip(*tiles))
        best = np.lexsort((-product, left))
        rank = np.arange(len(best)) - np.searchsorted(left[best], left[best], "left")  # within its row
        best = best[rank < MAX_CANDIDATES]
        left = left[best]
        right = right[best]
        product = product[best]
        both = product >= half[left] - bound[right]
        yield start, left[both], right[both]


def _nearest(rows: F32, half: F32, reach: F32, start: int, begin: int) -> tuple[I64, I64, F32]:
    """Return (m,) rows of the block at `start`, later rows of the tile at `begin` within reach, and their closeness;
    the nearest MAX_CANDIDATES per row. Closeness is the product minus half the square of the other row: the larger, the
    nearer."""
    product = rows[start : start + _BLOCK_ROWS] @ rows[begin : begin + _TILE_ROWS].T
    product -= half[begin : begin + _TILE_ROWS]
    near = product >= reach
    if begin < start + _BLOCK_ROWS:
        near &= np.arange(begin, begin + near.shape[1]) > np.arange(start, start + len(near))[:, None]
    left, right = np.divmod(np.flatnonzero(near), near.shape[1])
    crowded = np.flatnonzero(np.bincount(left) > MAX_CANDIDATES)
    if len(crowded):
        for row in crowded:
            best = np.argpartition(-np.where(near[row], product[row], -np.inf), MAX_CANDIDATES)[:MAX_CANDIDATES]
            near[row] = False
            near[row, best] = True
        left, right = np.nonzero(near)
    return left + start, right + begin, product[left, right]
