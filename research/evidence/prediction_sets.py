"""The data sets whose findings are tried on rows that were held back: with their embeddings, read once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.samples import DataSet, read_data_set
from core.discovery.prepare import embed
from core.discovery.settings import EmbeddingSettings
from core.files import ASSETS, default_cache
from core.records import F64, Bool, Column, Outcomes, SampleSet
from research.evidence.case_tables import CASES
from research.scoreboard.planted_embeddings import Planted, PlantedKind, plant_embeddings, plant_words

KINDS: tuple[PlantedKind, ...] = ("rare", "correlation", "noisy label", "conjunction", "several")
N = 2000
N_PHRASES = 60
N_COLUMNS = 4
TAIL = 1.2
TIMES = 3.0
"""Deviation of the logarithm of a heavy-tailed loss, and how many times larger it is in a planted slice."""


def planted(seed: int) -> DataSet:
    """A world of its own for each seed, the kinds of failure in turn."""
    made = plant_embeddings(KINDS[seed % len(KINDS)], seed=seed, n=N)[0]
    return _planted(made, Outcomes(made.losses, "cross-entropy", "nats", "planted", errors=made.errors))


def heavy_tail(seed: int) -> DataSet:
    """The same rows, errors unknown: lognormal losses, three times as large in the planted slices, never clipped."""
    made = plant_embeddings(KINDS[seed % len(KINDS)], seed=seed, n=N)[0]
    inside = np.any(made.slices, axis=0)
    losses: F64 = np.exp(TAIL * np.random.default_rng([seed, 9]).normal(size=N)) * np.where(inside, TIMES, 1.0)
    return _planted(made, Outcomes(losses, "squared error", "units", "planted"))


def _planted(made: Planted, outcomes: Outcomes) -> DataSet:
    ids = tuple(f"{i:05d}" for i in range(N))
    names = tuple(f"class {c}" for c in range(int(made.labels.max()) + 1))
    columns = tuple(Column(f"a{i}", "category", _said(made.attributes[:, i])) for i in range(N_COLUMNS))
    samples = SampleSet(ids, labels=made.labels, class_names=names, metadata=columns, name="planted")
    return DataSet(samples, outcomes, made.embeddings, (), (), plant_words(made, n_phrases=N_PHRASES))


def _said(has: Bool) -> npt.NDArray[Any]:
    return np.where(has, "yes", "no").astype(object)


WORLDS: dict[str, Callable[[int], DataSet]] = {"planted": planted, "heavy tail": heavy_tail}
EXAMPLES = {"scenes": "scenes", "clothing": "clothing"}
REAL = {"cifar10": "cifar10-edges", "conflict": "conflict-resnet50"}
SETS = (*EXAMPLES, *REAL, *WORLDS)


def data_set(name: str, data: Path, seed: int) -> DataSet:
    """The rows of that name; of a made-up world, those of the seed."""
    return WORLDS[name](seed) if name in WORLDS else _real(name, data)


@lru_cache
def _real(name: str, data: Path) -> DataSet:
    if name in EXAMPLES:
        folder = ASSETS / "examples" / EXAMPLES[name]
        brought = read_data_set(folder / "table.csv", images=folder / "images.zip")
    else:
        case = CASES[REAL[name]](data)
        brought = read_data_set(case.table, images=case.images, roles=case.roles)
    return embed(brought, EmbeddingSettings(cache=default_cache()))
