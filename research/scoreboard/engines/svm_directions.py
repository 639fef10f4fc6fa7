"""For each class a linear SVM that tells the model's failures from its successes: directions of failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.svm import LinearSVC

from core.records import F32, F64, Bool
from research.scoreboard.engines.class_lines import ClassLines


@dataclass
class SvmDirections(ClassLines):
    """Slice c scores a row of class c by minus the decision value of that class's SVM for "the model is right here".

    x = (z - mean) / sd, scaled to unit length; the SVM has balanced class weights and its C is the one of `penalties`
    with the best 2-fold balanced accuracy. Classes are ordered by that accuracy, which the authors use to say how
    learnable a failure is. Classes with fewer than two failures or successes have no slice.

    Source: Jain et al. 2023, arXiv 2206.14754. Departures: mean and sd come from the audited rows, where theirs come
    from the training data; `phrase_scores` divides a text difference by sd alone. Their code subtracts the image mean
    from that difference as well and normalizes it, which adds the same constant to every phrase before the length is
    taken.
    """

    title: ClassVar[str] = "SVM directions"
    penalties: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def _whiten(self, embeddings: F32) -> F64:
        rows = super()._whiten(embeddings)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)

    def _fit_class(self, rows: F64, wrong: Bool) -> tuple[float, F64, float]:
        """At the penalty of the best balanced accuracy; the smallest wins ties."""

        def machine(penalty: float) -> LinearSVC:
            return LinearSVC(C=penalty, class_weight="balanced", max_iter=3000, random_state=self.seed)

        halves = StratifiedKFold(2, shuffle=True, random_state=self.seed)
        accuracies = [
            float(np.mean(cross_val_score(machine(c), rows, ~wrong, cv=halves, scoring="balanced_accuracy")))
            for c in self.penalties
        ]
        best = int(np.argmax(accuracies))
        fitted = machine(self.penalties[best]).fit(rows, ~wrong)
        towards_success: F64 = np.asarray(fitted.coef_, dtype=np.float64)[0]
        return accuracies[best], -towards_success, -float(np.asarray(fitted.intercept_)[0])

    def phrase_scores(self, differences: F32) -> F64:
        """(p, s) how far each of p text differences (phrase minus its class's plain prompt, (p, d)) leads toward
        failure."""
        return (differences / self.sd_) @ self.weights_.T
