"""Just sorting: within each class, the rows of highest loss. What any method must beat to be worth its trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool


@dataclass
class RawLoss:
    """Slice c scores a row of class c by its own loss; classes in the order of their mean loss in the audit.

    It reads the loss of the rows that it scores: a track of its own, beside engines that see only embeddings and
    labels.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels", "losses")
    n_slices: int = 5
    classes_: I64 = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        classes = np.unique(labels)
        means = np.array([losses[labels == c].mean() for c in classes])
        self.classes_ = classes[np.argsort(-means, kind="stable")[: self.n_slices]]
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        if losses is None:
            raise InvalidInput("Sorting by raw loss needs the losses of the rows to score: got none.")
        return np.where(labels[:, None] == self.classes_, losses[:, None], -np.inf)
