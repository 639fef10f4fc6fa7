"""Made-up benchmarks, stores and scorers for the tests of how composition is scored."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.records import F32, F64, ItemStore, Progress, no_progress
from core.systems.composition.records import Benchmark, Item, LoadedBenchmark, Picture, Scores


def pair(
    name: str,
    pictures: tuple[int, int] = (0, 1),
    captions: tuple[str, str] = ("a b", "b a"),
    *,
    crossed: bool = False,
    **tags: str,
) -> Item:
    return Item(name, pictures, captions, ((0, 1), (1, 0)) if crossed else ((0, 0), (1, 1)), tags)


def choice(name: str, picture: int, captions: Sequence[str], **tags: str) -> Item:
    return Item(name, (picture,), tuple(captions), ((0, 0),), tags)


def query(name: str, relevant: Sequence[int], n: int, hard: Sequence[int] | None = None, **tags: str) -> Item:
    mask = None if hard is None else np.isin(np.arange(n), hard)
    return Item(name, tuple(range(n)), (name,), tuple((p, 0) for p in relevant), tags, mask)


def benchmark(kind: Any, items: Sequence[Item], headline: str, **more: Any) -> Benchmark:
    n = 1 + max((p for item in items for p in item.pictures), default=-1)
    return Benchmark(
        kind, f"Made {kind}", kind, tuple(items), tuple(Picture(f"{i}.png") for i in range(n)), headline, **more
    )


def pairs(n: int, **more: Any) -> Benchmark:
    return benchmark(
        "pairs",
        [pair(f"p{i}", (2 * i, 2 * i + 1), (f"a{i}", f"b{i}"), half=str(i % 2)) for i in range(n)],
        "image",
        **more,
    )


def choices(n: int, t: int = 2, **more: Any) -> Benchmark:
    items = [
        choice(f"c{i}", i, [f"true {i}", *(f"foil {i} {j}" for j in range(1, t))], kind=f"kind {i % 3}")
        for i in range(n)
    ]
    return benchmark("choice", items, "pairwise" if t == 2 else "r@1", **more)


def queries(n: int, n_pictures: int, rng: np.random.Generator) -> Benchmark:
    found: list[Item] = []
    for i in range(n):
        order = rng.permutation(n_pictures).tolist()
        found.append(
            query(
                f"q{i}", order[: 1 + i % 3], n_pictures, order[: n_pictures // 2], split="seen" if i % 2 else "unseen"
            )
        )
    return benchmark("retrieval", found, "map")


def random_scores(made: Benchmark, rng: np.random.Generator, levels: int = 0) -> tuple[F64, ...]:
    """One matrix an item; with `levels`, of so many different values, so that ties are common."""
    sizes = [(len(i.pictures), len(i.captions)) for i in made.items]
    return tuple(rng.integers(0, levels, s).astype(np.float64) if levels else rng.normal(size=s) for s in sizes)


@dataclass(frozen=True)
class Pixels(ItemStore):
    """Images of one color each; `broken` ones are no images."""

    n: int
    broken: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return self.n

    def name(self, index: int) -> str:
        return f"{index}.png"

    def read(self, index: int) -> bytes:
        if index in self.broken:
            return b"no picture"
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (index % 256, index // 256, 40)).save(file, "PNG")
        return file.getvalue()


def pictured(made: Benchmark, broken: Sequence[int] = ()) -> LoadedBenchmark:
    return LoadedBenchmark(made, Pixels(len(made.pictures), frozenset(broken)))


@dataclass
class ColourEncoder:
    """Sees image i as row i of `images`, and reads a caption as `texts` says; counts what it is asked."""

    images: F32
    texts: dict[str, F32]
    limit: int = 1000
    read: list[str] = field(default_factory=list)
    name: str = "colours"
    modality: str = "image"
    fingerprint: str = "0123456789abcdef"
    description: str = "For tests."
    finding_space: str = "colours"
    joint_space: str = "colours"
    logit_scale: float = 100.0

    def preprocess(self, image: Image.Image) -> F32:
        return np.asarray(image.convert("RGB"), np.float32).transpose(2, 0, 1)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        rows = self.images[(batch[:, 0, 0, 0] + 256 * batch[:, 1, 0, 0]).astype(int)]
        return rows, rows

    def encode_texts(self, texts: Sequence[str]) -> F32:
        self.read += texts
        return np.stack([self.texts[t] for t in texts])

    def count_truncated(self, texts: Sequence[str]) -> int:
        return sum(len(t) > self.limit for t in texts)


def colour_encoder(made: Benchmark, rng: np.random.Generator, d: int = 6) -> ColourEncoder:
    """Unit vectors at random for every image and caption of the benchmark."""

    def unit(n: int) -> F32:
        rows = rng.normal(size=(n, d))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    captions = list(dict.fromkeys(c for item in made.items for c in item.captions))
    return ColourEncoder(unit(len(made.pictures)), dict(zip(captions, unit(len(captions)))))


@dataclass(frozen=True)
class Given:
    """A scorer whose scores are given."""

    matrices: tuple[F64, ...]
    name: str = "given"
    fingerprint: str = "given"
    unreadable: dict[int, str] = field(default_factory=dict)
    taught: frozenset[int] = frozenset()

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        return Scores(self.name, self.fingerprint, self.matrices, unreadable=self.unreadable, taught=self.taught)
