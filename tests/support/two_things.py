"""A benchmark of two things whose colors or shapes are swapped, models that are weak on some of it, and an encoder
that reads bags of words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from core.discovery.settings import Settings
from core.records import F32, F64, Bool
from core.systems.composition.records import CompositionResult, LoadedBenchmark
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, benchmark, pair, pictured

COLOURS, SHAPES, SIZES = ("red", "blue", "green", "white"), ("cube", "ball", "cone", "star"), ("small", "large")


QUICK = Settings(n_permutations=300, n_members=2, map=False, sensitivity=False, words=False)


class BagOfWords:
    """Sees an image as noise of its own, and reads a caption as the sum of its words."""

    name, fingerprint, description, logit_scale = "bag", "bag-of-words", "For tests.", 100.0
    modality, finding_space, joint_space = "image", "bag", "bag-joint"

    def preprocess(self, image: Image.Image) -> F32:
        return np.asarray(image.convert("RGB"), np.float32).transpose(2, 0, 1)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        rows = np.stack([_vector(bytes(pixels[:, 0, 0].astype(np.uint8).tolist())) for pixels in batch])
        return rows, rows

    def encode_texts(self, texts: Sequence[str]) -> F32:
        return np.stack([_vector(*(word.encode() for word in text.split())) for text in texts])

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0


def _vector(*parts: bytes) -> F32:
    seeds = [int.from_bytes(hashlib.sha256(part).digest()[:8]) for part in parts]
    total = np.sum([np.random.default_rng(seed).normal(size=32) for seed in seeds], axis=0)
    return (total / np.linalg.norm(total)).astype(np.float32)


def two_things(n: int, seed: int = 0) -> tuple[LoadedBenchmark, Bool]:
    """n items of two things whose colors or shapes are swapped, and which of them have one size."""
    rng = np.random.default_rng(seed)
    items, same = [], []
    for i in range(n):
        (c1, c2), (s1, s2) = rng.choice(COLOURS, 2, replace=False), rng.choice(SHAPES, 2, replace=False)
        z1, z2 = rng.choice(SIZES, 2)
        foil = f"a {z1} {c2} {s1} and a {z2} {c1} {s2}" if i % 2 else f"a {z1} {c1} {s2} and a {z2} {c2} {s1}"
        items.append(
            pair(
                f"i{i}",
                (2 * i, 2 * i + 1),
                (f"a {z1} {c1} {s1} and a {z2} {c2} {s2}", foil),
                kind="colour" if i % 2 else "shape",
            )
        )
        same.append(z1 == z2)
    return pictured(benchmark("pairs", items, "image")), np.array(same)


def scored(shown: LoadedBenchmark, margins: F64, name: str = "made") -> CompositionResult:
    """The result of a model in which caption i picks its image by `margins[item, i]`."""
    matrices = tuple(np.array([[0.0, -b], [-a, 0.0]]) for a, b in margins)
    return run_composition(shown, Given(matrices, name=name), name=name, blind=False)


def weak_where(weak: Bool, seed: int, low: float = 0.2, high: float = 0.65) -> F64:
    """(n, 2) margins that are 0 or less with the chance `high` for weak items and `low` for others."""
    rng = np.random.default_rng(seed)
    wrong = rng.random((len(weak), 2)) < np.where(weak, high, low)[:, None]
    return np.where(wrong, -1, 1) * rng.uniform(0.01, 0.1, wrong.shape)
