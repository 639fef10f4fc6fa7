"""A planted failure with words, and a text tower that knows exactly the words that tests use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.encoders.arithmetic import unit
from core.language.directions import words_of
from core.records import F32, Diagnosis, Embeddings, Outcomes, SampleSet, Words
from research.scoreboard.planted_embeddings import Planted, plant_embeddings

CLASSES = ("cat", "dog")
KNOWN = ("snow", "fog", "grass", "night", "city", "rain")
QUICK = Settings(map=False, sensitivity=False, n_members=3, n_permutations=199)


class WordTower:
    """Texts are the sum of the directions of the known words in them: `word i` points along attribute i."""

    name = "tower"
    fingerprint = "f" * 32
    joint_space, modality = "planted", "image"

    def __init__(self, planted: Planted) -> None:
        self.directions, self.calls = planted.phrases, 0

    def encode_texts(self, texts: Sequence[str]) -> F32:
        self.calls += 1
        rng = np.random.default_rng(1)
        base = rng.normal(size=self.directions.shape[1])  # every text has it, as in a modality gap
        rows = [
            base
            + 2
            * sum((self.directions[i] for i, w in enumerate(KNOWN) if w in text.lower().split()), np.zeros_like(base))
            for text in texts
        ]
        return unit(np.array(rows, dtype=np.float32))


def samples_of(planted: Planted, prefix: str = "s") -> tuple[SampleSet, Outcomes, Embeddings, Words]:
    """The planted rows as records; ids in an order that is not that of the rows."""
    n = len(planted.labels)
    ids = tuple(f"{prefix}{i * 7919 % n:05d}" for i in range(n))
    samples = SampleSet(ids, labels=planted.labels, class_names=CLASSES, name="planted")
    outcomes = Outcomes(planted.losses, "cross-entropy", "nats", "planted", errors=planted.errors)
    words = words_of(
        planted.embeddings,
        planted.phrases[: len(KNOWN)],
        tuple(f"in {w}" for w in KNOWN),
        ("weather",) * len(KNOWN),
        encoder="tower",
    )
    return samples, outcomes, planted.embeddings, words


@cache
def planted_run(kind: str = "noisy label", seed: int = 3) -> tuple[Diagnosis, Planted, Planted]:
    """(diagnosis, its rows, fresh rows of the same world); the failure is dogs in snow."""
    audit, fresh = plant_embeddings(kind, seed=seed, n=1000, dimensions=48, n_attributes=len(KNOWN))  # type: ignore[arg-type]
    samples, outcomes, embeddings, words = samples_of(audit)
    return diagnose_records(samples, outcomes, embeddings, words=words, settings=QUICK), audit, fresh
