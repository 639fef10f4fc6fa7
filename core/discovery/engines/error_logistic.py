"""For each class a logistic regression of the model's errors on the embedding: the plainest model of failure."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from core.discovery.engines import failures, usable_classes
from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool


@dataclass
class ErrorLogistic:
    """Slice c scores a row of class c by the log odds of an error; classes in the order of the area under the ROC curve
    in two folds. Classes with fewer than two failures or successes have no slice.

    Source: Cox 1958, JRSS B 20(2). Whitened rows, heads by class and their order are ours.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels",)
    n_slices: int = 5
    penalty: float = 0.01
    """C of scikit-learn: smaller shrinks more."""
    seed: int = 0
    mean_: F64 = field(init=False, repr=False)
    sd_: F64 = field(init=False, repr=False)
    classes_: list[int] = field(init=False, repr=False)
    weights_: F64 = field(init=False, repr=False)
    """(s, d) towards failure."""
    offsets_: F64 = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        wrong = failures("Logistic regression on errors", labels, probabilities, errors)
        self.mean_ = embeddings.mean(0).astype(np.float64)
        self.sd_ = np.maximum(embeddings.std(0).astype(np.float64), 1e-12)
        rows = (embeddings - self.mean_) / self.sd_
        fits = [(*self._fit_class(rows[labels == c], wrong[labels == c]), c) for c in usable_classes(labels, wrong)]
        if not fits:
            raise InvalidInput(
                "Logistic regression on errors needs a class with at least two failures and two successes: none has. "
                "Bring more rows."
            )
        fits = sorted(fits, key=lambda one: -one[0])[: self.n_slices]
        self.weights_ = np.stack([one[1] for one in fits])
        self.offsets_ = np.array([one[2] for one in fits])
        self.classes_ = [one[3] for one in fits]
        return self

    def _fit_class(self, rows: F64, wrong: Bool) -> tuple[float, F64, float]:
        """(area under the curve out of fold, weights, offset)."""
        model = LogisticRegression(C=self.penalty, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a rough optimum ranks rows as well
            halves = StratifiedKFold(2, shuffle=True, random_state=self.seed)
            held = np.asarray(cross_val_predict(model, rows, wrong, cv=halves, method="decision_function"))
            model.fit(rows, wrong)
        weights: F64 = np.asarray(model.coef_, dtype=np.float64)[0]
        return float(roc_auc_score(wrong, held)), weights, float(np.asarray(model.intercept_)[0])

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        odds = (embeddings - self.mean_) / self.sd_ @ self.weights_.T + self.offsets_
        return np.where(labels[:, None] == np.array(self.classes_), odds, -np.inf)
