"""Batches of texts for a tower, by length in tokens, so that little is padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import I64

DEFAULT_BATCH_TEXTS = 128
"""Texts of a batch for an encoder without `text_batches` or `batch_size`."""


def by_tokens(lengths: npt.ArrayLike, most: int) -> list[I64]:
    """Indices of texts, shortest first, in batches of at most `most` tokens after padding to the batch's longest text,
    but at least one text.

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
    """Indices of texts in batches for `encode_texts`: by the encoder's `text_batches`, else by characters, `batch_size`
    at a time."""
    make_batches = getattr(encoder, "text_batches", None)
    if make_batches is not None:
        return make_batches(texts)
    size: int = getattr(encoder, "batch_size", DEFAULT_BATCH_TEXTS)
    order = np.argsort([len(text) for text in texts], kind="stable").astype(np.int64)
    return [order[start : start + size] for start in range(0, len(order), size)]
