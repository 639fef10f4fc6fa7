"""SuS-X: a text classifier helped by a support set, found in a pool by the class names alone or given as a few labeled
images.

Source: Udandarao et al. 2023 (arXiv 2211.16198). Departures: the pool is the user's, LAION-5B is not queried; no
support image is generated (the paper's Stable Diffusion variant); those of the affinities stand in `affinities.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.embeddings.texts import encode_texts
from core.encoders.arithmetic import unit_rows
from core.errors import InvalidInput
from core.options import setting
from core.records import F32, I64
from core.systems.probes.base import Needs, ProbeInput, Scored, fewer_field, logit_scale_of, said_shots
from core.systems.probes.few_shot.grid_search import SearchResult, choices_of
from core.systems.probes.few_shot.memory import DEFAULTS, Memory, sum_of, tuned
from core.systems.probes.few_shot.support import SupportSet, support_of, without
from core.systems.probes.records import Choice
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.prompt_settings import PromptSettings
from core.systems.probes.zero_shot.text_classifier import TextClassifier


@dataclass(frozen=True)
class SusX(PromptSettings):
    """Zero-shot logits plus what a support set says by image cosine (the cache) and by class probabilities (the
    signature)."""

    title: ClassVar[str] = "SuS-X"
    what: ClassVar[str] = (
        "Class names, helped by samples that they find in a pool (or by a few labeled ones); nothing is trained."
    )
    source: ClassVar[str] = "Udandarao et al. 2023, arXiv 2211.16198; Zhang et al. 2022 (Tip-Adapter), arXiv 2207.09519"

    affinity: str = setting(
        "tip-x",
        "how support images speak: by image cosine, by that and the class probabilities, "
        "or by cosine along what the texts tell apart",
        choices=("tip-adapter", "tip-x", "subspace"),
    )
    shots: int = setting(0, "labeled images a class as the support set; 0: names alone and a pool", low=0, high=1000)
    per_class: int = setting(20, "support images a class taken from the pool", low=1, high=1000)
    query: str = setting(
        "prompts",
        "what finds them: a class's mean text, or each of its sentences, ranks merged",
        choices=("prompts", "descriptions"),
    )
    one_class: bool = setting(False, "each pool image serves only the class nearest to it", advanced=True)
    balance: bool = setting(True, "classes with more support images have no louder voice", advanced=True)
    temperature: float = setting(
        0.5, "of the class probabilities that the signature compares", low=0.01, high=10.0, advanced=True
    )
    tune: bool = setting(False, "choose alpha, beta and gamma on labeled validation images instead of fixed defaults")
    validation: int = setting(
        VALIDATION, "validation images a class to choose on, with tune", low=1, high=1000, advanced=True
    )
    alpha: float | None = setting(None, "weight of the cache", low=0.0, high=1000.0, advanced=True)
    beta: float | None = setting(None, "how sharply nearness counts", low=0.0, high=1000.0, advanced=True)
    gamma: float | None = setting(None, "weight of the signature", low=0.0, high=1000.0, advanced=True)
    fewer: bool = fewer_field()

    def needs(self) -> Needs:
        """Shots or a pool; validation images only to tune."""
        return Needs(self.shots, self.validation if self.tune else 0, pool=self.shots == 0)

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts, then pairs of images with support images."""
        pairs = n * k * (self.shots or self.per_class)
        each = 4e-8 + (2e-8 + 4e-10 * k) * (self.affinity == "tip-x")
        return 2.0 + 0.01 * k + pairs * each + (1.5 if self.tune else 0.0)

    def run(self, part: ProbeInput) -> Scored:
        """Logits = s F W + s / 100 (alpha cache + gamma signature): the papers' weights hold for s = 100 and keep their
        relation at another."""
        texts = self.classifier(part)
        support = self._support(part, texts)
        memory = Memory.of(support.images, texts.vectors, self.affinity, self.temperature, balance=self.balance)
        part.progress("probe", 1, 3)
        scale = logit_scale_of(part.encoder)
        choices, found = self._choices(part, memory, scale)
        weights = {choice.name: choice.value for choice in choices}
        part.progress("probe", 2, 3)
        parts = memory.parts(part.test.features, weights, scale / weights.get("temperature", 1.0))
        logits = sum_of(parts)
        zero = parts["zero-shot"].argmax(1)[None].astype(np.int64)
        controls: dict[str, I64] = {"zero-shot": zero}
        if self.affinity == "tip-x":
            controls["cache alone"] = (parts["zero-shot"] + parts["cache"]).argmax(1)[None].astype(np.int64)
        details: dict[str, float] = (
            {} if found is None else {"validation images right": found.n_right, "settings tried": found.tried}
        )
        return Scored(
            logits,
            parts,
            controls,
            support.images,
            support.source,
            None if self.shots else support.purity,
            memory.neighbours(part.test.features),
            choices,
            texts.prompts,
            details,
            (*texts.notes, *support.notes),
        )

    def _support(self, part: ProbeInput, texts: TextClassifier) -> SupportSet:
        if self.shots:
            assert part.shots is not None
            return SupportSet(part.shots, f"{said_shots(self.shots)} a class", np.empty(0, np.float32))
        if part.pool is None:
            raise InvalidInput("SuS-X with names alone needs a pool of images. Bring one, or set shots above 0.")
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
                "Retrieval by descriptions needs some. Give a JSON file of sentences for each class, "
                "or retrieve by prompts."
            )
        vectors = unit_rows(encode_texts(part.encoder, [text for own in texts.prompts for text in own], part.cache))
        ends = np.cumsum([len(own) for own in texts.prompts])[:-1]
        return np.split(vectors, ends), "descriptions"

    def _choices(
        self, part: ProbeInput, memory: Memory, scale: float
    ) -> tuple[tuple[Choice, ...], SearchResult | None]:
        names = ("alpha", "beta", "gamma") if self.affinity == "tip-x" else ("alpha", "beta")
        given = {name: getattr(self, name) for name in names}
        images = part.validation if self.tune else None
        if self.tune and images is None and None in given.values():
            raise InvalidInput(
                "Choosing alpha, beta and gamma needs labeled validation images, and none are left. "
                "Lower the shots, or don't tune."
            )
        if images is None:
            return choices_of(given, DEFAULTS, None)
        return choices_of(given, DEFAULTS, lambda known: tuned(memory, images, names, known, scale))
