"""Encode texts and cache their vectors between runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np

from core.arrays import read_arrays
from core.encoders.text_batches import text_batches
from core.files import keep_arrays
from core.records import F32, I64, Progress, no_progress

SORTED_TEXTS = 2048
"""Texts whose tokens are counted at a time, to batch those of similar length."""


class TextTower(Protocol):
    """The part of `core.encoders.Encoder` for texts."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def joint_space(self) -> str: ...
    @property
    def modality(self) -> str: ...
    def encode_texts(self, texts: Sequence[str]) -> F32: ...


def encode_texts(
    encoder: TextTower,
    texts: Sequence[str],
    cache: Path | None = None,
    *,
    progress: Progress = no_progress,
    step: str = "encode the texts",
) -> F32:
    """Encode texts as (m, d) vectors; each distinct text is computed once and cached in `cache`.

    Args:
        progress: called as (step, done, total) while the tower is loaded and after every batch.

    Raises:
        Cancelled: from `progress`; nothing is cached then.
    """
    distinct = list(dict.fromkeys(texts))
    if cache is None:
        vectors = _in_batches(encoder, distinct, progress, step)
    else:
        key = hashlib.sha256("\0".join([encoder.fingerprint, *distinct]).encode()).hexdigest()[:32]
        path = cache / "texts" / f"{key}.npz"
        try:
            vectors = read_arrays(path)["texts"]
        except (OSError, KeyError, ValueError, EOFError, BadZipFile):
            vectors = _in_batches(encoder, distinct, progress, step)
            keep_arrays(path, {"texts": vectors})
    index = {text: i for i, text in enumerate(distinct)}
    return vectors[[index[text] for text in texts]].astype(np.float32)


def _in_batches(encoder: TextTower, texts: Sequence[str], progress: Progress, step: str) -> F32:
    """Encode in batches of similar lengths, as the towers themselves do, so that the vectors equal those of a single
    call to the last digit."""
    load: Any = getattr(encoder, "load_text_tower", None)
    if load is not None:
        load(lambda: progress(step, 0, len(texts)))
    shortest_first = np.argsort([len(text) for text in texts], kind="stable").astype(np.int64)
    parts = [encoder.encode_texts([])] if not texts else []
    order = list[I64]()
    done = 0
    for start in range(0, len(texts), SORTED_TEXTS):
        chunk = shortest_first[start : start + SORTED_TEXTS]
        for rows in text_batches(encoder, [texts[int(i)] for i in chunk]):
            order.append(chunk[rows])
            parts.append(encoder.encode_texts([texts[int(i)] for i in chunk[rows]]))
            done += len(rows)
            progress(step, done, len(texts))
    vectors = np.concatenate(parts)
    if not order:
        return vectors
    in_order = np.empty_like(vectors)
    in_order[np.concatenate(order)] = vectors
    return in_order
