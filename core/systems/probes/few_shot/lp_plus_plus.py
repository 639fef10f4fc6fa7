"""LP++: a linear head on the image features plus the text classifier, weighted by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.errors import InvalidInput
from core.records import F64, I64, Progress, no_progress
from core.statistics.losses import cross_entropy_of_logits, softmax
from core.systems.probes.base import (
    Images,
    Needs,
    ProbeInput,
    Scored,
    fewer_field,
    logit_scale_of,
    shots_field,
    shots_words,
)
from core.systems.probes.few_shot.grid_search import temperature_of
from core.systems.probes.records import Choice, Neighbours
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.prompt_settings import PromptSettings

STEPS = 300
MOMENTUM = 0.9
NEAREST_SHOTS = 8
"""Support images listed for each scored image."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """logits = f w_c + b_c + alpha_c (f . t_c) for k classes of d-dimensional features."""

    weights: F64
    """(k, d)"""
    bias: F64
    """(k,)"""
    alpha: F64
    """(k,)"""
    step: int
    """Steps until this head; 0 is the start."""

    def images(self, features: F64) -> F64:
        """(n, k) logits learned from images: f w_c + b_c."""
        return features @ self.weights.T + self.bias


def fit_head(
    features: F64,
    labels: I64,
    texts: F64,
    start: float,
    checked: tuple[F64, I64] | None = None,
    *,
    steps: int = STEPS,
    progress: Progress = no_progress,
) -> Head:
    """Fit the head to labeled features by full-batch gradient steps whose sizes follow from the data.

    Args:
        features: (n, d) unit rows of the shots.
        labels: (n,) class of each.
        texts: (k, d) unit rows, the text classifier.
        start: alpha of every class at the beginning.
        checked: validation features and labels; the step with the least cross-entropy on them is kept. None keeps the
            last step.

    Source: Huang et al. 2024 (LP++), arXiv 2404.02285, eq. 1, sections 4.2 and 4.3, and the released code, which begins
    with the classes' centroids and takes 300 steps with momentum 0.9. Departures, each chosen on other draws of the
    data than those that are reported: (a) alpha begins near the encoder's logit scale (`start_of`), so that the text
    part begins as zero-shot; 250 times the mean similarity of a shot to its class, as in the code, fits the cosines of
    OpenAI's CLIP and no others. (b) The step of w and b is 1/L of the bound L = lambda_max / 2n on the curvature of the
    cross-entropy (Boehning 1992), with a 1 beside the features for b; the code takes twice that and leaves b out. (c)
    alpha is stepped each time by its present gradient; the code steps it every tenth time by a sum of gradients that it
    never clears. (d) The step is kept that has the least validation cross-entropy rather than the highest accuracy,
    which is coarse on few images; the start is a candidate. (e) A centroid is a mean, where the code has a sum that
    grows with the shots.
    """
    n = len(features)
    k = len(texts)
    hot = np.eye(k)[labels]
    cosines = features @ texts.T
    weights = hot.T @ features / np.maximum(hot.sum(0), 1)[:, None]
    bias = np.zeros(k)
    alpha = np.full(k, float(start))
    step_w, step_a = step_sizes(features, cosines)
    moved_w = np.zeros_like(weights)
    moved_b = np.zeros(k)
    best = Head(weights, bias, alpha, 0)
    least = np.inf
    for step in range(steps + 1):
        head = Head(weights, bias, alpha, step)
        if checked is None:
            best = head
        else:
            logits = head.images(checked[0]) + alpha * (checked[0] @ texts.T)
            loss = float(cross_entropy_of_logits(logits, checked[1]).mean())
            if loss < least:
                best = head
                least = loss
        residual = (softmax(head.images(features) + alpha * cosines) - hot) / n
        moved_w = MOMENTUM * moved_w + residual.T @ features
        moved_b = MOMENTUM * moved_b + residual.sum(0)
        weights = weights - step_w * moved_w
        bias = bias - step_w * moved_b
        alpha = alpha - step_a * (residual * cosines).sum(0)
        progress("Training the head", step, steps)
    return best


def start_of(scale: float, texts: F64, shots: tuple[F64, I64], checked: tuple[F64, I64] | None) -> float:
    """The start of alpha: a twentieth to five times the encoder's logit scale, where zero-shot has the least
    cross-entropy on shots and validation images; the scale itself without validation images.

    An encoder's scale suits its images and names on average. If it is too large for these, as 35 is for clothing, 300
    steps do not recover, and accuracy and calibration are lost.
    """
    if checked is None:
        return scale
    features = np.concatenate([shots[0], checked[0]])
    labels = np.concatenate([shots[1], checked[1]])
    return scale / temperature_of(scale * (features @ texts.T), labels)


def step_sizes(features: F64, cosines: F64) -> tuple[float, float]:
    """Steps of (w and b) and of alpha: the inverse of bounds on the loss's curvature in each.

    Args:
        features: (n, d) rows.
        cosines: (n, k) to each class's text vector.
    """
    n = len(features)
    wide = np.c_[features, np.ones(n)]  # the 1 is what b multiplies
    gram = wide @ wide.T if n < wide.shape[1] else wide.T @ wide
    largest = float(np.linalg.eigvalsh(gram)[-1])
    # 1/L with L = lambda_max / 2n (Boehning 1992); of alpha the same bound on each class's own cosines
    return 2 * n / largest, n / (4 * max(float((cosines**2).sum(0).max()), 1e-12))


def nearest_shots(test: Images, shots: Images, keep: int = NEAREST_SHOTS) -> Neighbours:
    """The shots with the largest cosine to each scored image."""
    return nearest_rows(test.features @ shots.features.T, keep)


def nearest_rows(cosines: np.ndarray[tuple[int, int], np.dtype[np.float32]], keep: int = NEAREST_SHOTS) -> Neighbours:
    """The positions of the largest of (m, s) cosines, nearest first; ties in their order."""
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :keep].astype(np.int64)
    return Neighbours("image", nearest, np.take_along_axis(cosines, nearest, 1))


def labelled(images: Images | None, title: str) -> tuple[F64, I64]:
    """Features in float64 and labels of the shots.

    Raises:
        InvalidInput: shots or their labels are missing.
    """
    if images is None or images.labels is None or not len(images):
        raise InvalidInput(f"{title} learns from labeled images and got none. Use at least one shot a class.")
    return images.features.astype(np.float64), images.labels


def validation_of(part: ProbeInput, title: str) -> tuple[F64, I64] | None:
    """Features and labels of the validation images; None without any."""
    if part.validation is None or not len(part.validation):
        return None
    return labelled(part.validation, title)


@dataclass(frozen=True)
class ShotSettings:
    """Settings of linear heads that come first."""

    shots: int = shots_field(4)


@dataclass(frozen=True)
class LinearProbePlusPlus(PromptSettings, ShotSettings):
    """A linear head added to weighted zero-shot logits."""

    title: ClassVar[str] = "LP++"
    what: ClassVar[str] = (
        "A linear head on a few labeled samples a class, blended with the class names' texts; "
        "seconds on a CPU, without tuning."
    )
    source: ClassVar[str] = "Huang et al. 2024, CVPR, arXiv 2404.02285"

    fewer: bool = fewer_field()

    def needs(self) -> Needs:
        """Shots, and up to four images a class to choose the step on."""
        return Needs(self.shots, min(self.shots, VALIDATION))

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts, and 300 products of shots and classes."""
        return 2.0 + 0.01 * k + folds * STEPS * 1e-7 * self.shots * k * k + 1e-7 * n * k

    def run(self, part: ProbeInput) -> Scored:
        """Fit on the shots, keep the best step on validation, score the test images."""
        classifier = self.classifier(part)
        features, labels = labelled(part.shots, self.title)
        assert part.shots is not None
        texts = classifier.vectors.astype(np.float64)
        scale = logit_scale_of(part.encoder)
        checked = validation_of(part, self.title)
        notes = classifier.notes
        how = "validation"
        if checked is None:
            notes += (f"Without validation images, all {STEPS} steps were taken.",)
            how = "fixed"
        start = start_of(scale, texts, (features, labels), checked)
        head = fit_head(features, labels, texts, start, checked, progress=part.progress)
        test = part.test.features.astype(np.float64)
        cosines = test @ texts.T
        parts = {"zero-shot": head.alpha * cosines, "images": head.images(test)}
        return Scored(
            parts["zero-shot"] + parts["images"],
            parts,
            {"zero-shot": cosines.argmax(1)[None].astype(np.int64)},
            part.shots,
            f"{shots_words(self.shots)} a class",
            neighbours=(nearest_shots(part.test, part.shots),),
            choices=(Choice("steps", head.step, how), Choice("alpha at the start", start, how)),
            prompts=classifier.prompts,
            details={"alpha by class": {name: float(a) for name, a in zip(part.class_names, head.alpha)}},
            notes=notes,
        )
