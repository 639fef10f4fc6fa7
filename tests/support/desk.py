"""A right table of 400 rows and four classes, in which tests make one mistake each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.data.samples import DataSet, Roles, read_data_set
from core.records import F64, I64

NAMES = np.array(["cat", "dog", "fox", "owl"])


@dataclass(frozen=True)
class Right:
    """What a classifier wrote that is right in four of five rows."""

    labels: I64
    scores: F64

    @property
    def predictions(self) -> I64:
        return self.scores.argmax(1)

    @property
    def loss(self) -> F64:
        return -np.log(self.scores[np.arange(len(self.labels)), self.labels])

    def columns(self, start: str = "prob_") -> dict[str, F64]:
        return {f"{start}{name}": self.scores[:, i] for i, name in enumerate(NAMES)}


def right(n: int = 400, seed: int = 0, skill: float = 2.0) -> Right:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(NAMES), n)
    logits = rng.normal(size=(n, len(NAMES)))
    logits[np.arange(n), labels] += skill
    scores = np.exp(1.2 * logits)
    return Right(labels, scores / scores.sum(1, keepdims=True))


def read(columns: dict[str, Any], **roles: Any) -> DataSet:
    return read_data_set(pd.DataFrame(columns), roles=Roles(**roles))


def noted(columns: dict[str, Any], **roles: Any) -> str:
    """The notes of a reading, but for what was recognized by name."""
    notes = read(columns, **roles).notes
    return " ".join(note for note in notes if not note.startswith("Recognized columns"))
