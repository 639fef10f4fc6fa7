"""What is read off a probe's outcomes: accuracy by class, confusion, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import F64, I64, Bool, Diagnosis, Estimate
from core.statistics.intervals import accuracy_of, bootstrap
from core.systems.probes.records import ProbeResult

BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class ClassAccuracy:
    """How often a class is recognized, and how often it is right where it is said. Wilson intervals; None without such
    rows."""

    name: str
    n: int
    recall: Estimate | None
    n_said: int
    precision: Estimate | None


def groups_of(diagnosis: Diagnosis, result: ProbeResult) -> I64 | None:
    """The groups of the result's rows."""
    groups = diagnosis.samples.groups
    return None if groups is None else groups[result.rows]


def by_class(
    labels: I64, predictions: I64, names: tuple[str, ...], groups: I64 | None = None
) -> tuple[ClassAccuracy, ...]:
    """One entry for each class, in the order of the names.

    Args:
        groups: (n,) of the rows, which the intervals then know to be fewer than they seem.
    """

    def share(part: Bool) -> Estimate | None:
        return accuracy_of(~right[part], None if groups is None else groups[part]) if part.any() else None

    right = labels == predictions
    found: list[ClassAccuracy] = []
    for c, name in enumerate(names):
        mine = labels == c
        said = predictions == c
        found.append(ClassAccuracy(name, int(mine.sum()), share(mine), int(said.sum()), share(said)))
    return tuple(found)


def confusion(labels: I64, predictions: I64, k: int) -> I64:
    """(k, k) counts: row the true class, column the predicted one."""
    return np.bincount(labels * k + predictions, minlength=k * k).reshape(k, k).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Bin:
    """Rows of like confidence."""

    n: int
    confidence: float
    """Mean probability of the predicted class."""
    accuracy: Estimate


def reliability(confidence: F64, right: Bool, groups: I64 | None = None, *, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal count by confidence, lowest first; with the groups of the rows as `by_class`."""
    order = np.argsort(confidence, kind="stable")
    parts = [p for p in np.array_split(order, min(bins, len(order))) if len(p)]
    own = [None if groups is None else groups[p] for p in parts]
    return tuple(
        Bin(len(p), float(confidence[p].mean()), accuracy_of(~right[p], g)) for p, g in zip(parts, own, strict=True)
    )


def calibration_error(
    confidence: F64, right: Bool, groups: I64 | None = None, *, bins: int = BINS, seed: int = 0
) -> Estimate:
    """Expected calibration error with its bootstrap interval: mean over rows of |accuracy - confidence| of their bin.

    Source: Naeini et al. 2015 (AAAI), Guo et al. 2017 (arXiv 1706.04599, eq. 3); bins of equal count instead of equal
    width, so that none is empty (Nguyen & O'Connor 2015).
    """

    def error(rows: I64) -> float:
        ordered = rows[np.argsort(confidence[rows], kind="stable")]
        parts = np.array_split(ordered, min(bins, len(ordered)))
        return float(sum(abs(right[p].mean() - confidence[p].mean()) * len(p) for p in parts) / len(rows))

    draws: list[float] = []

    def kept(rows: I64) -> float:
        draws.append(error(rows))
        return draws[-1]

    found = bootstrap(kept, len(confidence), groups, np.random.default_rng(seed), repeats=200)
    # A resampled bin is noisier than the bin, so the draws lie too high on average: the interval is moved down by as
    # much.
    shift = float(np.mean(draws[1:])) - found.value
    return Estimate(found.value, max(0.0, min(found.value, found.low - shift)), max(found.value, found.high - shift))


def confidence_of(result: ProbeResult) -> tuple[F64, Bool]:
    """(m,) probability of the predicted class, and whether it is right."""
    scores = result.outcomes.scores
    errors = result.outcomes.errors
    assert scores is not None
    assert errors is not None
    return scores.max(1), ~errors
