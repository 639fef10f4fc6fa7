"""What engines share that draw a line between failures and successes in each class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool
from core.systems.peers.engines import failures


@dataclass
class ClassLines:
    """Slice c scores a row of class c by how far it lies on the side of failure; classes in the order of how well
    failures are told from successes out of fold. Classes with fewer than two failures or successes have no slice.

    Derive from it, and write `_fit_class`.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels",)
    title: ClassVar[str] = ""
    n_slices: int = 5
    seed: int = 0
    mean_: F64 = field(init=False, repr=False)
    sd_: F64 = field(init=False, repr=False)
    classes_: list[int] = field(init=False, repr=False)
    weights_: F64 = field(init=False, repr=False)
    """(s, d) toward failure."""
    offsets_: F64 = field(init=False, repr=False)
    quality_: F64 = field(init=False, repr=False)
    """(s,) by which the slices are ordered."""

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        wrong = failures(self.title, labels, probabilities, errors)
        self.mean_ = embeddings.mean(0).astype(np.float64)
        self.sd_ = np.maximum(embeddings.std(0).astype(np.float64), 1e-12)
        rows = self._whiten(embeddings)
        usable = usable_classes(labels, wrong)
        if not usable:
            raise InvalidInput(
                f"{self.title}: a class with at least two failures and two successes is needed, and none has. "
                "Bring more rows."
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a rough optimum ranks rows as well
            fits = [(*self._fit_class(rows[labels == c], wrong[labels == c]), c) for c in usable]
        fits = sorted(fits, key=lambda one: -one[0])[: self.n_slices]
        self.quality_ = np.array([one[0] for one in fits])
        self.weights_ = np.stack([one[1] for one in fits])
        self.offsets_ = np.array([one[2] for one in fits])
        self.classes_ = [one[3] for one in fits]
        return self

    def _fit_class(self, rows: F64, wrong: Bool) -> tuple[float, F64, float]:
        """(how well failures are told out of fold, weights and offset toward failure)."""
        raise NotImplementedError

    def _whiten(self, embeddings: F32) -> F64:
        return (embeddings - self.mean_) / self.sd_

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        sides = self._whiten(embeddings) @ self.weights_.T + self.offsets_
        return np.where(labels[:, None] == np.array(self.classes_), sides, -np.inf)


def usable_classes(labels: I64, errors: Bool) -> list[int]:
    """The classes with at least two failures and two successes, which a classifier of failures needs."""
    return [int(c) for c in np.unique(labels) if errors[labels == c].sum() >= 2 and (~errors[labels == c]).sum() >= 2]
