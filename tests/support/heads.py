"""A text tower and images with known classes, for heads that learn from a few images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.records import F32, I64, Embeddings, SampleSet
from core.systems.probes.base import Images, ProbeInput, Scored, Task

WIDTH = 24
NAMES = ("cat", "dog", "bird", "fish")


class Tower:
    """The text of class c lies along axis c; nothing else is known."""

    modality = "image"
    name = finding_space = description = "made"
    fingerprint, joint_space, logit_scale = "f" * 16, "made joint", 20.0

    def encode_texts(self, texts: Sequence[str]) -> F32:
        rows = np.zeros((len(texts), WIDTH), np.float32)
        for i, text in enumerate(texts):
            words = text.lower().replace(".", " ").split()
            rows[i, next((c for c, name in enumerate(NAMES) if name in words), WIDTH - 1)] = 1
        return rows

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0


def made_images(n: int, seed: int = 0, *, hint: float = 0.15, noise: float = 0.12, k: int = 4) -> tuple[F32, I64]:
    """(n, d) unit rows and labels: the text axis of a class is a weak hint, an axis that no text knows a strong one."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    rows = rng.normal(0, noise, (n, WIDTH))
    rows[np.arange(n), labels] += hint
    rows[np.arange(n), 8 + labels] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels.astype(np.int64)


def made_part(shots: int = 4, test: int = 40, seed: int = 0, *, validation: bool = True) -> tuple[ProbeInput, I64]:
    """A part of a run, and the labels of its test images, which the part does not hold."""
    k = len(NAMES)
    rows, labels = made_images(2 * k * shots + test, seed)
    at = np.arange(len(rows))

    def images(which: I64, *, seen: bool = True) -> Images:
        return Images(rows[which], tuple(f"i{i}" for i in which), labels[which] if seen else None, which)

    first, second, rest = at[: k * shots], at[k * shots : 2 * k * shots], at[2 * k * shots :]
    tower: Any = Tower()
    shown = images(second) if validation else None
    return ProbeInput(NAMES, tower, images(rest, seen=False), images(first), shown), labels[rest]


def made_task(n: int = 80, seed: int = 0, groups: I64 | None = None) -> Task:
    """Samples to run a probe on."""
    rows, labels = made_images(n, seed)
    tower: object = Tower()
    samples = SampleSet(tuple(f"i{i:04d}" for i in range(n)), labels=labels, class_names=NAMES, groups=groups)
    return Task(samples, Embeddings(rows, "made", "made joint"), tower, seed=seed)  # pyright: ignore


def accuracy(scored: Scored, labels: np.ndarray) -> float:
    return float((scored.logits.argmax(1) == labels).mean())
