"""Embeddings made ready for ridge heads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from core.records import F32, F64, I64
from core.row_runs import row_runs

BATCH_ROWS = 16_384
"""Rows centered and projected at once, which bounds memory."""


class Features:
    """Embeddings made ready for ridge: class-centred, projected on the leading directions, mean squared norm 1.

    They do not depend on the losses, so the same features serve every permutation.

    Args:
        vectors: (n, d) embeddings.
        blocks: (n,) class of each row, 0..k-1.
        max_dimensions: leading principal directions kept.
        turned: False keeps the original axes where all directions are kept. Ridge predictions do not depend on the
            rotation, and skipping it halves the work for many rows.
    """

    def __init__(self, vectors: F32, blocks: I64, max_dimensions: int = 256, *, turned: bool = True) -> None:
        n, d = vectors.shape
        n_blocks = int(blocks.max()) + 1
        n_kept = min(max_dimensions, d, max(1, n - 1))
        counts = np.bincount(blocks, minlength=n_blocks).astype(np.float64)[:, None]
        sums = np.zeros((n_blocks, d))
        for at in row_runs(n, 1, BATCH_ROWS):
            of_block = csr_array((np.ones(at.stop - at.start), blocks[at], np.arange(at.stop - at.start + 1)))
            of_block.resize(at.stop - at.start, n_blocks)
            sums += of_block.T @ vectors[at].astype(np.float64)
        self.centre = sums.sum(0) / n
        self.block_means = np.where(counts >= 5, sums / np.maximum(counts, 1), self.centre)
        self.basis: F32 | None = None
        self.rows: F32 = np.empty((n, n_kept), np.float32)
        squares = 0.0
        if turned or n_kept < d:
            squares = self._turn(vectors, blocks, n_kept)
        for at, centred in self._centred(vectors, blocks):
            if self.basis is None:
                squares += float(np.vdot(centred, centred))
            self.rows[at] = self._projected(centred)
        self.scale = float(np.sqrt(max(squares / n, 1e-12)))
        self.rows /= np.float32(self.scale)

    def _centred(self, vectors: F32, blocks: I64) -> Iterator[tuple[slice, F32]]:
        means = self.block_means.astype(vectors.dtype)
        for at in row_runs(len(vectors), 1, BATCH_ROWS):
            yield at, (vectors[at] - means[blocks[at]]).astype(np.float32, copy=False)

    def _projected(self, centred: Any) -> Any:
        """The (m, d) rows along the basis; unchanged where the original axes are kept."""
        if self.basis is None:
            return centred
        return centred @ self.basis

    def _turn(self, vectors: F32, blocks: I64, n_kept: int) -> float:
        """Set the basis to the leading directions; return the sum of squares along them."""
        gram = np.zeros((vectors.shape[1],) * 2)
        for _, centred in self._centred(vectors, blocks):
            gram += centred.T @ centred
        values, directions = np.linalg.eigh(gram)
        self.basis = directions[:, ::-1][:, :n_kept].astype(np.float32)
        return float(values[::-1][:n_kept].sum())

    def along(self, directions: F32) -> F32:
        """(k, r) directions (k, d) of the embedding, in the features."""
        return np.asarray(self._projected(directions) / self.scale, np.float32)

    def to_arrays(self) -> dict[str, Any]:
        """What `of` needs, as plain arrays."""
        arrays: dict[str, Any] = {
            "centre": self.centre,
            "block_means": self.block_means,
            "scale": np.float64(self.scale),
        }
        if self.basis is not None:
            arrays["basis"] = self.basis
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Features:
        """The saved projection, without the rows it was fitted to."""
        features = cls.__new__(cls)
        features.centre = arrays["centre"]
        features.block_means = arrays["block_means"]
        features.basis = arrays.get("basis")
        features.scale = float(arrays["scale"])
        width = len(features.centre)
        if features.basis is not None:
            width = features.basis.shape[1]
        features.rows = np.zeros((0, width), np.float32)
        return features

    def of(self, vectors: F32, blocks: I64) -> F64:
        """(m, r) features of new rows; block -1 (class unknown) is centered on the mean of all rows."""
        means = np.where((blocks >= 0)[:, None], self.block_means[np.maximum(blocks, 0)], self.centre)
        return np.asarray(self._projected(vectors - means) / self.scale, np.float64)
