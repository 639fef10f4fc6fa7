"""Images with known attributes, embedded once: what the tiers with a real victim draw their worlds from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.arrays import DAMAGE, read_arrays
from core.encoders import load_encoder
from core.files import default_cache, keep_arrays
from core.language.phrases import phrase_directions
from core.language.vocabulary import read_vocabulary
from core.records import F32, I64, Bool

BATCH = 32
SMALL = 32
"""Pixels a side of what a network sees that learns from pixels."""
Opened = Callable[[], Image.Image]


class PoolAttribute(NamedTuple):
    """Such as ("colour", "red"): attributes of one factor exclude each other."""

    factor: str
    level: str


@dataclass(frozen=True, slots=True, eq=False)
class PicturePool:
    """n images of k classes."""

    vectors: F32
    """(n, d) in which failures are looked for."""
    joint: F32
    """(n, d2) in the space shared with texts."""
    pixels: npt.NDArray[np.uint8]
    """(n, 3, SMALL, SMALL)"""
    labels: I64
    attributes: Bool
    """(n, K)"""
    names: tuple[PoolAttribute, ...]
    likeness: F32
    """(n, t) to each phrase of the vocabulary."""
    phrases: tuple[str, ...]


def make_pool(
    key: str, pictures: Sequence[Opened], labels: I64, attributes: Bool, names: tuple[PoolAttribute, ...]
) -> PicturePool:
    """Embed the images with the embedded encoder, once for each `key`: the vectors are kept in the cache.

    Args:
        pictures: n functions that open an RGB image each.
    """
    encoder = load_encoder()
    path = default_cache() / "scoreboard" / f"{key}-{encoder.fingerprint[:12]}-{len(pictures)}.npz"
    kept = _embedded(path, pictures)
    vocabulary = read_vocabulary()
    directions = phrase_directions(vocabulary, encoder, cache=default_cache())
    joint = kept["joint"]
    likeness = (joint - joint.mean(0)) @ directions.T
    phrases = tuple(phrase.text for phrase in vocabulary.phrases)
    return PicturePool(
        kept["vectors"], joint, kept["pixels"], labels, attributes, names, likeness.astype(np.float32), phrases
    )


def _embedded(path: Path, pictures: Sequence[Opened]) -> dict[str, npt.NDArray[Any]]:
    with suppress(ValueError, KeyError, *DAMAGE):  # none yet, or damaged: computed anew
        return read_arrays(path)
    encoder = load_encoder()
    parts = list[tuple[F32, F32]]()
    pixels = np.empty((len(pictures), 3, SMALL, SMALL), np.uint8)
    for start in range(0, len(pictures), BATCH):
        opened = [picture() for picture in pictures[start : start + BATCH]]
        for i, image in enumerate(opened, start):
            small = image.resize((SMALL, SMALL), Image.Resampling.BILINEAR, reducing_gap=3.0)
            pixels[i] = np.moveaxis(np.asarray(small, np.uint8), -1, 0)
        parts.append(encoder.encode_items(np.stack([encoder.preprocess(image) for image in opened])))
    kept = {"vectors": np.concatenate([v for v, _ in parts]), "joint": np.concatenate([j for _, j in parts])}
    found = {**kept, "pixels": pixels}
    keep_arrays(path, found)
    return found
