"""For each class a logistic regression of the model's errors on the embedding: the plainest model of failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from core.records import F64, Bool
from research.scoreboard.engines.class_lines import ClassLines


@dataclass
class ErrorLogistic(ClassLines):
    """Slice c scores a row of class c by the log odds of an error; classes in the order of the area under the ROC curve
    in two folds. Classes with fewer than two failures or successes have no slice.

    Source: Cox 1958, JRSS B 20(2). Whitened rows, heads by class and their order are ours.
    """

    title: ClassVar[str] = "Logistic regression on errors"
    penalty: float = 0.01
    """C of scikit-learn: smaller shrinks more."""

    def _fit_class(self, rows: F64, wrong: Bool) -> tuple[float, F64, float]:
        model = LogisticRegression(C=self.penalty, max_iter=300)
        halves = StratifiedKFold(2, shuffle=True, random_state=self.seed)
        held = np.asarray(cross_val_predict(model, rows, wrong, cv=halves, method="decision_function"))
        model.fit(rows, wrong)
        weights: F64 = np.asarray(model.coef_, dtype=np.float64)[0]
        return float(roc_auc_score(wrong, held)), weights, float(np.asarray(model.intercept_)[0])
