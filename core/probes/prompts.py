"""Class names as texts, and texts as a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.encoders import Encoder
from core.encoders.vectors_math import unit_rows
from core.naming import encode_texts
from core.probes.base import tidy
from core.records import F32


@dataclass(frozen=True, slots=True, eq=False)
class TextClassifier:
    """k classes as unit vectors of the joint space."""

    vectors: F32
    """(k, d) unit rows."""
    prompts: tuple[tuple[str, ...], ...]
    """For each class the texts behind its vector."""
    truncated: int = 0
    """Texts that lost their end to the tower's limit."""
    notes: tuple[str, ...] = ()


def text_classifier(
    encoder: Encoder,
    class_names: Sequence[str],
    *,
    templates: str = "simple",
    own_templates: str = "",
    synonyms: str = "",
    descriptions: str = "",
    description_weight: float | None = None,
    concept: str = "",
    cache: Path | None = None,
) -> TextClassifier:
    """The classifier that a text tower makes of class names."""
    prompts = tuple((f"a photo of a {name}.",) for name in tidy(class_names))
    return TextClassifier(mean_vectors(encoder, prompts, cache), prompts)


def mean_vectors(encoder: Encoder, prompts: Sequence[Sequence[str]], cache: Path | None = None) -> F32:
    """(k, d) for each class the mean of its prompts' unit vectors, scaled to length 1 again, as in CLIP's released code."""
    texts = [text for own in prompts for text in own]
    vectors = encode_texts(encoder, texts, cache)
    of = np.repeat(np.arange(len(prompts)), [len(own) for own in prompts])
    sums = np.zeros((len(prompts), vectors.shape[1]))
    np.add.at(sums, of, vectors.astype(np.float64))
    return unit_rows(sums)
