"""Worlds of real images: a linear probe learns two classes, taught wrong in a planted slice.

The images do not come along; each tier names the folder that it reads and says when it is not there. The probe reads
the space shared with texts, the methods the space in which failures are looked for.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from core.records import F64, I64, Bool
from research.scoreboard.planting import KINDS, plant_in_training
from research.scoreboard.pool import SMALL, PicturePool, PoolAttribute, make_pool
from research.scoreboard.victims import probe_probabilities
from research.scoreboard.worlds import FailureWorld

OF_KINDS = tuple(kind for kind in KINDS if kind != "several")
"""An image is of one kind, so that too few attributes meet for several failures at once."""
UPPER = ("dress", "longsleeve", "outwear", "shirt", "t-shirt")
VEHICLES = ("airplane", "automobile", "ship", "truck")
CHILD = ("boy", "boys", "girl", "girls", "child", "children", "kid", "kids", "baby", "toddler")
ADULT = ("man", "men", "woman", "women")
WORDS: dict[str, tuple[str, ...]] = {
    "snow": ("snow", "snowy"),
    "water": ("water", "pool", "lake", "ocean", "sea"),
    "grass": ("grass", "grassy", "lawn"),
    "beach": ("beach", "sand", "sandy"),
    "ball": ("ball", "football", "soccer", "baseball", "basketball"),
    "bicycle": ("bike", "bicycle", "bikes", "motorcycle"),
    "street": ("street", "sidewalk", "road"),
    "rock": ("rock", "rocks", "cliff", "mountain"),
    "hat": ("hat", "cap", "helmet"),
    "dog": ("dog", "dogs", "puppy"),
}
"""Attribute -> what captions call it."""
LIGHTS = tuple(PoolAttribute("light", level) for level in ("dark", "bright")) + tuple(
    PoolAttribute("tint", level) for level in ("grey", "vivid")
)


@dataclass(frozen=True, slots=True)
class _PictureTier:
    """What the tiers share: the folder, and a probe as the model."""

    kinds: ClassVar[tuple[str, ...]] = KINDS
    folder: ClassVar[str] = ""
    index: ClassVar[str] = "index.csv"
    number: ClassVar[int] = 0

    def missing(self, data: Path | None) -> str:
        if data is None:
            return f"Its pictures do not come along. Give the folder that holds {self.folder} with --data."
        if not (data / self.folder / self.index).is_file():
            return f"There is no {self.folder}/{self.index} in {data}."
        return ""

    def pool(self, folder: Path) -> PicturePool:
        raise NotImplementedError

    def make(self, kind: str, seed: int, data: Path | None) -> FailureWorld:
        assert data is not None  # `missing` said so
        pool = self.pool(data / self.folder)

        def victim(rows: I64, labels: I64, asked: I64) -> F64:
            return probe_probabilities(pool.joint[rows], labels, pool.joint[asked], 2)

        return plant_in_training(kind, pool, victim, seed, tier=self.number)


@dataclass(frozen=True, slots=True)
class ClothingTier(_PictureTier):
    """1,000 photographs of ten kinds of clothes: worn above the waist or not; the kinds are attributes."""

    kinds: ClassVar[tuple[str, ...]] = OF_KINDS
    folder: ClassVar[str] = "clothing"
    number: ClassVar[int] = 3

    def pool(self, folder: Path) -> PicturePool:
        return _clothing(folder)


@dataclass(frozen=True, slots=True)
class CifarTier(_PictureTier):
    """3,000 images of CIFAR-10: vehicle or animal; the ten classes are attributes."""

    kinds: ClassVar[tuple[str, ...]] = OF_KINDS
    folder: ClassVar[str] = "cifar10"
    number: ClassVar[int] = 4

    def pool(self, folder: Path) -> PicturePool:
        return _cifar(folder)


@dataclass(frozen=True, slots=True)
class FlickrTier(_PictureTier):
    """Photographs of Flickr8k with children or with adults alone; the words of five captions are attributes."""

    folder: ClassVar[str] = "flickr8k"
    index: ClassVar[str] = "captions.csv"
    number: ClassVar[int] = 5

    def pool(self, folder: Path) -> PicturePool:
        return _flickr(folder)


@cache
def _clothing(folder: Path) -> PicturePool:
    rows = _read(folder / "index.csv")
    pictures = [partial(_open, folder / row["file"]) for row in rows]
    return _by_kind("clothing", pictures, [row["class_name"] for row in rows], UPPER)


@cache
def _cifar(folder: Path) -> PicturePool:
    import pyarrow.parquet as pq  # seconds, and only here

    images: list[dict[str, Any]] = pq.read_table(folder / "cifar10.parquet", columns=["image"])["image"].to_pylist()
    names = [row["class_name"] for row in _read(folder / "index.csv")]
    return _by_kind("cifar10", [partial(_decode, image["bytes"]) for image in images], names, VEHICLES)


@cache
def _flickr(folder: Path) -> PicturePool:
    rows = [(row["file"], _said(row)) for row in _read(folder / "captions.csv")]
    kept = [(file, said) for file, said in rows if said & {*CHILD, *ADULT}]
    labels = np.array([int(not said & set(CHILD)) for _, said in kept])
    attributes = np.array([[bool(said & set(words)) for words in WORDS.values()] for _, said in kept])
    pictures = [partial(_open, folder / "images" / file) for file, _ in kept]
    return _with_light("flickr8k", pictures, labels, attributes, tuple(PoolAttribute(word, word) for word in WORDS))


def _by_kind(key: str, pictures: Sequence[Any], kinds: Sequence[str], second: Iterable[str]) -> PicturePool:
    """Two classes of kinds; every kind is an attribute."""
    labels = np.array([int(kind in second) for kind in kinds])
    names = sorted(set(kinds))
    attributes = np.array([[kind == name for name in names] for kind in kinds])
    return _with_light(key, pictures, labels, attributes, tuple(PoolAttribute("kind", name) for name in names))


def _with_light(
    key: str, pictures: Sequence[Any], labels: I64, attributes: Bool, names: tuple[PoolAttribute, ...]
) -> PicturePool:
    """The pool with two more attributes: the darkest and the brightest quarter, and those of least and most color."""
    pool = make_pool(key, pictures, labels, attributes, names)
    pixels = pool.pixels.astype(np.float32).reshape(len(labels), 3, SMALL * SMALL)
    light = pixels.mean((1, 2))
    colour = (pixels.max(1) - pixels.min(1)).mean(1)
    found = [
        values < np.quantile(values, 0.25) if low else values > np.quantile(values, 0.75)
        for values in (light, colour)
        for low in (True, False)
    ]
    attributes = np.concatenate([attributes, np.stack(found, axis=1)], axis=1)
    return PicturePool(
        pool.vectors, pool.joint, pool.pixels, labels, attributes, names + LIGHTS, pool.likeness, pool.phrases
    )


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _said(row: dict[str, str]) -> set[str]:
    return set(re.findall(r"[a-z]+", " ".join(row[f"caption_{i}"] for i in range(5)).lower()))


def _open(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _decode(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")
