"""Images as grids of cells: whitened vectors of the finest map that an encoder's tower keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.encoders.tokens import TokenTower
from core.records import F32, I64
from core.systems.common.tokens import PictureTokens

PICTURES_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """From cells of w numbers to d uncorrelated ones of variance 1, the leading principal components."""

    mean: F32
    """(w,)."""
    basis: F32
    """(w, d)."""

    def __call__(self, cells: F32) -> F32:
        """(..., d) of (..., w)."""
        return np.asarray((cells - self.mean) @ self.basis, np.float32)


def fit_whitening(cells: F32, width: int) -> Whitening:
    """Of (m, w) cells; components of less than a millionth of the largest variance are left out, so d may be below
    `width`."""
    mean = cells.mean(0, dtype=np.float64)
    centred = cells - mean.astype(np.float32)
    variances, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(cells))
    keep = np.flatnonzero(variances > 1e-6 * variances[-1])[::-1][:width]
    return Whitening(mean.astype(np.float32), (vectors[:, keep] / np.sqrt(variances[keep])).astype(np.float32))


def cells_of(pictures: PictureTokens, tower: TokenTower, rows: I64) -> F32:
    """(n, r, c, w) of those images."""
    return tower.cells(pictures.tokens[rows].astype(np.float32))


def in_parts(n: int) -> Iterator[I64]:
    """Rows 0 to n, a part at a time."""
    for start in range(0, n, PICTURES_AT_ONCE):
        yield np.arange(start, min(start + PICTURES_AT_ONCE, n), dtype=np.int64)
