"""What a frame is to UniVL here: an encoder's parts of an image, averaged over nine cells and projected.

Source: UniVL takes one vector a second of a video network (S3D, 1,024 wide). Departure: no such network comes along, so
a frame is told by the embedded encoder's map. A mean over the whole map would not say where a thing is; that of 3 x 3
cells does. The projection is drawn, not learned.
"""

from __future__ import annotations

import numpy as np

from core.records import F32

CELLS = 3
"""Rows, and columns, of cells."""
WIDTH = 64
"""Of a cell after the projection; a frame has `CELLS` ** 2 times as many numbers."""


def cell_means(tokens: F32, grid: tuple[int, int]) -> F32:
    """(n, CELLS ** 2, d) means over cells that cover the map, overlapping where its sides are not multiples.

    Args:
        tokens: (n, P, d), row by row.
        grid: rows and columns; P is their product.
    """
    maps = tokens.reshape(len(tokens), *grid, tokens.shape[2])
    spans = [_spans(side) for side in grid]
    cells = [maps[:, a:b, c:d].mean((1, 2)) for a, b in spans[0] for c, d in spans[1]]
    return np.stack(cells, 1).astype(np.float32)


def _spans(side: int) -> list[tuple[int, int]]:
    return [(side * k // CELLS, -(-side * (k + 1) // CELLS)) for k in range(CELLS)]


def projected(cells: F32) -> F32:
    """(n, CELLS ** 2 * WIDTH) of (n, CELLS ** 2, d): each cell through the same orthonormal columns."""
    d = cells.shape[2]
    drawn = np.random.default_rng(d).normal(size=(d, min(WIDTH, d)))
    basis = np.linalg.qr(drawn)[0].astype(np.float32) * np.float32(np.sqrt(d / WIDTH))
    return np.asarray(cells @ basis, np.float32).reshape(len(cells), -1)
