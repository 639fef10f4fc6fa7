"""Logistic regression on image features: the few-shot baseline that knows no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.linear_model import LogisticRegression

from core.options import setting
from core.records import F64, I64
from core.statistics.losses import cross_entropy_of_logits
from core.systems.probes.base import Needs, ProbeInput, Scored, fewer_field, said_shots
from core.systems.probes.few_shot.lp_plus_plus import ShotSettings, labelled, nearest_shots
from core.systems.probes.records import Choice
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.text_classifier import text_classifier

GRID = (1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6)
BISECTIONS = 8
FIXED = 100.0
"""C where none can be chosen: features of length 1 need a weak penalty; the least mean cross-entropy of the grid on
other draws."""
UNSEEN = 20.0
"""How far the logit of a class without shots lies below the row's least: such a class is never said."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted regression and how it does on validation images."""

    c: float
    model: Any
    loss: float
    """Mean cross-entropy of the validation images; nan without any."""


def logits_of(model: Any, features: F64, k: int) -> F64:
    """(n, k) logits of a fitted regression whose softmax is its `predict_proba`; classes without shots lie far below
    the others."""
    raw = np.asarray(model.decision_function(features), np.float64)
    if raw.ndim == 1:  # two classes: one number, the log odds of the second
        raw = np.stack([-raw / 2, raw / 2], axis=1)
    logits = np.repeat(raw.min(1, keepdims=True) - UNSEEN, k, axis=1)
    logits[:, np.asarray(model.classes_)] = raw
    return logits


def fit(features: F64, labels: I64, c: float, checked: tuple[F64, I64] | None, k: int) -> Fit:
    """The regression with penalty 1/C, judged on the validation images where there are any."""
    model = LogisticRegression(C=c, solver="lbfgs", max_iter=1000).fit(features, labels)
    if checked is None:
        return Fit(c, model, float("nan"))
    return Fit(c, model, float(cross_entropy_of_logits(logits_of(model, checked[0], k), checked[1]).mean()))


def choose(features: F64, labels: I64, checked: tuple[F64, I64], k: int) -> Fit:
    """The best of a coarse grid of C, then of eight halvings of the two decades around it, by validation loss.

    Source: the linear probe of Radford et al. 2021 (arXiv 2103.00020, A.3) as in the released code of CoOp. Departures:
    by cross-entropy rather than accuracy, which is coarse on few images and let C grow until the losses were useless;
    the best fit met is kept, not the last; the test images are never looked at.
    """
    tried: dict[float, Fit] = {}

    def at(exponent: float) -> Fit:
        if exponent not in tried:
            tried[exponent] = fit(features, labels, 10.0**exponent, checked, k)
        return tried[exponent]

    peak = min((float(np.log10(c)) for c in GRID), key=lambda e: at(e).loss)
    left = peak - 1
    right = peak + 1
    for _ in range(BISECTIONS):
        middle = (left + right) / 2
        if at(left).loss > at(right).loss:
            left = middle
        else:
            right = middle
    return min(tried.values(), key=lambda f: f.loss)


@dataclass(frozen=True)
class LinearProbe(ShotSettings):
    """Logistic regression with an L2 penalty whose strength is chosen on validation images."""

    title: ClassVar[str] = "Linear probe"
    what: ClassVar[str] = (
        "Logistic regression on the features of a few labeled samples a class; class names play no part."
    )
    source: ClassVar[str] = "Radford et al. 2021, arXiv 2103.00020; grid as in Zhou et al. 2022, arXiv 2109.01134"

    c: float | None = setting(
        None, "inverse strength of the penalty; empty: chosen on validation images", low=1e-6, high=1e6, advanced=True
    )
    fewer: bool = fewer_field()

    def needs(self) -> Needs:
        """Shots, and up to four images a class to choose C on unless it is given."""
        return Needs(self.shots, 0 if self.c is not None else min(self.shots, VALIDATION))

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds of about sixteen fits."""
        return 1.0 + folds * (16 if self.c is None else 1) * (0.03 + 1e-6 * self.shots * k * k)

    def run(self, part: ProbeInput) -> Scored:
        """Fit on the shots and score the test images."""
        (features, labels), k = labelled(part.shots, self.title), len(part.class_names)
        assert part.shots is not None
        checked = None if part.validation is None or not len(part.validation) else labelled(part.validation, self.title)
        if len(np.unique(labels)) < 2:
            best = None
            logits = _one_class(labels, k, len(part.test))
        else:
            best = (
                choose(features, labels, checked, k)
                if self.c is None and checked
                else fit(features, labels, self.c or FIXED, None, k)
            )
            logits = logits_of(best.model, part.test.features.astype(np.float64), k)
        found = text_classifier(part.encoder, part.class_names, cache=part.cache)
        zero_shot = (part.test.features @ found.vectors.T).argmax(1)[None].astype(np.int64)
        return Scored(
            logits,
            controls={"zero-shot": zero_shot},
            support=part.shots,
            support_source=f"{said_shots(self.shots)} a class",
            neighbours=(nearest_shots(part.test, part.shots),),
            choices=()
            if best is None
            else (Choice("C", best.c, "given" if self.c is not None else "validation" if checked else "fixed"),),
            prompts=found.prompts,
            notes=self._said(labels, part, checked is not None),
        )

    def _said(self, labels: I64, part: ProbeInput, chosen: bool) -> tuple[str, ...]:
        notes: list[str] = []
        if self.c is None and not chosen:
            notes.append(f"No image was left to choose C on, so it is fixed at {FIXED:g}.")
        without = [name for c, name in enumerate(part.class_names) if c not in set(labels.tolist())]
        if without:
            notes.append(
                f"{len(without)} classes have no shot, and a linear probe never says such a class: "
                f"{', '.join(without[:5])}."
            )
        return tuple(notes)


def _one_class(labels: I64, k: int, m: int) -> F64:
    logits = np.full((m, k), -UNSEEN)
    logits[:, labels[0]] = 0.0
    return logits
