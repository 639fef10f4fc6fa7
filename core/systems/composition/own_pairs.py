"""A few images and captions of one's own, looked at together: what an encoder says of each pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.embeddings.embed import read_images
from core.encoders import Encoder
from core.errors import InvalidInput
from core.records import F64, I64, Bool, ItemStore, Progress, no_progress
from core.statistics.losses import softmax
from core.systems.composition.readers.builder import tidy_caption
from core.systems.composition.scoring.encoder import EncoderScorer, cosines

MAX_PICTURES = 12
MAX_CAPTIONS = 24
CLOSE = 0.95
"""Cosine of two captions from which the page says that the text tower hardly tells them apart. A reading aid, no
test."""
UNCALIBRATED = (
    "The shares are a softmax over these captions, at the encoder's own scale. They are not calibrated: they "
    "show which caption is preferred, not how probable it is. A further caption changes them."
)
FLOAT = 1e-6
"""Cosines that differ by less are equal: vectors are kept in single precision."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption to score, and what it is true of."""

    text: str
    pictures: tuple[int, ...] = ()
    """Places of the images that it is true of; none for a foil."""
    foil_of: int | None = None
    """Place of the caption that it was made from."""


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """What an encoder says of I images and T captions."""

    encoder: str
    pictures: tuple[str, ...]
    """(I,) names of those that could be read, in the order given."""
    captions: tuple[Caption, ...]
    """(T,); `Caption.pictures` are places in `pictures`."""
    cosines: F64
    """(I, T) from -1 to 1."""
    shares: F64
    """(I, T) softmax of the cosines over the captions, at `logit_scale`; see `UNCALIBRATED`."""
    logit_scale: float
    text_similarity: F64
    """(T, T) cosine of each caption with each other, in the space shared with images."""
    picks: I64
    """(I,) place of the caption that scores highest; -1 where several do."""
    margins: F64
    """(I,) the lowest true caption's cosine minus the highest false one's; nan without both. Above 0 is right, 0 is a
    tie and so wrong."""
    ties: Bool
    """(I,) True where the highest cosine is shared."""
    unreadable: tuple[str, ...] = ()
    """Why an image could not be read, one sentence each."""
    notes: tuple[str, ...] = ()
    unlike: tuple[tuple[int, int, float], ...] = field(default=())
    """(caption, its foil, cosine of the two), closest first: near 1 says that the text tower hardly tells them apart,
    so no image could."""


def score_pairs(
    pictures: ItemStore,
    captions: Sequence[Caption | str],
    encoder: Encoder,
    *,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> PairScores:
    """Score every image with every caption.

    Args:
        images: 1 to 12.
        captions: 1 to 24; a plain text is one of which nothing is known.
        cache: folder where vectors are kept; None keeps nothing.

    Raises:
        InvalidInput: too few or too many, an empty caption, a caption given twice, or no image that can be read.
    """
    asked = tuple(Caption(one) if isinstance(one, str) else one for one in captions)
    _check_numbers(len(pictures), asked)
    texts = [tidy_caption(caption.text, f"caption {i + 1}") for i, caption in enumerate(asked)]
    _check_captions(texts)
    reading = read_images(pictures, encoder, cache=cache, progress=progress)
    row_of = {int(row): i for i, row in enumerate(reading.kept)}
    known = tuple(
        Caption(text, tuple(row_of[p] for p in c.pictures if p in row_of), c.foil_of) for text, c in zip(texts, asked)
    )
    vectors = EncoderScorer(encoder).read_captions(texts, cache=cache, progress=progress)
    scores = cosines(reading.joint.vectors, vectors)
    similarity = cosines(vectors, vectors)
    ties = (scores >= scores.max(1, keepdims=True) - FLOAT).sum(1) > 1
    foiled = [(c.foil_of, i, float(similarity[c.foil_of, i])) for i, c in enumerate(known) if c.foil_of is not None]
    unlike = tuple(sorted(foiled, key=lambda pair: -pair[2]))
    cut = encoder.count_truncated(texts)
    longer = (f"{cut:,} of {len(texts):,} captions are longer than the text tower reads.",) if cut else ()
    return PairScores(
        encoder.name,
        tuple(pictures.name(int(row)) for row in reading.kept),
        known,
        scores,
        softmax(scores * float(encoder.logit_scale)),
        float(encoder.logit_scale),
        similarity,
        np.where(ties, -1, scores.argmax(1)).astype(np.int64),
        np.array([_margin(row, known, i) for i, row in enumerate(scores)]),
        ties,
        tuple(reading.unreadable.values()),
        (UNCALIBRATED, *_alike(unlike, known), *longer),
        unlike,
    )


def _margin(row: F64, captions: Sequence[Caption], picture: int) -> float:
    """Lowest true minus highest false score of one image, 0 where they are equal to single precision."""
    true = np.array([picture in caption.pictures for caption in captions])
    if true.all() or not true.any():
        return float("nan")
    margin = float(row[true].min() - row[~true].max())
    if abs(margin) < FLOAT:
        return 0.0
    return margin


def _alike(foiled: Sequence[tuple[int, int, float]], captions: Sequence[Caption]) -> tuple[str, ...]:
    """What a similarity near 1 means, of the closest caption and foil."""
    if not foiled or foiled[0][2] < CLOSE:
        return ()
    first, second, cosine = foiled[0]
    n = sum(one[2] >= CLOSE for one in foiled)
    return (
        (
            f'The text tower gives "{captions[first].text}" and "{captions[second].text}" nearly the same vector '
            f"(cosine {cosine:.3f}). No image can tell captions this close apart by much: the fault lies with the "
            f"text. {n} of {len(foiled)} foils are at {CLOSE} or above."
        ),
    )


def _check_numbers(n: int, captions: Sequence[Caption]) -> None:
    if not 1 <= n <= MAX_PICTURES:
        raise InvalidInput(f"Use 1 to {MAX_PICTURES} images: got {n:,}. For more, make a benchmark of them.")
    if not 1 <= len(captions) <= MAX_CAPTIONS:
        raise InvalidInput(
            f"Use 1 to {MAX_CAPTIONS} captions, foils included: got {len(captions):,}. For more, make a "
            "benchmark of them."
        )


def _check_captions(texts: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for i, text in enumerate(texts):
        if not text:
            raise InvalidInput(f"Caption {i + 1} is empty. Write what the image shows, or remove the caption.")
        folded = " ".join(text.split()).casefold()  # a benchmark leaves out what differs by case alone
        if folded in seen:
            raise InvalidInput(f"Captions {seen[folded] + 1} and {i + 1} are the same ({text[:60]!r}). Remove one.")
        seen[folded] = i
