"""The upper half of a text encoder tuned on what is said of the classes, all patterns at once.

After Gao et al. 2023 (EMNLP, arXiv 2305.02239), in the form for a dual encoder: in place of the word at a mask, the
cosine of a description with the class's word in a pattern. Neither the samples nor their labels are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.encoders import Encoder
from core.errors import InvalidInput
from core.records import F64, Progress, no_progress
from core.systems.probes.base import ProbeInput

if TYPE_CHECKING:
    from core.encoders.embedded.minilm_halves import MiniLMHalves

TEMPERATURE = 10.0
"""What cosines are multiplied with in the loss."""
LEARNING_RATE = 3e-5
STEPS = 5
"""Of six pairs the one with the largest gain, on average over 400 articles of AG News and the 872 dev sentences of
SST-2: see docs/evidence/label_descriptions.md."""
MAX_PIECES = 30_000
"""Word pieces of all descriptions and filled patterns, which are held at once in each step: about 0.1 MB each."""
_SAME = 0.99
"""Cosine from which a text's vector is the one that the samples came with."""


@dataclass(frozen=True, slots=True, eq=False)
class TunedTexts:
    """Samples and classes as the tuned encoder sees them, unit rows."""

    features: F64
    """(m, d) the samples."""
    filled: F64
    """(p, k, d) each class's word in each pattern."""
    losses: tuple[float, ...]
    """Before each step."""


def halves_of(encoder: Encoder) -> MiniLMHalves:
    """The encoder's text tower, cut in two. Loads torch.

    Raises:
        InvalidInput: it offers none.
    """
    made: Any = getattr(encoder, "text_halves", None)
    if made is None:
        raise InvalidInput(
            f"The encoder {encoder.name!r}, of {encoder.modality}s, cannot be tuned on descriptions: that takes the "
            "encoder 'minilm' of texts or 'embedded' of images. Go by descriptions, patterns or names."
        )
    return made()


def tune(
    halves: MiniLMHalves,
    described: Sequence[Sequence[str]],
    filled: Sequence[Sequence[str]],
    *,
    lr: float = LEARNING_RATE,
    steps: int = STEPS,
    progress: Progress = no_progress,
) -> tuple[float, ...]:
    """Tune the upper half; returns the loss before each step.

    Adam, all texts in each step, cross-entropy over the classes of TEMPERATURE times the cosine of a description with
    each class's word in a pattern, averaged over descriptions and patterns. Nothing is drawn at random.

    Args:
        described: for each of k classes its descriptions.
        filled: for each of p patterns its k texts.
        progress: called after every 64 texts of each step, with all texts of all steps as the total.

    Raises:
        InvalidInput: there are too many texts.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from core.systems.common.steps import take_step

    flat = [text for own in described for text in own]
    _check_size([*flat, *(text for own in filled for text in own)])
    k = len(described)
    p = len(filled)
    of_class = torch.tensor([c for c, own in enumerate(described) for _ in own])
    said = halves.lower(flat)
    worded = halves.lower([text for own in filled for text in own])
    adam = torch.optim.Adam(halves.upper.parameters(), lr=lr)
    losses = list[float]()
    total = steps * (len(flat) + p * k)
    done = 0

    def told(n: int) -> None:
        nonlocal done
        done += n
        progress("tune on the descriptions", done, total)

    told(0)
    for _ in range(steps):
        vectors = halves.vectors(said, told), halves.vectors(worded, told).view(p, k, -1)
        cosines = torch.einsum("nd,pkd->npk", *vectors)
        loss = cross_entropy(TEMPERATURE * cosines.reshape(-1, k), of_class.repeat_interleave(p))
        losses.append(take_step(adam, loss, clip=None))
    return tuple(losses)


def _check_size(texts: Sequence[str]) -> None:
    from core.encoders.embedded.minilm_tokens import MAX_TOKENS, tokens_of

    pieces = sum(min(len(ids), MAX_TOKENS) for ids in tokens_of(texts))
    if pieces > MAX_PIECES:
        raise InvalidInput(
            f"The encoder is tuned on descriptions and filled patterns of {MAX_PIECES:,} word pieces at most: these "
            f"{len(texts):,} texts have {pieces:,}. Give fewer descriptions or patterns, or go by descriptions."
        )


def tuned_texts(
    part: ProbeInput,
    halves: MiniLMHalves,
    described: Sequence[Sequence[str]],
    filled: Sequence[Sequence[str]],
    *,
    lr: float = LEARNING_RATE,
    steps: int = STEPS,
) -> TunedTexts:
    """Tune, then encode the filled patterns and the part's texts anew; images stay as they were encoded.

    Raises:
        InvalidInput: the samples' texts are not at hand, or are others than those that were embedded; as of `tune`.
    """
    import torch

    texts = _texts_of(part) if part.encoder.modality == "text" else []
    if texts:
        _check_same(part, halves, texts)
    losses = tune(halves, described, filled, lr=lr, steps=steps, progress=part.progress)
    with torch.inference_mode():
        words = halves.vectors(halves.lower([text for own in filled for text in own])).numpy().astype(np.float64)
    features = halves.encode(texts, part.progress, "encode the texts anew") if texts else part.test.features
    return TunedTexts(features.astype(np.float64), words.reshape(len(filled), len(described), -1), losses)


def _texts_of(part: ProbeInput) -> list[str]:
    if part.items is None:
        raise InvalidInput(
            "The tuned encoder reads the samples' texts anew, and this run holds none. Diagnose again with --texts, or "
            "go by descriptions."
        )
    return [part.items.read(row).decode(errors="replace") for row in range(len(part.items))]


def _check_same(part: ProbeInput, halves: MiniLMHalves, texts: Sequence[str]) -> None:
    """Before anything is tuned the longest texts must have the vectors that the samples came with."""
    longest = sorted(range(len(texts)), key=lambda row: -len(texts[row]))[:32]
    found = halves.encode([texts[row] for row in longest])
    if len(found) and float((found * part.test.features[longest]).sum(1).min()) < _SAME:
        raise InvalidInput(
            "The texts of this run are not those that its vectors were made of, as where they were shortened. "
            "Diagnose again with --texts, or go by descriptions."
        )
