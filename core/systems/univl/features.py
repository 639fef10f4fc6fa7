"""Frame features for UniVL: an encoder's map of an image, averaged over nine cells and projected.

Source: UniVL takes one vector per second of a video network (S3D, 1,024 wide). Departure: Errata includes no video
network, so the embedded encoder's map describes a frame. A mean over the whole map would lose where an object is; a
mean over each of 3 x 3 cells keeps it. The projection is drawn at random, not learned.
"""

from __future__ import annotations

import numpy as np

from core.records import F32

CELLS = 3
"""Rows, and columns, of cells."""
CELL_WIDTH = 64
"""Numbers per cell after the projection; a frame has `CELLS` ** 2 times as many."""


def cell_means(tokens: F32, grid: tuple[int, int]) -> F32:
    """(n, CELLS ** 2, d) means over cells that cover the map; cells overlap where a side is not a multiple of `CELLS`.

    Args:
        tokens: (n, P, d), row by row.
        grid: rows and columns; P is their product.
    """
    maps = tokens.reshape(len(tokens), *grid, tokens.shape[2])
    cells = list[F32]()
    for top, bottom in _spans(grid[0]):
        for left, right in _spans(grid[1]):
            cells.append(maps[:, top:bottom, left:right].mean((1, 2)))
    return np.stack(cells, 1).astype(np.float32)


def _spans(side: int) -> list[tuple[int, int]]:
    return [(side * k // CELLS, -(-side * (k + 1) // CELLS)) for k in range(CELLS)]


def projected(cells: F32) -> F32:
    """(n, CELLS ** 2 * CELL_WIDTH) of (n, CELLS ** 2, d): projects each cell on the same random orthonormal columns."""
    d = cells.shape[2]
    drawn = np.random.default_rng(d).normal(size=(d, min(CELL_WIDTH, d)))
    # a projection on k of d random directions keeps k / d of a squared length on average; the factor restores it
    basis = np.linalg.qr(drawn)[0].astype(np.float32) * np.float32(np.sqrt(d / CELL_WIDTH))
    return np.asarray(cells @ basis, np.float32).reshape(len(cells), -1)
