"""Texts put together for a tower: those of about one length in tokens, so that little is filled up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import I64

BATCH = 128
"""Texts given to a tower at a time, where it says neither batches nor a `batch_size` of its own."""


def by_tokens(lengths: npt.ArrayLike, most: int) -> list[I64]:
    """Places of texts, shortest first, in batches that hold at most `most` tokens when each text is filled up to the
    batch's longest, but at least one text.

    Args:
        lengths: (n,) tokens of each text; equal ones keep their order.

    Example:
        >>> [rows.tolist() for rows in by_tokens([9, 2, 3, 2], 6)]
        [[1, 3], [2], [0]]
    """
    tokens = np.asarray(lengths, np.int64)
    order = np.argsort(tokens, kind="stable").astype(np.int64)
    batches: list[I64] = []
    start = 0
    for stop in range(1, len(order) + 1):
        if stop == len(order) or (stop + 1 - start) * tokens[order[stop]] > most:
            batches.append(order[start:stop])
            start = stop
    return batches


def text_batches(encoder: Any, texts: Sequence[str]) -> list[I64]:
    """Places of the texts in batches for the encoder's `encode_texts`: its own `text_batches`, or by characters,
    `batch_size` at a time."""
    own = getattr(encoder, "text_batches", None)
    if own is not None:
        return own(texts)
    size: int = getattr(encoder, "batch_size", BATCH)
    order = np.argsort([len(text) for text in texts], kind="stable").astype(np.int64)
    return [order[start : start + size] for start in range(0, len(order), size)]
