"""Logistic regression on image features: the few-shot baseline without texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.linear_model import LogisticRegression

from core.options import setting
from core.records import F64, I64
from core.statistics.losses import cross_entropy_of_logits
from core.systems.probes.base import Needs, ProbeInput, Scored, fewer_field, shots_words
from core.systems.probes.few_shot.lp_plus_plus import ShotSettings, labelled, nearest_shots, validation_of
from core.systems.probes.records import Choice
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.text_classifier import text_classifier

GRID = (1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6)
BISECTIONS = 8
DEFAULT_C = 100.0
"""C without validation images: features of length 1 need a weak penalty; it had the least mean cross-entropy of the
grid on other draws."""
UNSEEN_MARGIN = 20.0
"""Logits by which a class without shots lies below the row's smallest, so that it is never predicted."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted regression and its loss on validation images."""

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
    logits = np.repeat(raw.min(1, keepdims=True) - UNSEEN_MARGIN, k, axis=1)
    logits[:, np.asarray(model.classes_)] = raw
    return logits


def fit(features: F64, labels: I64, c: float, checked: tuple[F64, I64] | None, k: int) -> Fit:
    """Fit the regression with penalty 1/C, and measure its loss on the validation images if there are any."""
    model = LogisticRegression(C=c, solver="lbfgs", max_iter=1000).fit(features, labels)
    if checked is None:
        return Fit(c, model, float("nan"))
    return Fit(c, model, float(cross_entropy_of_logits(logits_of(model, checked[0], k), checked[1]).mean()))


def choose(features: F64, labels: I64, checked: tuple[F64, I64], k: int) -> Fit:
    """The best of a coarse grid of C, then of eight halvings of the two decades around it, by validation loss.

    Source: the linear probe of Radford et al. 2021 (arXiv 2103.00020, A.3) as in the released code of CoOp. Departures:
    by cross-entropy rather than accuracy, which is coarse on few images and let C grow until the losses were useless;
    the best fit is kept, not the last; the test images are never used.
    """
    fits: dict[float, Fit] = {}

    def at(exponent: float) -> Fit:
        if exponent not in fits:
            fits[exponent] = fit(features, labels, 10.0**exponent, checked, k)
        return fits[exponent]

    peak = min((float(np.log10(c)) for c in GRID), key=lambda e: at(e).loss)
    left = peak - 1
    right = peak + 1
    for _ in range(BISECTIONS):
        middle = (left + right) / 2
        if at(left).loss > at(right).loss:
            left = middle
        else:
            right = middle
    return min(fits.values(), key=lambda f: f.loss)


@dataclass(frozen=True)
class LinearProbe(ShotSettings):
    """Logistic regression with an L2 penalty whose strength is chosen on validation images."""

    title: ClassVar[str] = "Linear probe"
    what: ClassVar[str] = "Logistic regression on the features of a few labeled samples a class, without class names."
    source: ClassVar[str] = "Radford et al. 2021, arXiv 2103.00020; grid as in Zhou et al. 2022, arXiv 2109.01134"

    c: float | None = setting(
        None, "inverse penalty strength (empty: chosen on validation images)", low=1e-6, high=1e6, advanced=True
    )
    fewer: bool = fewer_field()

    def needs(self) -> Needs:
        """Shots, and up to four images a class to choose C on unless the user set it."""
        if self.c is not None:
            return Needs(self.shots)
        return Needs(self.shots, min(self.shots, VALIDATION))

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds of about sixteen fits."""
        n_fits = 16 if self.c is None else 1
        return 1.0 + folds * n_fits * (0.03 + 1e-6 * self.shots * k * k)

    def run(self, part: ProbeInput) -> Scored:
        """Fit on the shots and score the test images."""
        features, labels = labelled(part.shots, self.title)
        k = len(part.class_names)
        assert part.shots is not None
        checked = validation_of(part, self.title)
        choices: tuple[Choice, ...] = ()
        if len(np.unique(labels)) < 2:  # one class: nothing to fit
            logits = np.full((len(part.test), k), -UNSEEN_MARGIN)
            logits[:, labels[0]] = 0.0
        else:
            if self.c is not None:
                best = fit(features, labels, self.c, None, k)
                choices = (Choice("C", best.c, "given"),)
            elif checked is not None:
                best = choose(features, labels, checked, k)
                choices = (Choice("C", best.c, "validation"),)
            else:
                best = fit(features, labels, DEFAULT_C, None, k)
                choices = (Choice("C", best.c, "fixed"),)
            logits = logits_of(best.model, part.test.features.astype(np.float64), k)
        texts = text_classifier(part.encoder, part.class_names, cache=part.cache)
        zero_shot = (part.test.features @ texts.vectors.T).argmax(1)[None].astype(np.int64)
        notes: list[str] = []
        if self.c is None and checked is None:
            notes.append(f"Without validation images, C is {DEFAULT_C:g}.")
        seen = set(labels.tolist())
        unseen = [name for c, name in enumerate(part.class_names) if c not in seen]
        if unseen:
            notes.append(
                f"{len(unseen)} classes have no shot, so the linear probe never predicts them: {', '.join(unseen[:5])}."
            )
        return Scored(
            logits,
            controls={"zero-shot": zero_shot},
            support=part.shots,
            support_source=f"{shots_words(self.shots)} a class",
            neighbours=(nearest_shots(part.test, part.shots),),
            choices=choices,
            prompts=texts.prompts,
            notes=tuple(notes),
        )
