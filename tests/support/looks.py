"""Samples that say what their class looks like, for probes of descriptions."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.records import Embeddings, SampleSet
from core.systems.probes.base import Images, ProbeInput, Task
from tests.support.word_tower import WIDTH, WordTower, direction

NAMES = ("cat", "dog", "hen")
LOOKS = {
    "cat": ("claws", "whiskers", "stripes"),
    "dog": ("collar", "barking", "drooling"),
    "hen": ("beak", "feathers", "comb"),
}


def looks_task(n: int = 150, tower: type[WordTower] = WordTower, described: float = 1.0, named: float = 0.15) -> Task:
    """Samples that say one of their class's looks, and its name a little."""
    rng, labels = np.random.default_rng(0), (np.arange(n) % 3).astype(np.int64)
    rows = rng.normal(0, 0.12, (n, WIDTH))
    for i, c in enumerate(labels.tolist()):
        rows[i] += named * direction(NAMES[c]) + described * direction(LOOKS[NAMES[c]][rng.integers(3)])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    samples = SampleSet(tuple(f"i{i}" for i in range(n)), labels=labels, class_names=NAMES, modality=tower.modality)
    encoder: Any = tower()
    return Task(samples, Embeddings(rows, "words", "words joint"), encoder)


def part_of(task: Task) -> ProbeInput:
    return ProbeInput(NAMES, task.encoder, Images(task.joint.vectors, task.samples.ids))
