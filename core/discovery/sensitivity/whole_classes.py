"""How often a class that fails as a whole would have been found: no embedding has a part in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.discovery.classes import MIN_ROWS
from core.discovery.sensitivity.plants import alike_in_size
from core.discovery.sensitivity.strengths import ErrorRates, MeanLosses, Strengths
from core.records import F64, I64, Outcomes, PlantedPattern
from core.statistics.means import PartMeans
from core.statistics.runs import clopper_pearson

MAX_PLANTED_ROWS = 100_000
MIN_PLANTS = 10
"""Planted rows whose means are tested at most, which bounds time: large classes get fewer plants, at least
MIN_PLANTS."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassRows:
    """What the tests of whole classes see of a run."""

    labels: I64
    groups: I64 | None
    outcomes: Outcomes
    level: float
    """The raw p at which the first class is confirmed."""


def whole_classes(
    rows: ClassRows, strengths: Strengths, n_plants: int, rng: np.random.Generator
) -> list[PlantedPattern]:
    """Classes of about the median size that fail as a whole, at each strength: their rows take outcomes of all rows,
    all others keep theirs. Empty where no class is large enough to be tested."""
    counts = np.bincount(rows.labels)
    large = np.flatnonzero(counts >= MIN_ROWS)
    if len(large) < 2:
        return []
    typical, chosen = alike_in_size(counts[large], rng)
    classes = large[chosen]
    n = len(rows.labels)
    errors = rows.outcomes.errors
    losses = rows.outcomes.loss
    if errors is None or rows.groups is not None:
        n_plants = int(np.clip(MAX_PLANTED_ROWS // (typical * len(strengths.values)), MIN_PLANTS, n_plants))
    every = np.zeros(n, np.int64)
    if isinstance(strengths, ErrorRates) and errors is not None:
        pooled = ErrorRates.of(errors, every)
    else:
        pooled = MeanLosses.of(losses, every, unit=strengths.unit)
    hits, loss, wrong = np.zeros((3, len(strengths.values)))
    for number, c in enumerate(classes):
        members = np.flatnonzero(rows.labels == c)
        count = len(range(number, n_plants, len(classes)))  # of the plants, which the classes take in turns
        planted = _planted(pooled, strengths.values, members, count, n, rng)  # (strengths, count, members)
        hits += (_p(rows, planted.reshape(-1, len(members)), members) <= rows.level).reshape(-1, count).sum(1)
        loss += losses[planted].mean(2).sum(1)
        if errors is not None:
            wrong += errors[planted].mean(2).sum(1)
    patterns: list[PlantedPattern] = []
    for at, strength in enumerate(strengths.values):
        error_difference = None
        if errors is not None:
            error_difference = float(wrong[at] / n_plants - errors.mean())
        pattern = PlantedPattern(
            scope="whole class",
            size=typical,
            share=1.0,
            strength=strength,
            excess_loss=float(loss[at] / n_plants - losses.mean()),
            error_difference=error_difference,
            n_plants=n_plants,
            n_found=int(hits[at]),
            found=clopper_pearson(int(hits[at]), n_plants),
        )
        patterns.append(pattern)
    return patterns


def _planted(
    pooled: ErrorRates | MeanLosses,
    strengths: tuple[float, ...],
    members: I64,
    count: int,
    n: int,
    rng: np.random.Generator,
) -> I64:
    """(strengths, count, members) the row whose outcome each member takes; a plant has the same draws at every
    strength."""
    draws = rng.random((count, 2, len(members)))
    shuffled = rng.integers(0, n, (count, len(members)))
    planted = np.empty((len(strengths), count, len(members)), np.int64)
    for at, strength in enumerate(strengths):
        for plant in range(count):
            planted[at, plant] = pooled.sources(members, shuffled[plant], draws[plant], strength)
    return planted


def _p(rows: ClassRows, planted: I64, members: I64) -> F64:
    """(plants,) the raw p of the class with each plant, as `core.discovery.classes` computes it.

    Args:
        planted: (plants, members) the row whose outcome each member takes.
    """
    errors = rows.outcomes.errors
    if errors is not None and rows.groups is None:
        counts = errors[planted].sum(1)
        others = int(errors.sum() - errors[members].sum())
        return np.asarray(stats.hypergeom.sf(counts - 1, len(errors), others + counts, len(members)))
    values = rows.outcomes.loss
    if errors is not None:
        values = errors.astype(np.float64)
    inside = np.zeros(len(values), np.int64)
    inside[members] = 1
    data = PartMeans.of(values, inside, 2, rows.groups)
    k = len(planted)
    plant = np.repeat(np.arange(k), len(members))
    groups = None
    if rows.groups is not None:
        groups = plant * (int(rows.groups.max()) + 1) + np.tile(rows.groups[members], k)
    return data.of_others(values[planted].reshape(-1), plant, k, groups).excess_p((data, 1))
