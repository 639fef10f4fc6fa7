"""A small made-up benchmark of composition and scorers that need no encoder, for the tests of the tab Compose."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.records import ItemStore, Progress, no_progress
from core.systems.composition.records import Benchmark, CompositionResult, Item, LoadedBenchmark, Picture, Scores
from core.systems.composition.scoring.run import run_composition


@dataclass(frozen=True)
class Squares(ItemStore):
    """A store of plain squares."""

    n: int

    def __len__(self) -> int:
        return self.n

    def name(self, index: int) -> str:
        return f"square_{index}.png"

    def read(self, index: int) -> bytes:
        out = io.BytesIO()
        Image.new("RGB", (16, 16), (index * 7 % 255, 90, 160)).save(out, "PNG")
        return out.getvalue()


@dataclass(frozen=True)
class Made:
    """A scorer that is right on a share of the items, the last of them tied."""

    name: str
    share: float
    seed: int = 0

    @property
    def fingerprint(self) -> str:
        return f"{self.name} {self.share} {self.seed}"

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        items = pictured.benchmark.items
        progress("embed", 1, 1)
        right = np.random.default_rng(self.seed).permutation(len(items)) < self.share * len(items)
        return Scores(self.name, self.fingerprint, tuple(self._matrix(item, bool(r)) for item, r in zip(items, right)))

    def _matrix(self, item: Item, right: bool) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        scores = np.linspace(0.2, 0.3, len(item.pictures) * len(item.captions)).reshape(
            len(item.pictures), len(item.captions)
        )
        for picture, caption in item.match:
            scores[picture, caption] = 0.9 if right else 0.1
        return scores


def pairs(n: int = 24, word: str = "cube") -> LoadedBenchmark:
    """n pairs of two kinds, on two images each."""
    items = tuple(
        Item(
            f"item-{i}",
            (2 * i, 2 * i + 1),
            (f"a red {word} {i}", f"a blue {word} {i}"),
            ((0, 0), (1, 1)),
            {"kind": "colour" if i % 2 else "size"},
        )
        for i in range(n)
    )
    pictures = tuple(Picture(f"square_{i}.png") for i in range(2 * n))
    return LoadedBenchmark(Benchmark("made", "Made pairs", "pairs", items, pictures, "image"), Squares(2 * n))


def choices(n: int = 12, foils: int = 8) -> LoadedBenchmark:
    """n images with a true caption and many foils."""
    items = tuple(
        Item(f"choice-{i}", (i,), (f"true {i}", *(f"foil {j} of {i}" for j in range(foils))), ((0, 0),))
        for i in range(n)
    )
    return LoadedBenchmark(
        Benchmark("made choices", "Made choices", "choice", items, tuple(Picture(f"{i}.png") for i in range(n)), "r@1"),
        Squares(n),
    )


def queries(n: int = 6, pictures: int = 10) -> LoadedBenchmark:
    """n queries over all images, two of which fit each."""
    places = tuple(range(pictures))
    items = tuple(Item(f"query-{i}", places, (f"query {i}",), ((i, 0), (i + 1, 0))) for i in range(n))
    named = tuple(Picture(f"{i}.png") for i in places)
    return LoadedBenchmark(
        Benchmark("made queries", "Made queries", "retrieval", items, named, "map"), Squares(pictures)
    )


def result(pictured: LoadedBenchmark, name: str = "first", share: float = 0.5, seed: int = 0) -> CompositionResult:
    """What a made scorer reaches."""
    return run_composition(pictured, Made(name, share, seed), name=name)
