"""Explanation of a zero-shot prediction: the image's similarity to each text of a few classes."""

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
    """The image's cosine with each text of these classes, such as the predicted and the true one: classes in this
    order, nearest texts first.

    Args:
        result: of a probe with texts.
        features_row: (d,) the image in the encoder's joint space, of any nonzero length.
        encoder: the encoder of the result.
        classes: indices into the result's class names; repeats count once.
        cache: folder of text vectors.

    Raises:
        InvalidInput: the probe has no texts, the encoder is not the result's, a class is out of range, or the row is
        of another space.

    Source: Menon & Vondrick 2023 (arXiv 2210.07183): the score of a class is the mean of its descriptors' cosines, so
    each one's share shows.
    """
    if not any(result.prompts):
        raise InvalidInput(f"The probe {result.name!r} has no texts to compare with an image. Use a zero-shot probe.")
    encoder_id = f"{encoder.name} {encoder.fingerprint[:12]}"
    if result.encoder != encoder_id:
        raise InvalidInput(
            f"The probe {result.name!r} used the encoder {result.encoder!r}, not {encoder_id!r}. Use the same encoder."
        )
    similarities: list[PromptSimilarity] = []
    for c in dict.fromkeys(int(c) for c in classes):
        if not 0 <= c < len(result.prompts):
            raise InvalidInput(f"Classes must be 0 to {len(result.prompts) - 1}: got {c}. Use a class of the probe.")
        similarities += [PromptSimilarity(c, text, 0.0) for text in result.prompts[c]]
    if not similarities:
        return []
    vectors = encode_texts(encoder, [s.text for s in similarities], cache).astype(np.float64)
    if features_row.shape != (vectors.shape[1],):
        raise InvalidInput(
            f"The image's vector must have {vectors.shape[1]} numbers, like the texts' vectors: it has the shape "
            f"{features_row.shape}. Use the run's own encoder."
        )
    row = features_row.astype(np.float64)
    cosines = vectors @ (row / max(float(np.linalg.norm(row)), 1e-12))
    similarities = [s._replace(cosine=float(cosine)) for s, cosine in zip(similarities, cosines.tolist(), strict=True)]
    order = {int(c): i for i, c in reversed(list(enumerate(classes)))}
    return sorted(similarities, key=lambda s: (order[s.class_index], -s.cosine))
