"""Phrases as directions of the space that images share with texts, and the samples' scores along them. Nothing here
looks at the loss."""

from __future__ import annotations

import numpy as np

from core.records import F32, I64, Embeddings, Words


def words_of(
    joint: Embeddings,
    directions: F32,
    phrases: tuple[str, ...],
    families: tuple[str, ...] = (),
    *,
    encoder: str = "",
    notes: tuple[str, ...] = (),
) -> Words:
    """Words from given phrase directions, (P, d) unit rows."""
    return Words(joint, encoder, phrases, families or ("",) * len(phrases), directions, notes)


def phrase_scores(vectors: F32, directions: F32, blocks: I64) -> F32:
    """(n, P) how far each sample lies along each phrase, from the mean of its block.

    Only samples of one block may be compared by it; across blocks it says which samples are unusual for their class.
    """
    return (centred(vectors, blocks) @ directions.T).astype(np.float32)


def centred(vectors: F32, blocks: I64) -> F32:
    """(n, d) vectors minus the mean of their block."""
    return vectors - block_means(vectors, blocks)[blocks]


def block_means(vectors: F32, blocks: I64) -> F32:
    """(k, d) mean vector of each block."""
    k = int(blocks.max()) + 1
    counts = np.maximum(np.bincount(blocks, minlength=k), 1)[:, None]
    sums = np.zeros((k, vectors.shape[1]))
    np.add.at(sums, blocks, vectors.astype(np.float64))
    return (sums / counts).astype(np.float32)
