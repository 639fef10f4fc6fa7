"""Benchmarks whose images are files of a folder."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.records import Bool
from core.systems.composition.records import Benchmark, Box, Item, Picture
from tests.support.pictures import blobs, encoded


def pair(id: str, at: tuple[int, int] = (0, 1), captions: tuple[str, str] = ("a b", "b a")) -> Item:
    return Item(id, at, captions, ((0, 0), (1, 1)))


def choice(id: str, at: int = 0, *captions: str) -> Item:
    return Item(id, (at,), captions or ("a b", "b a"), ((0, 0),))


def query(id: str, n: int, fits: tuple[int, ...], hard: str = "") -> Item:
    mask: Bool | None = np.array([c == "1" for c in hard]) if hard else None
    return Item(id, tuple(range(n)), (id,), tuple((at, 0) for at in fits), {}, mask)


def benchmark(kind: str, names: str, *items: Item, boxes: Mapping[int, Box] | None = None) -> Benchmark:
    pictures = tuple(Picture(name, (boxes or {}).get(i)) for i, name in enumerate(names.split()))
    return Benchmark("made", "Made", kind, items, pictures, "image")  # pyright: ignore[reportArgumentType]


def folder(root: Path, names: str) -> Path:
    """A folder with an image for each name, all of them different."""
    for seed, name in enumerate(names.split()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(blobs(seed), "JPEG" if name.endswith("jpg") else "PNG"))
    return root


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
