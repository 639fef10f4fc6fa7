"""Zero-shot classification by class names in sentences, and by descriptions with a control of random words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.errors import InvalidInput
from core.options import setting
from core.records import F64, I64
from core.systems.probes.base import Needs, ProbeInput, Scored, logit_scale_of
from core.systems.probes.zero_shot.prompt_settings import PromptSettings
from core.systems.probes.zero_shot.prompt_texts import PAIRS, make_texts, mean_size, random_texts
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
LOADING_SECONDS = 4.0
"""CPU seconds to load that tower."""
RANDOM_RUNS = 7
"""Seeds of the random words, as in WaffleCLIP."""


@dataclass(frozen=True)
class ZeroShot(PromptSettings):
    """Cosine between an image and the mean vector of each class's sentences.

    Source: Radford et al. 2021 (arXiv 2103.00020, section 3.1). With descriptions: CuPL (Pratt et al. 2023, arXiv
    2209.03320) or DCLIP (Menon & Vondrick 2023, arXiv 2210.07183), always with two controls: the templates
    alone, and as many random words (Roth et al. 2023, arXiv 2306.07282), so that the gain of a larger ensemble is not
    mistaken for knowledge.
    """

    title: ClassVar[str] = "Zero-shot"
    what: ClassVar[str] = "Class names in sentences, with optional descriptions; learns from no sample."
    source: ClassVar[str] = "Radford et al. 2021, arXiv 2103.00020"

    description_shape: str = setting(
        "auto",
        "whether descriptions are sentences or short descriptors (auto: by the texts)",
        choices=("auto", "sentences", "descriptors"),
        advanced=True,
    )
    scoring: str = setting(
        "mean vector",
        "score of a class: cosine with the mean of its texts, or mean of the cosines",
        choices=SCORINGS,
        advanced=True,
    )
    random_words: str = setting(
        "matched",
        "random words in the control: as many as descriptions of a class, or WaffleCLIP's 30",
        choices=("matched", "30"),
        advanced=True,
    )
    random_runs: int = setting(
        RANDOM_RUNS, "draws of random words (0: without the control)", low=0, high=100, advanced=True
    )

    def __post_init__(self) -> None:
        PromptSettings.__post_init__(self)
        if not 0 <= self.random_runs <= 100:
            raise InvalidInput(f"random_runs must be 0 to 100: got {self.random_runs}. The default is {RANDOM_RUNS}.")

    def needs(self) -> Needs:
        """Nothing but names."""
        return Needs()

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts dominate. Other names are not counted."""
        n_templates, n_descriptions = text_count(self.templates, self.own_templates, self.descriptions)
        n_random = 0.0
        if n_descriptions:
            n_random = self.random_runs * (2 * PAIRS if self.random_words == "30" else n_descriptions)
        texts = k * (n_templates * SECONDS_PER_TEMPLATE + (n_descriptions + n_random) * SECONDS_PER_DESCRIPTION)
        return LOADING_SECONDS + texts + 2e-9 * n * k * 512

    def run(self, part: ProbeInput) -> Scored:
        """Cosines at the encoder's scale, with the contribution of the descriptions as a separate part."""
        settings = {**self.texts(), "description_shape": self.description_shape, "modality": part.encoder.modality}
        texts = make_texts(part.class_names, **settings)
        controls: list[tuple[tuple[str, ...], ...]] = []
        if texts.described:
            size = 2 * PAIRS if self.random_words == "30" else mean_size(texts)
            controls = [random_texts(texts, size, (part.seed, run)) for run in range(self.random_runs)]
        total = sum(map(count_texts, [texts.templated, texts.described, *controls]))
        features = part.test.features.astype(np.float64)
        scale = logit_scale_of(part.encoder)

        def pooled(prompts: tuple[tuple[str, ...], ...], done: int) -> PooledTexts:
            return pool_texts(part.encoder, prompts, part.cache, after(part.progress, done, total))

        templated = pooled(texts.templated, 0)
        done = count_texts(texts.templated)
        described = None
        if texts.described:
            described = pooled(texts.described, done)
            done += count_texts(texts.described)
        classifier = classifier_of(texts, templated, described, self.description_weight, self.scoring)
        details: dict[str, Any] = {"Texts": count_texts(classifier.prompts), "Truncated texts": classifier.truncated}
        vectors = class_vectors(templated, described, self.description_weight, self.scoring)
        shares = [scale * (features @ share.T) for share in vectors]
        if described is None:
            return Scored(shares[0], prompts=classifier.prompts, details=details, notes=classifier.notes)
        alone = self._predict(features, templated, None)[None]
        predictions: dict[str, I64] = {}
        if controls:
            random: list[I64] = []
            for prompts in controls:
                random.append(self._predict(features, templated, pooled(prompts, done)))
                done += count_texts(prompts)
            predictions["random words"] = np.stack(random)
            details["Example of random words"] = next(own_texts[0] for own_texts in controls[0] if own_texts)
            details["Random texts a class"] = max(map(len, controls[0]))
        predictions["templates alone"] = alone
        return Scored(
            shares[0] + shares[1],
            parts={"templates": shares[0], "descriptions": shares[1]},
            controls=predictions,
            prompts=classifier.prompts,
            details=details,
            notes=classifier.notes,
        )

    def _predict(self, features: F64, templated: PooledTexts, described: PooledTexts | None) -> I64:
        """(m,) classes predicted with the same settings and other descriptions, or none."""
        first, second = class_vectors(templated, described, self.description_weight, self.scoring)
        return (features @ (first + second).T).argmax(1).astype(np.int64)
