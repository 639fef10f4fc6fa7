"""Why zero-shot said what it said of one image: its similarity to each text of a few classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.embeddings.texts import encode_texts
from core.encoders import Encoder
from core.errors import InvalidInput
from core.systems.probes.records import ProbeResult


class PromptSimilarity(NamedTuple):
    """One text beside one image."""

    class_index: int
    text: str
    cosine: float


def prompt_similarities(
    result: ProbeResult,
    features_row: npt.NDArray[Any],
    encoder: Encoder,
    classes: Sequence[int],
    cache: Path | None = None,
) -> list[PromptSimilarity]:
    """The image's cosine with each text of these classes, such as the predicted and the true one: class by class as
    asked, nearest first.

    Args:
        result: of a probe with texts.
        features_row: (d,) the image in the encoder's joint space, of any length but zero.
        encoder: the one that the result was made with.
        classes: indices into the result's class names; a repeated one is shown once.
        cache: folder where text vectors are kept.

    Raises:
        InvalidInput: the probe kept no texts, the encoder is another one, there is no such class, or the row is of
        another space.

    Source: Menon & Vondrick 2023 (arXiv 2210.07183): the score of a class is the mean of its descriptors' cosines, so
    each one's share shows.
    """
    wanted = _checked(result, encoder, classes)
    if not wanted:
        return []
    of = [c for c in wanted for _ in result.prompts[c]]
    texts = [text for c in wanted for text in result.prompts[c]]
    vectors = encode_texts(encoder, texts, cache).astype(np.float64)
    if features_row.shape != (vectors.shape[1],):
        raise InvalidInput(
            f"The image's vector must have {vectors.shape[1]} numbers, as the texts' have: "
            f"it has the shape {features_row.shape}."
        )
    row = features_row.astype(np.float64)
    cosines = vectors @ (row / max(float(np.linalg.norm(row)), 1e-12))
    found = [
        PromptSimilarity(c, text, float(cosine)) for c, text, cosine in zip(of, texts, cosines.tolist(), strict=True)
    ]
    return sorted(found, key=lambda s: (wanted.index(s.class_index), -s.cosine))


def _checked(result: ProbeResult, encoder: Encoder, classes: Sequence[int]) -> list[int]:
    """The classes, each once, of a result with texts that this encoder made."""
    if not any(result.prompts):
        raise InvalidInput(
            f"The probe {result.name!r} has no texts of its own, so none can be set beside an image. "
            "Choose a zero-shot probe."
        )
    if result.encoder != (own := f"{encoder.name} {encoder.fingerprint[:12]}"):
        raise InvalidInput(
            f"The probe {result.name!r} was run with the encoder {result.encoder!r}, and this one is "
            f"{own!r}. Use the same."
        )
    wanted = list(dict.fromkeys(int(c) for c in classes))
    if outside := [c for c in wanted if not 0 <= c < len(result.prompts)]:
        raise InvalidInput(
            f"There is no class number {outside[0]}: the probe has classes 0 to {len(result.prompts) - 1}."
        )
    return wanted
