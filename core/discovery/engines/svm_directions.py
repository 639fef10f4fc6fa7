"""For each class a linear SVM that tells the model's failures from its successes: directions of failure."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.svm import LinearSVC

from core.discovery.engines import failures, usable_classes
from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool


@dataclass
class SvmDirections:
    """Slice c scores a row of class c by minus the decision value of that class's SVM for "the model is right here".

    x = (z - mean) / sd, scaled to unit length; the SVM has balanced class weights and its C is the one of `penalties`
    with the best 2-fold balanced accuracy. Classes are ordered by that accuracy, which the authors use to say how
    learnable a failure is. Classes with fewer than two failures or successes have no slice.

    Source: Jain et al. 2023, arXiv 2206.14754. Departures: mean and sd come from the audited rows, where theirs come
    from the training data; `phrase_scores` divides a text difference by sd alone. Their code subtracts the image mean
    from that difference as well and normalises it, which adds the same constant to every phrase before the length is
    taken.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels",)
    n_slices: int = 5
    penalties: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    seed: int = 0
    mean_: F64 = field(init=False, repr=False)
    sd_: F64 = field(init=False, repr=False)
    classes_: list[int] = field(init=False, repr=False)
    weights_: F64 = field(init=False, repr=False)
    """(s, d) towards success."""
    offsets_: F64 = field(init=False, repr=False)
    accuracies_: F64 = field(init=False, repr=False)
    """(s,) cross-validated balanced accuracy of each slice's SVM."""

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        wrong = failures("SVM directions", labels, probabilities, errors)
        self.mean_ = embeddings.mean(0).astype(np.float64)
        self.sd_ = np.maximum(embeddings.std(0).astype(np.float64), 1e-12)
        rows = self._whiten(embeddings)
        fits = [
            (*_fit_class(rows[labels == c], ~wrong[labels == c], self.penalties, self.seed), c)
            for c in usable_classes(labels, wrong)
        ]
        if not fits:
            raise InvalidInput(
                "SVM directions need a class with at least two failures and two successes: none has. Bring more rows."
            )
        fits = sorted(fits, key=lambda one: -one[0])[: self.n_slices]
        self.accuracies_ = np.array([one[0] for one in fits])
        self.weights_ = np.stack([one[1] for one in fits])
        self.offsets_ = np.array([one[2] for one in fits])
        self.classes_ = [one[3] for one in fits]
        return self

    def _whiten(self, embeddings: F32) -> F64:
        rows = (embeddings - self.mean_) / self.sd_
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        decisions = self._whiten(embeddings) @ self.weights_.T + self.offsets_
        return np.where(labels[:, None] == np.array(self.classes_), -decisions, -np.inf)

    def phrase_scores(self, differences: F32) -> F64:
        """(p, s) how far each of p text differences (phrase minus its class's plain prompt, (p, d)) leads towards
        failure."""
        return -(differences / self.sd_) @ self.weights_.T


def _fit_class(rows: F64, right: Bool, penalties: tuple[float, ...], seed: int) -> tuple[float, F64, float]:
    """(cross-validated balanced accuracy, weights, offset) at the best penalty; the smallest penalty wins ties."""

    def machine(penalty: float) -> LinearSVC:
        return LinearSVC(C=penalty, class_weight="balanced", max_iter=3000, random_state=seed)

    halves = StratifiedKFold(2, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a rough optimum ranks rows as well, and C is chosen by held-out rows
        warnings.simplefilter("ignore", ConvergenceWarning)
        accuracies = [
            float(np.mean(cross_val_score(machine(c), rows, right, cv=halves, scoring="balanced_accuracy")))
            for c in penalties
        ]
        best = int(np.argmax(accuracies))
        fitted = machine(penalties[best]).fit(rows, right)
    weights: F64 = np.asarray(fitted.coef_, dtype=np.float64)[0]
    return accuracies[best], weights, float(np.asarray(fitted.intercept_)[0])
