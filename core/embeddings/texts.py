"""Vectors of texts from an encoder, kept between runs."""

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

LOOKED_AT = 2048
"""Texts whose tokens are counted at a time, to put those of one length together."""


class TextTower(Protocol):
    """The part of `core.encoders.Encoder` that words need."""

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
    """(m, d) the encoder's vectors of the texts, each distinct one computed once and kept in `cache`.

    Args:
        progress: called as (step, done, total) while the tower is loaded and after every batch of texts.

    Raises:
        Cancelled: from `progress`; nothing is kept then.
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
    place = {text: i for i, text in enumerate(distinct)}
    return vectors[[place[text] for text in texts]].astype(np.float32)


def _in_batches(encoder: TextTower, texts: Sequence[str], progress: Progress, step: str) -> F32:
    """The tower's vectors, batch by batch of alike lengths: as the towers go about it themselves, so that the vectors
    are the same to the last digit as if all texts had been given at once."""
    load: Any = getattr(encoder, "load_text_tower", None)
    if load is not None:
        load(lambda: progress(step, 0, len(texts)))
    shortest_first = np.argsort([len(text) for text in texts], kind="stable").astype(np.int64)
    parts = [encoder.encode_texts([])] if not texts else []
    places = list[I64]()
    done = 0
    for start in range(0, len(texts), LOOKED_AT):
        chunk = shortest_first[start : start + LOOKED_AT]
        for rows in text_batches(encoder, [texts[int(i)] for i in chunk]):
            places.append(chunk[rows])
            parts.append(encoder.encode_texts([texts[int(i)] for i in places[-1]]))
            progress(step, done := done + len(rows), len(texts))
    vectors = np.concatenate(parts)
    found = np.empty_like(vectors)
    found[np.concatenate(places) if places else slice(0)] = vectors
    return found
