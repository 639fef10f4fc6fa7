"""Vectors of texts from an encoder, kept between runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np

from core.files import keep_arrays, read_arrays
from core.records import F32


class TextTower(Protocol):
    """The part of `core.encoders.Encoder` that words need."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def joint_space(self) -> str: ...
    def encode_texts(self, texts: Sequence[str]) -> F32: ...


def encode_texts(encoder: TextTower, texts: Sequence[str], cache: Path | None = None) -> F32:
    """(m, d) the encoder's vectors of the texts, each distinct one computed once and kept in `cache`."""
    distinct = list(dict.fromkeys(texts))
    if cache is None:
        vectors = encoder.encode_texts(distinct)
    else:
        key = hashlib.sha256("\0".join([encoder.fingerprint, *distinct]).encode()).hexdigest()[:32]
        path = cache / "texts" / f"{key}.npz"
        try:
            vectors = read_arrays(path)["texts"]
        except (OSError, KeyError, ValueError, EOFError, BadZipFile):
            vectors = encoder.encode_texts(distinct)
            keep_arrays(path, {"texts": vectors})
    place = {text: i for i, text in enumerate(distinct)}
    return vectors[[place[text] for text in texts]].astype(np.float32)
