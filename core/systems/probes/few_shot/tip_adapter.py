"""Tip-Adapter: a few labeled images as a cache beside the text classifier; -F also trains the cache's keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from core.errors import InvalidInput
from core.options import setting
from core.records import F32, F64, I64, Progress, no_progress
from core.statistics import losses
from core.systems.common.epochs import Best
from core.systems.common.schedule import cosine
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
from core.systems.probes.few_shot.affinities import cache_values, nearest, tip_evidence
from core.systems.probes.few_shot.grid_search import (
    SearchResult,
    axis_of,
    choices_of,
    coarse_to_fine,
    geometric,
    search_details,
)
from core.systems.probes.few_shot.memory import NEIGHBOURS, SCALE, sum_of
from core.systems.probes.records import Choice, Neighbours
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.prompt_settings import PromptSettings

DEFAULTS = {"alpha": 1.0, "beta": 5.5}
"""Weights without a search."""
GRIDS = {"beta": geometric(0.1, 20, 12), "alpha": geometric(0.1, 50, 12, zero=True)}
EPOCHS = 20
BATCH_ROWS = 256
RATE = 1e-3


@dataclass(frozen=True)
class CacheSettings:
    """Settings of Tip-Adapter that come first."""

    shots: int = shots_field(16)
    train_keys: bool = setting(True, "train the keys (Tip-Adapter-F)")


@dataclass(frozen=True)
class TipAdapter(PromptSettings, CacheSettings):
    """Zero-shot logits plus exp(-beta (1 - cosine)) to each labeled image, summed by class."""

    title: ClassVar[str] = "Tip-Adapter"
    what: ClassVar[str] = "A few labeled samples a class as a cache beside the class names; -F trains the cache's keys."
    source: ClassVar[str] = "Zhang et al. 2022, arXiv 2207.09519"

    tune: bool = setting(True, "choose the epoch, alpha and beta on validation images, not the last and defaults")
    epochs: int = setting(EPOCHS, "passes over the shots", low=1, high=1000, advanced=True)
    alpha: float | None = setting(None, "weight of the cache", low=0.0, high=1000.0, advanced=True)
    beta: float | None = setting(None, "sharpness: higher counts near images more", low=0.0, high=1000.0, advanced=True)
    fewer: bool = fewer_field()

    def needs(self) -> Needs:
        """Shots, and validation images to choose on."""
        return Needs(self.shots, VALIDATION if self.tune else 0)

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts, the pairs of images with shots, and the training."""
        s = k * self.shots
        return 2.0 + 0.01 * k + folds * (1.0 + 7e-8 * self.epochs * s * s) * self.train_keys + 3e-8 * n * s

    def run(self, part: ProbeInput) -> Scored:
        """Logits = s F W + s / 100 alpha cache: the paper's alpha holds for s = 100."""
        shots = part.shots
        if shots is None or shots.labels is None:
            raise InvalidInput(
                "Tip-Adapter needs labeled images besides the scored ones. Use at least one shot a class."
            )
        texts = self.classifier(part)
        vectors = texts.vectors.astype(np.float64)
        values = cache_values(shots.labels, len(part.class_names))
        scale = logit_scale_of(part.encoder)
        keys = shots.features.astype(np.float64)
        epoch = None
        if self.train_keys:
            # The paper sets the weights for training by hand for each data set; here they are the best ones with
            # untrained keys.
            start = {c.name: c.value for c in self._choices(keys, values, vectors, part.validation, scale)[0]}
            keys, epoch = train_keys(
                shots, values, vectors, start, part.validation, self.epochs, part.seed, part.progress, scale=scale
            )
        choices, search = self._choices(keys, values, vectors, part.validation, scale)
        weights = {choice.name: choice.value for choice in choices}
        scale /= weights.get("temperature", 1.0)
        zero = scale * (part.test.features.astype(np.float64) @ vectors.T)
        cache = scale / SCALE * weights["alpha"] * tip_evidence(part.test.features, keys, values, weights["beta"])
        parts = {"zero-shot": zero, "cache": cache}
        if epoch is not None:
            how = "fixed" if part.validation is None else "validation"
            choices = (*choices, Choice("epoch", float(epoch), how))
        return Scored(
            sum_of(parts),
            parts,
            {"zero-shot": zero.argmax(1)[None].astype(np.int64)},
            shots,
            f"{shots_words(self.shots)} a class",
            neighbours=(Neighbours("image", *nearest(part.test.features, shots.features, NEIGHBOURS)),),
            choices=choices,
            prompts=texts.prompts,
            details=search_details(search),
            notes=texts.notes,
        )

    def _choices(
        self, keys: F64, values: F64, vectors: F64, images: Images | None, scale: float
    ) -> tuple[tuple[Choice, ...], SearchResult | None]:
        weights = {name: getattr(self, name) for name in DEFAULTS}
        if images is None or not self.tune:
            return choices_of(weights, DEFAULTS, None)
        return choices_of(weights, DEFAULTS, lambda fixed: _tune_weights(keys, values, vectors, images, fixed, scale))


def _tune_weights(
    keys: F64, values: F64, vectors: F64, images: Images, fixed: Mapping[str, float], scale: float
) -> SearchResult:
    assert images.labels is not None
    zero = scale * (images.features.astype(np.float64) @ vectors.T)

    @lru_cache(maxsize=1)  # beta changes slowest
    def cache(beta: float) -> F64:
        return tip_evidence(images.features, keys, values, beta)

    def logits_of(weights: Mapping[str, float]) -> F64:
        return zero + scale / SCALE * weights["alpha"] * cache(weights["beta"])

    axes = [axis_of(n, fixed.get(n), DEFAULTS[n], GRIDS[n]) for n in ("beta", "alpha")]
    return coarse_to_fine(axes, logits_of, images.labels)


def train_keys(
    shots: Images,
    values: F64,
    vectors: F64,
    weights: Mapping[str, float],
    validation: Images | None = None,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress = no_progress,
    *,
    scale: float = SCALE,
) -> tuple[F64, int]:
    """Train the keys of the cache from the shots' features; returns (keys, their epoch), 0 for untrained.

    Args:
        shots: (s, d) with labels.
        values: (s, k) the cache's labels.
        vectors: (k, d) the classes' texts.
        weights: alpha and beta while training.
        validation: the epoch with most of these right is kept, then the lower cross-entropy; None keeps the last.
        scale: of the logits; alpha is stated for a scale of 100.

    Source: Zhang et al. 2022, section 3.3, and the released code (AdamW, rate 1e-3 falling as a cosine by step, epsilon
    1e-4). Departures: the epoch is chosen on validation images, where the released code takes the best on the test
    images; features are cached, so shots are not cropped at random; and the loss is taken at the encoder's own scale,
    which is the paper's for OpenAI's CLIP.
    """
    import torch

    from core.systems.common.steps import take_step

    assert shots.labels is not None
    f, t, v = (torch.tensor(np.asarray(a, np.float32)) for a in (shots.features, vectors, values))
    y = torch.tensor(shots.labels)
    keys = torch.nn.Parameter(f.clone())
    step = 0
    steps = -(-len(f) // BATCH_ROWS) * epochs
    optimiser = torch.optim.AdamW([keys], lr=RATE, eps=1e-4)
    rng = np.random.default_rng(seed)
    alpha = weights["alpha"]
    beta = weights["beta"]
    best = Best(f.numpy().astype(np.float64))
    best.offer(0, _judge(f.numpy(), values, vectors, weights, validation, scale), lambda: best.weights)
    for epoch in range(1, epochs + 1):
        progress("Training the keys", epoch - 1, epochs)
        for at in np.array_split(rng.permutation(len(f)), -(-len(f) // BATCH_ROWS)):
            rows = torch.from_numpy(at)
            affinity = torch.exp(-beta * (1 - f[rows] @ keys.T))
            loss = torch.nn.functional.cross_entropy(
                scale * (f[rows] @ t.T) + scale / SCALE * alpha * (affinity @ v), y[rows]
            )
            take_step(optimiser, loss, cosine(step, steps), clip=None)
            step += 1
        trained = keys.detach().numpy()
        score: tuple[float, ...] = (epoch,)  # without validation images the last epoch wins
        if validation is not None:
            score = _judge(trained, values, vectors, weights, validation, scale)
        best.offer(epoch, score, lambda trained=trained: trained.astype(np.float64))
    return best.weights, best.epoch


def _judge(
    keys: F32, values: F64, vectors: F64, weights: Mapping[str, float], images: Images | None, scale: float
) -> tuple[int, float]:
    """(right, -cross-entropy) of the validation images; larger is better."""
    if images is None:
        return 0, 0.0
    labels: I64 | None = images.labels
    assert labels is not None
    cache = tip_evidence(images.features, keys, values, weights["beta"])
    logits = scale * (images.features.astype(np.float64) @ vectors.T) + scale / SCALE * weights["alpha"] * cache
    return int((logits.argmax(1) == labels).sum()), -float(losses.cross_entropy_of_logits(logits, labels).mean())
