"""Cells of the confusion matrix: true class a, taken for b."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool


@dataclass
class ConfusionCells:
    """Slice (a, b), a != b, scores a row of class a predicted as b by the probability of b; cells with most rows first.

    It reads the predictions for the rows that it scores: a track of its own, beside engines that see only embeddings
    and labels. Cells on the diagonal hold no failures and are never slices.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels", "probabilities")
    n_slices: int = 5
    cells_: list[tuple[int, int]] = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        if probabilities is None:
            raise InvalidInput("Confusion cells need probabilities (n, k): got none.")
        k = max(probabilities.shape[1], int(labels.max()) + 1)
        counts = np.bincount(labels * k + probabilities.argmax(1), minlength=k * k).reshape(k, k)
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts.ravel(), kind="stable")
        kept = [int(cell) for cell in order[: self.n_slices] if counts.flat[cell] > 0]
        # without a single error the first off-diagonal cell is kept, so that there is something to score
        self.cells_ = [divmod(cell, k) for cell in kept] or [(0, min(1, k - 1))]
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        if probabilities is None:
            raise InvalidInput("Confusion cells need the probabilities (m, k) of the rows to score: got none.")
        predicted = probabilities.argmax(1)
        return np.stack(
            [np.where((labels == a) & (predicted == b), probabilities[:, b], -np.inf) for a, b in self.cells_], axis=1
        )
