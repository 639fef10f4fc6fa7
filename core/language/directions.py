"""Phrases as directions of the space that images share with texts, and the samples' scores along them. Losses are not
used here."""

from __future__ import annotations

import numpy as np

from core.records import F32, I64, Embeddings, Words
from core.row_runs import row_runs

_BATCH_VALUES = 1 << 20
"""Values of the rows that are summed at once."""


def words_of(
    joint: Embeddings,
    directions: F32,
    phrases: tuple[str, ...],
    families: tuple[str, ...] = (),
    *,
    encoder: str = "",
    notes: tuple[str, ...] = (),
) -> Words:
    """Build words from given phrase directions, (P, d) unit rows."""
    return Words(joint, encoder, phrases, families or ("",) * len(phrases), directions, notes)


def phrase_scores(vectors: F32, directions: F32, blocks: I64, means: F32 | None = None) -> F32:
    """(n, P) projection of each sample on each phrase, from the mean of its block.

    Only scores of samples of one block are comparable; across blocks they show which samples are unusual for their
    class.

    Args:
        means: `block_means`, if `vectors` are only some of the rows.
    """
    return (centred(vectors, blocks, means) @ directions.T).astype(np.float32)


def centred(vectors: F32, blocks: I64, means: F32 | None = None) -> F32:
    """(n, d) vectors minus the mean of their block: of these rows, or given as `means`."""
    if means is None:
        means = block_means(vectors, blocks)
    return vectors - means[blocks]


def block_means(vectors: F32, blocks: I64) -> F32:
    """(k, d) mean vector of each block."""
    k = int(blocks.max()) + 1
    d = vectors.shape[1]
    sizes = np.bincount(blocks, minlength=k)
    sums = np.zeros((k, d))
    for block, rows in enumerate(np.split(np.argsort(blocks, kind="stable"), np.cumsum(sizes)[:-1])):
        for run in row_runs(len(rows), d, _BATCH_VALUES):  # one row after the other, in double precision
            sums[block] = np.add.reduce(np.concatenate([sums[block][None], vectors[rows[run]]]), 0)
    return (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
