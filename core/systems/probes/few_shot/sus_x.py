"""SuS-X: a text classifier helped by a support set, retrieved from a pool by class names or made of a few labeled
images.

Source: Udandarao et al. 2023 (arXiv 2211.16198). Departures: the pool is the user's, LAION-5B is not queried; no
support image is generated (the paper's Stable Diffusion variant); `affinities.py` lists those of the affinities.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import numpy as np

from core.embeddings.texts import encode_texts
from core.encoders.arithmetic import unit_rows
from core.errors import InvalidInput
from core.options import setting
from core.records import F32, I64
from core.systems.probes.base import Needs, ProbeInput, Scored, fewer_field, logit_scale_of, shots_words
from core.systems.probes.few_shot.grid_search import SearchResult, choices_of, search_details
from core.systems.probes.few_shot.memory import DEFAULTS, Memory, sum_of, tune_weights
from core.systems.probes.few_shot.support import SupportSet, support_of, without
from core.systems.probes.records import Choice
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.prompt_settings import PromptSettings
from core.systems.probes.zero_shot.text_classifier import TextClassifier


@dataclass(frozen=True)
class SusX(PromptSettings):
    """Zero-shot logits plus the evidence of a support set by image cosine (the cache) and by class probabilities (the
    signature)."""

    title: ClassVar[str] = "SuS-X"
    what: ClassVar[str] = "Class names with similar samples from a pool (or a few labeled ones), without training."
    source: ClassVar[str] = "Udandarao et al. 2023, arXiv 2211.16198; Zhang et al. 2022 (Tip-Adapter), arXiv 2207.09519"

    affinity: str = setting(
        "tip-x",
        "similarity to support images: image cosine, also class probabilities (tip-x), or cosine in the texts' "
        "subspace",
        choices=("tip-adapter", "tip-x", "subspace"),
    )
    shots: int = setting(0, "labeled images a class as the support set (0: use a pool)", low=0, high=1000)
    per_class: int = setting(20, "support images a class from the pool", low=1, high=1000)
    query: str = setting(
        "prompts",
        "retrieval by a class's mean text, or by each of its sentences with merged ranks",
        choices=("prompts", "descriptions"),
    )
    one_class: bool = setting(False, "use each pool image only for its nearest class", advanced=True)
    balance: bool = setting(True, "give classes equal weight, whatever their number of support images", advanced=True)
    temperature: float = setting(
        0.5, "temperature of the class probabilities in the signature", low=0.01, high=10.0, advanced=True
    )
    tune: bool = setting(False, "choose alpha, beta and gamma on labeled validation images")
    validation: int = setting(VALIDATION, "validation images a class, with tune", low=1, high=1000, advanced=True)
    alpha: float | None = setting(None, "weight of the cache", low=0.0, high=1000.0, advanced=True)
    beta: float | None = setting(None, "sharpness: higher counts near images more", low=0.0, high=1000.0, advanced=True)
    gamma: float | None = setting(None, "weight of the signature", low=0.0, high=1000.0, advanced=True)
    fewer: bool = fewer_field()

    def needs(self) -> Needs:
        """Shots or a pool; validation images only to tune."""
        return Needs(self.shots, self.validation if self.tune else 0, pool=self.shots == 0)

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts, then pairs of images with support images."""
        pairs = n * k * (self.shots or self.per_class)
        each = 4e-8 + (2e-8 + 4e-10 * k) * (self.affinity == "tip-x")
        return 2.0 + 0.01 * k + pairs * each + 1.5 * self.tune

    def run(self, part: ProbeInput) -> Scored:
        """Logits = s F W + s / 100 (alpha cache + gamma signature): the papers' weights hold for s = 100 and scale
        with s."""
        texts = self.classifier(part)
        support = self._support(part, texts)
        memory = Memory.of(support.images, texts.vectors, self.affinity, self.temperature, balance=self.balance)
        part.progress("Scoring images", 1, 3)
        scale = logit_scale_of(part.encoder)
        choices, search = self._choices(part, memory, scale)
        weights = {choice.name: choice.value for choice in choices}
        part.progress("Scoring images", 2, 3)
        parts = memory.parts(part.test.features, weights, scale / weights.get("temperature", 1.0))
        controls: dict[str, I64] = {"zero-shot": parts["zero-shot"].argmax(1)[None].astype(np.int64)}
        if self.affinity == "tip-x":
            controls["cache alone"] = (parts["zero-shot"] + parts["cache"]).argmax(1)[None].astype(np.int64)
        return Scored(
            sum_of(parts),
            parts,
            controls,
            support.images,
            support.source,
            None if self.shots else support.purity,
            memory.neighbours(part.test.features),
            choices,
            texts.prompts,
            search_details(search),
            (*texts.notes, *support.notes),
        )

    def _support(self, part: ProbeInput, texts: TextClassifier) -> SupportSet:
        if self.shots:
            assert part.shots is not None
            return SupportSet(part.shots, f"{shots_words(self.shots)} a class", np.empty(0, np.float32))
        if part.pool is None:
            raise InvalidInput("SuS-X with names alone needs a pool of images. Add a pool, or set shots above 0.")
        queries, by = self._queries(part, texts)
        pool = without(part.pool, part.validation)
        return support_of(
            pool, texts.vectors, queries, part.class_names, self.per_class, one_class=self.one_class, by=by
        )

    def _queries(self, part: ProbeInput, texts: TextClassifier) -> tuple[list[F32], str]:
        if self.query == "prompts":
            return [vector[None] for vector in texts.vectors], "prompts"
        if not self.descriptions:
            raise InvalidInput(
                "The query 'descriptions' needs descriptions. Add a JSON file of sentences for each class, or use "
                "the query 'prompts'."
            )
        flat = list(chain.from_iterable(texts.prompts))
        vectors = unit_rows(encode_texts(part.encoder, flat, part.cache))
        ends = np.cumsum([len(prompts) for prompts in texts.prompts])[:-1]
        return np.split(vectors, ends), "descriptions"

    def _choices(
        self, part: ProbeInput, memory: Memory, scale: float
    ) -> tuple[tuple[Choice, ...], SearchResult | None]:
        names = ("alpha", "beta")
        if self.affinity == "tip-x":
            names = ("alpha", "beta", "gamma")
        weights = {name: getattr(self, name) for name in names}
        images = part.validation
        if self.tune and images is None and None in weights.values():
            raise InvalidInput(
                "tune needs labeled validation images, and the split leaves none. Lower the shots, or turn tune off."
            )
        if not self.tune or images is None:
            return choices_of(weights, DEFAULTS, None)
        return choices_of(weights, DEFAULTS, lambda fixed: tune_weights(memory, images, names, fixed, scale))
