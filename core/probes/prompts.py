"""Class names as texts, and texts as a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.encoders import Encoder
from core.encoders.vectors_math import unit_rows
from core.naming import encode_texts
from core.probes.base import tidy
from core.records import F32

PROMPT_FIELDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "templates": (
        "simple",
        {"help": "the sentences around a class name: one, CLIP's best 7, CLIP's 80, or your own", "choices": ("simple", "7", "80", "own")},
    ),
    "own_templates": ("", {"help": "your own sentences, one a line, each with {} where the name goes", "kind": "text"}),
    "synonyms": ("", {"help": 'other names, one class a line, as in "sofa: couch, settee"; or a JSON file', "kind": "text", "advanced": True}),
    "descriptions": ("", {"help": "a JSON file, or its text, with sentences (CuPL) or short descriptors (DCLIP) for each class", "kind": "file"}),
    "description_weight": (
        None,
        {
            "help": "weight of the descriptions against the templates; empty pools all sentences, 1 uses descriptions alone",
            "low": 0.0,
            "high": 1.0,
            "advanced": True,
        },
    ),
    "concept": ("", {"help": 'what all classes are, as in "food": "a photo of a food: a pizza."', "advanced": True}),
}
"""Default and metadata of the settings that every probe with a text classifier shares."""


def prompt_field(name: str) -> Any:
    """A dataclass field of that shared setting: `templates: str = prompt_field("templates")`."""
    default, metadata = PROMPT_FIELDS[name]
    return field(default=default, metadata=metadata)


def prompt_settings(probe: Any) -> dict[str, Any]:
    """What `text_classifier` takes by keyword of the shared settings that this probe has."""
    return {name: getattr(probe, name) for name in PROMPT_FIELDS if hasattr(probe, name)}


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
