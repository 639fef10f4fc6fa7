"""Zero-shot classification by class names in sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from core.probes.base import Needs, Part, Scored, logit_scale_of
from core.probes.prompts import text_classifier


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """Cosine between an image and the mean vector of each class's sentences."""

    title: ClassVar[str] = "Zero-shot"
    what: ClassVar[str] = "Class names in sentences; no image is learned from."
    source: ClassVar[str] = "Radford et al. 2021, arXiv 2103.00020"

    templates: str = field(default="simple", metadata={"help": "the sentences around a class name", "choices": ("simple", "7", "80", "own")})

    def needs(self) -> Needs:
        """Nothing but names."""
        return Needs()

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts dominate."""
        return 2.0 + 0.01 * k

    def run(self, part: Part) -> Scored:
        """Cosines at the encoder's scale."""
        found = text_classifier(part.encoder, part.class_names, templates=self.templates, cache=part.cache)
        logits = logit_scale_of(part.encoder) * (part.test.features.astype(np.float64) @ found.vectors.T.astype(np.float64))
        return Scored(logits, prompts=found.prompts)
