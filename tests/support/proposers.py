"""A run without findings, and a text tower whose texts are directions that a test chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from core.encoders.arithmetic import unit
from core.language.directions import words_of
from core.records import F32, Diagnosis, Embeddings, Outcomes, SampleSet
from tests.support.diagnoses import make_diagnosis

WIDTH = 12


@dataclass(frozen=True)
class ChosenTower:
    """Reads the first of its texts that a prompt holds; any other prompt is the last axis."""

    directions: Mapping[str, npt.NDArray[np.floating]]
    name: str = "chosen"
    fingerprint: str = "c" * 16
    joint_space: str = "chosen"
    modality: str = "image"

    def encode_texts(self, texts: Sequence[str]) -> F32:
        rows = np.zeros((len(texts), WIDTH))
        rows[:, -1] = 1
        for row, prompt in zip(rows, texts):
            for text, direction in self.directions.items():
                if text in prompt:
                    row[:] = direction
                    break
        return unit(rows.astype(np.float32))


@cache
def _made(n: int) -> Diagnosis:
    return make_diagnosis(n, n_clusters=0, with_images=False)


def blank_run(n: int, seed: int, *, groups: int = 0, errors: bool = True) -> Diagnosis:
    """n samples of two classes whose losses have nothing to do with their vectors; no findings.

    Args:
        groups: rows of a group; 0 for none.
    """
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, WIDTH))
    vectors[:, -1] = 0
    joint = Embeddings(unit(vectors.astype(np.float32)), "chosen", "chosen")
    loss = rng.exponential(size=n)
    samples = SampleSet(
        tuple(f"s{i}" for i in range(n)),
        labels=rng.integers(0, 2, n),
        class_names=("bus", "tram"),
        groups=np.arange(n) // groups if groups else None,
        name="blank",
    )
    wrong = loss > 1.2 if errors else None
    outcomes = Outcomes(loss, "cross-entropy", "nats", "blank", errors=wrong)
    axis = np.eye(WIDTH, dtype=np.float32)[:1]
    words = replace(words_of(joint, axis, ("the first",), ("axis",), encoder="chosen"), line=None)
    return replace(
        _made(n),
        samples=samples,
        outcomes=outcomes,
        embeddings=joint,
        words=words,
        insights=(),
        candidates=(),
        classes=(),
        family_null=None,
        model=None,
    )
