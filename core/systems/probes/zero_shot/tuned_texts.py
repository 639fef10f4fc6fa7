"""The upper half of a text encoder tuned on descriptions of the classes, all patterns at once.

After Gao et al. 2023 (EMNLP, arXiv 2305.02239), in the form for a dual encoder: in place of the word at a mask, the
cosine of a description with the class's word in a pattern. Neither the samples nor their labels are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from core.encoders import Encoder
from core.errors import InvalidInput
from core.records import F64, Progress, no_progress
from core.systems.probes.base import ProbeInput

if TYPE_CHECKING:
    from core.systems.probes.zero_shot.minilm_halves import MiniLMHalves

TEMPERATURE = 10.0
"""Factor on the cosines in the loss."""
LEARNING_RATE = 3e-5
STEPS = 5
"""Of six pairs (learning rate, steps) the one with the largest mean gain over 400 articles of AG News and the 872 dev
sentences of SST-2: see docs/evidence/label_descriptions.md."""
MAX_PIECES = 30_000
"""Word pieces of all descriptions and filled patterns, in memory at once in each step: about 0.1 MB each."""
MIN_SAME_COSINE = 0.99
"""A text's vector below this cosine is not the vector that the samples came with."""


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
        InvalidInput: the encoder has no such tower.
    """
    from core.encoders.embedded.encoder import EmbeddedEncoder
    from core.encoders.embedded.prompt_tower import AlignedTexts
    from core.encoders.embedded.sentences import EmbeddedSentences
    from core.systems.probes.zero_shot.minilm_halves import MiniLMHalves

    if isinstance(encoder, EmbeddedEncoder):
        return MiniLMHalves(AlignedTexts(encoder.alignment))
    if isinstance(encoder, EmbeddedSentences):
        return MiniLMHalves()
    raise InvalidInput(
        f"The encoder {encoder.name!r}, of {encoder.modality}s, cannot be tuned on descriptions; 'minilm' (texts) "
        "and 'embedded' (images) can. Use descriptions, patterns or names."
    )


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

    descriptions = list(chain.from_iterable(described))
    patterns = list(chain.from_iterable(filled))
    _check_size([*descriptions, *patterns])
    k = len(described)
    p = len(filled)
    class_of = torch.arange(k).repeat_interleave(torch.tensor([len(texts) for texts in described]))
    lower_descriptions = halves.lower(descriptions)
    lower_patterns = halves.lower(patterns)
    adam = torch.optim.Adam(halves.upper.parameters(), lr=lr)
    losses = list[float]()
    total = steps * (len(descriptions) + p * k)
    done = 0

    def report(n: int) -> None:
        nonlocal done
        done += n
        progress("Tuning on descriptions", done, total)

    report(0)
    for _ in range(steps):
        description_vectors = halves.vectors(lower_descriptions, report)
        word_vectors = halves.vectors(lower_patterns, report).view(p, k, -1)
        cosines = torch.einsum("nd,pkd->npk", description_vectors, word_vectors)
        loss = cross_entropy(TEMPERATURE * cosines.reshape(-1, k), class_of.repeat_interleave(p))
        losses.append(take_step(adam, loss, clip=None))
    return tuple(losses)


def _check_size(texts: Sequence[str]) -> None:
    from core.encoders.embedded.minilm_tokens import MAX_TOKENS, tokens_of

    pieces = sum(min(len(ids), MAX_TOKENS) for ids in tokens_of(texts))
    if pieces > MAX_PIECES:
        raise InvalidInput(
            f"Tuning takes at most {MAX_PIECES:,} word pieces of descriptions and filled patterns: these "
            f"{len(texts):,} texts have {pieces:,}. Remove some, or use by=descriptions."
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
    """Tune, then encode the filled patterns and the part's texts again; images keep their vectors.

    Raises:
        InvalidInput: the run has no texts, or not those of its vectors; also as in `tune`.
    """
    import torch

    texts: list[str] = []
    if part.encoder.modality == "text":
        texts = _texts_of(part)
        _check_same(part, halves, texts)
    losses = tune(halves, described, filled, lr=lr, steps=steps, progress=part.progress)
    with torch.inference_mode():
        words = halves.vectors(halves.lower(list(chain.from_iterable(filled)))).numpy().astype(np.float64)
    features = part.test.features
    if texts:
        features = halves.encode(texts, part.progress, "Encoding texts with the tuned encoder")
    return TunedTexts(features.astype(np.float64), words.reshape(len(filled), len(described), -1), losses)


def _texts_of(part: ProbeInput) -> list[str]:
    if part.items is None:
        raise InvalidInput(
            "by=tuned encodes the samples' texts again, and this run has none. Diagnose again with --texts, or use "
            "by=descriptions."
        )
    return [part.items.read(row).decode(errors="replace") for row in range(len(part.items))]


def _check_same(part: ProbeInput, halves: MiniLMHalves, texts: Sequence[str]) -> None:
    """Check, before tuning, that the longest texts have the vectors that the samples came with."""
    longest = sorted(range(len(texts)), key=lambda row: -len(texts[row]))[:32]
    if not longest:
        return
    vectors = halves.encode([texts[row] for row in longest])
    if float((vectors * part.test.features[longest]).sum(1).min()) < MIN_SAME_COSINE:
        raise InvalidInput(
            "The vectors of this run do not belong to its texts, which may have been shortened. "
            "Diagnose again with --texts, or use by=descriptions."
        )
