"""Whatever can score images against captions, by one name: an encoder's, or the folder of a trained adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.embeddings.embed import read_images
from core.encoders import load_encoder
from core.records import F64, I64, ItemStore, Progress, no_progress
from core.systems.composition.readers.fields import path_of
from core.systems.composition.records import Scorer
from core.systems.composition.scoring.encoder import EncoderScorer, cosines

if TYPE_CHECKING:
    from core.systems.composition.training.adapted import Adapted


def scorer_of(name: str, *, rerank: bool = False) -> Scorer:
    """The scorer of that name.

    Args:
        rerank: an adapter only re-ranks what its frozen encoder finds, with the weight chosen when it was trained.
        name: an encoder (see `core.encoders.load_encoder`; ":" before the tag is read too), or the folder that a
            trained adapter was saved to.

    Raises:
        InvalidInput: it is neither, or cannot be read.
        MissingDependency: its weights are not here.
    """
    folder = path_of(name, "The model")
    if is_adapter(folder):
        from core.systems.composition.training.adapted import load_adapted
        from core.systems.composition.training.adapted_scorer import AdaptedScorer  # loads torch
        from core.systems.composition.training.reranking import RerankingScorer

        adapted = load_adapted(folder)
        second = AdaptedScorer(adapted)
        first = EncoderScorer(adapted.encoder)
        if rerank:
            return RerankingScorer(first, second, weight=adapted.record.rerank)
        return second
    return EncoderScorer(load_encoder(name))


def is_adapter(folder: Path) -> bool:
    """Whether a trained adapter was saved there."""
    return (folder / "adapter.json").is_file()


def matrix_of(
    scorer: Scorer,
    images: ItemStore,
    texts: Sequence[str],
    *,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> F64:
    """(n, m) scores of every image with every text: cosines of a frozen encoder, logits of an adapted one; nan where
    an image cannot be read."""
    if not isinstance(scorer, EncoderScorer):
        from core.systems.composition.training.adapted_scorer import AdaptedScorer

        assert isinstance(scorer, AdaptedScorer)
        return scorer.matrix(images, texts, cache=cache, progress=progress)
    reading = read_images(images, scorer.encoder, cache=cache, progress=progress)
    out = np.full((len(images), len(texts)), np.nan)
    out[reading.kept] = cosines(reading.joint.vectors, scorer.read_captions(texts, cache=cache, progress=progress))
    return out


def rerank_matches(
    adapted: Adapted,
    rows: I64,
    text: str,
    images: ItemStore,
    *,
    most: int,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> I64:
    """The rows that match a text, best first, with the first of them in the order of the frozen encoder's cosine and
    the adapter's logit together (`core.systems.composition.training.reranking.rerank`); the same rows.

    Args:
        rows: (m,) places in `images`, best match first.
        most: number of matches to re-rank.

    Raises:
        InvalidInput: one of these images cannot be read.
    """
    from core.systems.composition.training.adapted_scorer import AdaptedScorer
    from core.systems.composition.training.reranking import rerank

    looked = rows[:most]
    first, second = (
        matrix_of(scorer, images.keep(looked), [text], cache=cache, progress=progress).T
        for scorer in (EncoderScorer(adapted.encoder), AdaptedScorer(adapted))
    )
    order = np.argsort(-rerank(first, second, k=len(looked), weight=adapted.record.rerank)[0], kind="stable")
    return np.concatenate([looked[order], rows[most:]])
