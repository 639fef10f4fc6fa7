"""Zero-shot classification by class names in sentences, and by descriptions beside a control of random words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.errors import InvalidInput
from core.options import setting
from core.records import F64, I64
from core.systems.probes.base import Needs, ProbeInput, Scored, logit_scale_of
from core.systems.probes.zero_shot.prompt_settings import PromptSettings
from core.systems.probes.zero_shot.prompt_texts import PAIRS, PromptTexts, make_texts, mean_size, random_texts
from core.systems.probes.zero_shot.text_classifier import (
    SCORINGS,
    PooledTexts,
    after,
    class_vectors,
    classifier_of,
    count_texts,
    pool_texts,
    text_count,
)

SECONDS_PER_TEMPLATE = 0.0031
"""CPU seconds of the embedded encoder's text tower on one core for "a photo of a {}.": 512 texts at a time."""
SECONDS_PER_DESCRIPTION = 0.0064
"""The same for texts of some twenty words."""
LOADING = 4.0
"""CPU seconds to load that tower."""
RUNS = 7
"""Seeds of the random words, as in WaffleCLIP."""


@dataclass(frozen=True)
class ZeroShot(PromptSettings):
    """Cosine between an image and the mean vector of each class's sentences.

    Source: Radford et al. 2021 (arXiv 2103.00020, section 3.1). With descriptions: CuPL (Pratt et al. 2023, arXiv
    2209.03320) or DCLIP (Menon & Vondrick 2023, arXiv 2210.07183), always beside the templates alone and random words
    of the same number (Roth et al. 2023, arXiv 2306.07282), so that what a larger ensemble gives is not taken for
    knowledge.
    """

    title: ClassVar[str] = "Zero-shot"
    what: ClassVar[str] = "Class names in sentences, and descriptions if there are any; no sample is learned from."
    source: ClassVar[str] = "Radford et al. 2021, arXiv 2103.00020"

    description_shape: str = setting(
        "auto",
        "whether descriptions are whole sentences or short descriptors; auto tells by the texts",
        choices=("auto", "sentences", "descriptors"),
        advanced=True,
    )
    scoring: str = setting(
        "mean vector",
        "a class's score: cosine with the mean of its texts, or the mean of the cosines",
        choices=SCORINGS,
        advanced=True,
    )
    random_words: str = setting(
        "matched",
        "size of the control of random words: as many as a class has descriptions, or WaffleCLIP's 30",
        choices=("matched", "30"),
        advanced=True,
    )
    random_runs: int = setting(
        RUNS, "how often random words are drawn; 0 leaves the control out", low=0, high=100, advanced=True
    )

    def __post_init__(self) -> None:
        PromptSettings.__post_init__(self)
        if not 0 <= self.random_runs <= 100:
            raise InvalidInput(f"random_runs must be 0 to 100: got {self.random_runs}. The default is {RUNS}.")

    def needs(self) -> Needs:
        """Nothing but names."""
        return Needs()

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts dominate. Other names are not counted."""
        first, second = text_count(self.templates, self.own_templates, self.descriptions)
        random = self.random_runs * (2 * PAIRS if self.random_words == "30" else second) if second else 0.0
        texts = k * (first * SECONDS_PER_TEMPLATE + (second + random) * SECONDS_PER_DESCRIPTION)
        return LOADING + texts + 2e-9 * n * k * 512

    def run(self, part: ProbeInput) -> Scored:
        """Cosines at the encoder's scale, with what the descriptions add to them as a part of its own."""
        told = {**self.texts(), "description_shape": self.description_shape, "modality": part.encoder.modality}
        texts = make_texts(part.class_names, **told)
        controls = self._random(texts, part.seed) if texts.described else []
        total = sum(map(count_texts, [texts.templated, texts.described, *controls]))
        features = part.test.features.astype(np.float64)
        scale = logit_scale_of(part.encoder)

        def pooled(prompts: tuple[tuple[str, ...], ...], done: int) -> PooledTexts:
            return pool_texts(part.encoder, prompts, part.cache, after(part.progress, done, total))

        templated = pooled(texts.templated, 0)
        done = count_texts(texts.templated)
        described = pooled(texts.described, done) if texts.described else None
        found = classifier_of(texts, templated, described, self.description_weight, self.scoring)
        details: dict[str, Any] = {"Texts": count_texts(found.prompts), "Texts that lost their end": found.truncated}
        vectors = class_vectors(templated, described, self.description_weight, self.scoring)
        shares = [scale * (features @ share.T) for share in vectors]
        if described is None:
            return Scored(shares[0], prompts=found.prompts, details=details, notes=found.notes)
        done += count_texts(texts.described)
        beside = {"templates alone": self._predict(features, templated, None)[None]}
        if controls:
            predictions: list[I64] = []
            for prompts in controls:
                predictions.append(self._predict(features, templated, pooled(prompts, done)))
                done += count_texts(prompts)
            beside = {"random words": np.stack(predictions), **beside}
            details["Example of random words"] = next(own[0] for own in controls[0] if own)
            details["Random texts a class"] = max(map(len, controls[0]))
        return Scored(
            shares[0] + shares[1],
            parts={"templates": shares[0], "descriptions": shares[1]},
            controls=beside,
            prompts=found.prompts,
            details=details,
            notes=found.notes,
        )

    def _random(self, texts: PromptTexts, seed: int) -> list[tuple[tuple[str, ...], ...]]:
        size = 2 * PAIRS if self.random_words == "30" else mean_size(texts)
        return [random_texts(texts, size, (seed, run)) for run in range(self.random_runs)]

    def _predict(self, features: F64, templated: PooledTexts, described: PooledTexts | None) -> I64:
        """(m,) classes that the same settings predict with other descriptions, or none."""
        first, second = class_vectors(templated, described, self.description_weight, self.scoring)
        return (features @ (first + second).T).argmax(1).astype(np.int64)
