"""A text tower that knows words: each has a random direction, and a text is their sum."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from core.records import F32

WIDTH = 64


def direction(word: str) -> F32:
    row = np.random.default_rng(zlib.crc32(word.encode())).normal(size=WIDTH)
    return (row / np.linalg.norm(row)).astype(np.float32)


class WordTower:
    """Reads the first `limit` words."""

    modality = "image"
    name, fingerprint, joint_space = "words", "w" * 16, "words joint"
    description, finding_space, logit_scale = "made", "made", 30.0

    def __init__(self, limit: int = 20) -> None:
        self.limit = limit
        self.encoded: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> F32:
        self.encoded += texts
        rows = np.stack([sum((direction(w) for w in _split(text)[: self.limit]), np.zeros(WIDTH)) for text in texts])
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)).astype(np.float32)

    def count_truncated(self, texts: Sequence[str]) -> int:
        return sum(len(_split(text)) > self.limit for text in texts)


def _split(text: str) -> list[str]:
    return text.casefold().replace(",", " ").replace(".", " ").split()
