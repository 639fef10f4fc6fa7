"""For each class an ensemble of ridge regressors from embedding to loss: the plain reading of LLM2Loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool
from core.systems.peers.engines import failures

FOLDS = 5


@dataclass
class ClassRidge:
    """Slice c scores a row of class c by the mean prediction of that class's ensemble.

    theta = (X' W X + a I)^-1 X' W l with X = [z - mean, 1], the intercept free, W the counts of one bootstrap sample,
    `n_members` times. a is the one of `penalties` with the least squared error in 5 folds. l is the loss, above `clip`
    taken as `clip`, or with target "error" 1 where the model is wrong and 0 elsewhere. Classes are ordered by the
    out-of-fold lift: mean loss of the tenth of highest prediction minus the class's mean, over the class's standard
    deviation. Classes under `min_rows` rows have no slice.

    Source: Ardeshir 2023, arXiv 2305.03212, for the idea; the paper leaves the members open. Heads by class, ridge, the
    bootstrap and the order of classes are ours. It stands here as the plain peer of Errata's own, tested and shrunk,
    heads.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels",)
    n_slices: int = 5
    n_members: int = 20
    penalties: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
    clip: float = 4.0
    target: Literal["loss", "error"] = "loss"
    min_rows: int = 20
    seed: int = 0
    classes_: list[int] = field(init=False, repr=False)
    weights_: F64 = field(init=False, repr=False)
    """(s, n_members, d + 1), intercept last, for rows that are not centered."""
    penalties_: list[float] = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        rng = np.random.default_rng(self.seed)
        wrong = failures("Per-class ridge on errors", labels, probabilities, errors) if self.target == "error" else None
        target = np.minimum(losses, self.clip) if wrong is None else wrong.astype(np.float64)
        fits = [
            (*self._fit_class(embeddings[labels == c], target[labels == c], rng), int(c))
            for c in np.unique(labels)
            if (labels == c).sum() >= self.min_rows
        ]
        if not fits:
            raise InvalidInput(
                f"Per-class ridge needs a class with at least {self.min_rows} rows: none has. Bring more rows."
            )
        fits = sorted(fits, key=lambda one: -one[0])[: self.n_slices]
        self.penalties_ = [one[1] for one in fits]
        self.weights_ = np.stack([one[2] for one in fits])
        self.classes_ = [one[3] for one in fits]
        return self

    def _fit_class(self, rows: F32, losses: F64, rng: np.random.Generator) -> tuple[float, float, F64]:
        """(lift, penalty, (n_members, d + 1) weights)."""
        n = len(rows)
        centre = rows.mean(0).astype(np.float64)
        x = np.c_[rows - centre, np.ones(n)]
        folds = rng.permutation(n) % FOLDS
        predictions = np.empty((len(self.penalties), n))
        for fold in range(FOLDS):
            held = folds == fold
            counts = (~held).astype(np.float64)
            for i, penalty in enumerate(self.penalties):
                predictions[i, held] = x[held] @ ridge(x, losses, counts, penalty)
        best = int(np.argmin(((predictions - losses) ** 2).mean(axis=1)))
        top = np.argsort(-predictions[best], kind="stable")[: max(1, n // 10)]
        lift = float((losses[top].mean() - losses.mean()) / max(losses.std(), 1e-12))
        members = np.stack(
            [
                ridge(x, losses, rng.multinomial(n, np.full(n, 1 / n)).astype(np.float64), self.penalties[best])
                for _ in range(self.n_members)
            ]
        )
        members[:, -1] -= members[:, :-1] @ centre
        return lift, self.penalties[best], members

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        mean = self.weights_.mean(axis=1)  # (s, d + 1): the mean of linear members is linear
        predicted = embeddings @ mean[:, :-1].T + mean[:, -1]
        return np.where(labels[:, None] == np.array(self.classes_), predicted, -np.inf)


def ridge(x: F64, losses: F64, counts: F64, penalty: float) -> F64:
    """(d + 1,) weights of the ridge regression in which row i stands `counts[i]` times; the last column of x is ones,
    unpenalized."""
    weighted = x * counts[:, None]
    gram = weighted.T @ x
    gram += np.diag(np.r_[np.full(x.shape[1] - 1, penalty), 0.0])
    return np.linalg.solve(gram, weighted.T @ losses).astype(np.float64)
