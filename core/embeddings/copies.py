"""Rows of embeddings that are copies of one another: the same thing twice, exactly or after a little noise.

Two rows are near copies if they are closer than a bound that follows the data: at most half the distance within which
either has 20 neighbors, and less where a neighbor so close could be chance. Neighbors within a distance r grow as r
to the power m, the intrinsic dimension; the bound lies where less than one row in a thousand has a neighbor by chance.
So it is half that distance from about m = 15 on, a tenth at m = 4, a hundredth at m = 2. Vectors that take few values
(yes and no, grades) have no near copies, and equality is natural among them. docs/decisions/copies.md has the reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from core.records import F32, F64, I64, Progress, Reporter, no_progress
from core.statistics.groups import joined

NEAR = 0.5
"""Largest share of the distance within which a row has its neighbors, at which another is its copy."""
NEIGHBOURS = 20
"""At most; a twentieth of the rows where those are few."""
CHANCE = 1e-3
"""Share of the rows that may have so close a neighbor by chance."""
FLOOR = 0.1
"""No such distance counts as less than this share of the median one: the neighbors of a row that was copied many times
are its copies."""
MIN_ROWS = 60
REFERENCE = 4096
"""Rows among which neighbors are counted."""
SKETCH = 64
SLACK = 1.4
"""Dimensions of the random projection in which pairs are sought where the vectors have more than twice as many; how
much farther apart than in truth they may lie there."""
MOST = 32
"""Candidates that are looked at for each row: with more it is one of a large set, which hangs together anyway."""
FEW = 32
"""Vectors are coarse if half of their columns or more take at most so many values, and less than half as many as there
are distinct rows."""
_BLOCK = 256
_TILE = 1024
"""Rows, and others that they are compared with at a time: their products stay in the processor's cache."""


def find_copies(
    vectors: F32, distinct: tuple[I64, I64] | None = None, *, progress: Progress = no_progress
) -> tuple[I64, I64]:
    """(n,) group numbers in which exact copies among (n, d) rows share one, and (n,) in which near ones do as well.

    Args:
        distinct: what `distinct_rows` gives, where it is at hand.
        progress: called as ("compare rows", done, total).
    """
    first, exact = distinct or distinct_rows(vectors)
    pairs = near_pairs(vectors[first], progress=progress)
    own = np.arange(len(first))
    return exact, joined(len(first), np.r_[own, pairs[:, 0]], np.r_[own, pairs[:, 1]])[exact]


def distinct_rows(vectors: F32) -> tuple[I64, I64]:
    """(u,) first row of each distinct one, and (n,) which of those each row equals; their order is that of a digest, so
    that it does not depend on the order of the rows."""
    digests = [hashlib.blake2b((row + 0.0).tobytes(), digest_size=16).digest() for row in vectors]  # + 0.0: -0 is 0
    _, first, of_row = np.unique(np.array(digests, "S16"), return_index=True, return_inverse=True)
    return first.astype(np.int64), of_row.astype(np.int64)


def is_coarse(distinct: F32) -> bool:
    """Whether (u, d) distinct vectors take few values, so that unlike things may well share one."""
    columns = np.random.default_rng(0).permutation(distinct.shape[1])[:64]
    values = 0.0
    for part in (distinct[:REFERENCE], distinct):  # a few thousand rows mostly settle it
        values = float(np.median([len(np.unique(part[:, column])) for column in columns]))
        if values > FEW:
            return False
    return values < len(distinct) / 2


def near_pairs(rows: F32, *, progress: Progress = no_progress) -> I64:
    """(m, 2) pairs of near copies among (u, d) distinct rows in no meaningful order; none among fewer than MIN_ROWS."""
    if len(rows) < MIN_ROWS or rows.shape[1] < 2 or is_coarse(rows):
        return np.zeros((0, 2), np.int64)
    sketch = rows
    slack = 1.0
    if rows.shape[1] > 2 * SKETCH:
        normal = np.random.default_rng(0).normal(0, SKETCH**-0.5, (rows.shape[1], SKETCH))
        sketch = rows @ normal.astype(np.float32)
        slack = SLACK
    radii = _radii(sketch)
    report = Reporter(progress, "compare rows", len(rows))
    found = [np.zeros((0, 2), np.int64)]
    for start, left, right in _candidates(sketch, slack * radii):
        report(start)
        bound = np.minimum(radii[left], radii[right])
        close = np.concatenate(
            [_distance(rows, left[i : i + 4096], right[i : i + 4096]) for i in range(0, len(left), 4096)] or [bound[:0]]
        )
        found.append(np.c_[left, right][close <= bound])
    return np.concatenate(found)


def _distance(rows: F32, left: I64, right: I64) -> F64:
    return np.linalg.norm(rows[left] - rows[right], axis=1).astype(np.float64)


def _radii(rows: F32) -> F64:
    """(u,) how far from each row a copy of it may lie."""
    n = len(rows)
    reference = rows[:REFERENCE]
    k = int(np.clip(len(reference) // 20, 3, NEIGHBOURS))
    squares = np.einsum("ij,ij->i", rows, rows)
    near = np.empty((n, 3 * k), np.float64)
    for start in range(0, n, _BLOCK):
        part = slice(start, start + _BLOCK)
        squared = squares[part, None] + squares[: len(reference)] - 2 * (rows[part] @ reference.T)
        own = np.arange(start, min(start + _BLOCK, len(reference)))
        squared[own - start, own] = np.inf
        near[part] = np.sort(np.partition(squared, 3 * k - 1, axis=1)[:, : 3 * k], axis=1)
    near = np.sqrt(np.maximum(near, 1e-12))
    close = _dimension(near, k // 4, k)
    wide = _dimension(near, k, 3 * k)
    # the smaller one, unless copies among the closest neighbors made it so
    dimension = wide if close < wide / 2 else min(close, wide)
    share = min(NEAR, (CHANCE * len(reference) / (n * k)) ** (1 / dimension))
    return share * np.maximum(near[:, k - 1], FLOOR * float(np.median(near[:, k - 1])))


def _dimension(distances: F64, start: int, end: int) -> float:
    """The intrinsic dimension by which the neighbors from `start` to `end` lie in sorted distances (n, w).

    Source: Levina & Bickel 2004, of which the nearest neighbors are left out here; the median over rows is ours.
    """
    growth = np.log(distances[:, end - 1 : end] / distances[:, start : end - 1]).mean(1)
    expected = [float((1 / np.arange(place, end)).sum()) for place in range(start + 1, end)]  # times 1 / dimension
    return float(np.mean(expected)) / max(float(np.median(growth)), 1e-3)


def _candidates(rows: F32, radii: F64) -> Iterator[tuple[int, I64, I64]]:
    """Where each block starts, with its pairs (i, j), i < j, that may lie within both radii; at most MOST of a row."""
    half = (np.einsum("ij,ij->i", rows, rows) / 2).astype(np.float32)
    bound = (radii**2 / 2 + 1e-6).astype(np.float32)  # 1e-6: products are rounded
    for start in range(0, len(rows), _BLOCK):
        reach = (half - bound)[start : start + _BLOCK, None]
        tiles = [_nearest(rows, half, reach, start, begin) for begin in range(start, len(rows), _TILE)]
        left, right, product = (np.concatenate(parts) for parts in zip(*tiles))
        best = np.lexsort((-product, left))
        place = np.arange(len(best)) - np.searchsorted(left[best], left[best], "left")  # of each among its row's
        best = best[place < MOST]
        left = left[best]
        right = right[best]
        product = product[best]
        both = product >= half[left] - bound[right]
        yield start, left[both], right[both]


def _nearest(rows: F32, half: F32, reach: F32, start: int, begin: int) -> tuple[I64, I64, F32]:
    """(m,) rows of the block at `start`, later rows of the tile at `begin` within reach, and by how much; the MOST
    nearest of a row. A product less half of the other's square is the larger, the nearer the two are."""
    product = rows[start : start + _BLOCK] @ rows[begin : begin + _TILE].T
    product -= half[begin : begin + _TILE]
    near = product >= reach
    if begin < start + _BLOCK:
        near &= np.arange(begin, begin + near.shape[1]) > np.arange(start, start + len(near))[:, None]
    left, right = np.divmod(np.flatnonzero(near), near.shape[1])
    if len(left) > MOST and (crowded := np.flatnonzero(np.bincount(left) > MOST)).size:
        for row in crowded:
            best = np.argpartition(-np.where(near[row], product[row], -np.inf), MOST)[:MOST]
            near[row] = False
            near[row, best] = True
        left, right = np.nonzero(near)
    return left + start, right + begin, product[left, right]
