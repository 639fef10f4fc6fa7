"""Images as grids of cells: whitened vectors of the finest map of an encoder's tower."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.encoders.tokens import TokenTower
from core.records import F32, I64
from core.systems.common.tokens import PictureTokens

BATCH_IMAGES = 64
MIN_VARIANCE_SHARE = 1e-6
"""Smallest variance of a component over the largest; below, division by its root would amplify rounding of float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """Map from cells of w numbers to their d leading principal components, each of variance 1."""

    mean: F32
    """(w,)."""
    basis: F32
    """(w, d)."""

    def __call__(self, cells: F32) -> F32:
        """(..., d) of (..., w)."""
        return np.asarray((cells - self.mean) @ self.basis, np.float32)


def fit_whitening(cells: F32, width: int) -> Whitening:
    """The whitening of (m, w) cells.

    Args:
        width: largest d; components with less than `MIN_VARIANCE_SHARE` of the largest variance are dropped.
    """
    mean = cells.mean(0, dtype=np.float64)
    centered = cells - mean.astype(np.float32)
    variances, vectors = np.linalg.eigh((centered.T @ centered).astype(np.float64) / len(cells))
    keep = np.flatnonzero(variances > MIN_VARIANCE_SHARE * variances[-1])[::-1][:width]
    return Whitening(mean.astype(np.float32), (vectors[:, keep] / np.sqrt(variances[keep])).astype(np.float32))


def cells_of(pictures: PictureTokens, tower: TokenTower, rows: I64) -> F32:
    """(n, r, c, w) cells of n images.

    Args:
        rows: (n,) indices into `pictures.tokens`.
    """
    return tower.cells(pictures.tokens[rows].astype(np.float32))


def in_parts(n: int) -> Iterator[I64]:
    """The rows 0 to n - 1 in batches of `BATCH_IMAGES`."""
    for start in range(0, n, BATCH_IMAGES):
        yield np.arange(start, min(start + BATCH_IMAGES, n), dtype=np.int64)
