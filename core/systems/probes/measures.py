"""Measures of a probe's outcomes: accuracy by class, confusion, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import F64, I64, Bool, Diagnosis, Estimate
from core.statistics.intervals import accuracy_of, bootstrap
from core.systems.probes.records import ProbeResult

BINS = 15
"""Confidence bins of the calibration error, as in Guo et al. 2017 (arXiv 1706.04599)."""
REDRAWS = 200
"""Bootstrap draws behind its interval: a convention."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassAccuracy:
    """Recall and precision of a class, with Wilson intervals; None without rows."""

    name: str
    n: int
    recall: Estimate | None
    n_said: int
    precision: Estimate | None


def groups_of(diagnosis: Diagnosis, result: ProbeResult) -> I64 | None:
    """The groups of the result's rows; None where rows come in no groups."""
    groups = diagnosis.samples.groups
    if groups is None:
        return None
    return groups[result.rows]


def by_class(
    labels: I64, predictions: I64, names: tuple[str, ...], groups: I64 | None = None
) -> tuple[ClassAccuracy, ...]:
    """One entry for each class, in the order of the names.

    Args:
        groups: (n,) of the rows; the intervals then widen for the smaller number of independent rows.
    """

    def share(part: Bool) -> Estimate | None:
        if not part.any():
            return None
        return accuracy_of(~right[part], _among(groups, part))

    right = labels == predictions
    classes: list[ClassAccuracy] = []
    for c, name in enumerate(names):
        members = labels == c
        predicted = predictions == c
        classes.append(ClassAccuracy(name, int(members.sum()), share(members), int(predicted.sum()), share(predicted)))
    return tuple(classes)


def _among(groups: I64 | None, rows: I64 | Bool) -> I64 | None:
    return None if groups is None else groups[rows]


def confusion(labels: I64, predictions: I64, k: int) -> I64:
    """(k, k) counts: row the true class, column the predicted one."""
    return np.bincount(labels * k + predictions, minlength=k * k).reshape(k, k).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Bin:
    """Rows of similar confidence."""

    n: int
    confidence: float
    """Mean probability of the predicted class."""
    accuracy: Estimate


def reliability(confidence: F64, right: Bool, groups: I64 | None = None, *, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal count by confidence, lowest first; groups as in `by_class`."""
    order = np.argsort(confidence, kind="stable")
    found_bins: list[Bin] = []
    for rows in np.array_split(order, min(bins, len(order))):
        if len(rows):
            accuracy = accuracy_of(~right[rows], _among(groups, rows))
            found_bins.append(Bin(len(rows), float(confidence[rows].mean()), accuracy))
    return tuple(found_bins)


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

    def recorded_error(rows: I64) -> float:
        draws.append(error(rows))
        return draws[-1]

    raw = bootstrap(recorded_error, len(confidence), groups, np.random.default_rng(seed), repeats=REDRAWS)
    # A resampled bin is noisier than the bin, so the draws are biased upward (an absolute gap grows with noise): the
    # interval moves down by the draws' mean excess. The first draw is the value itself.
    bias = float(np.mean(draws[1:])) - raw.value
    return Estimate(raw.value, max(0.0, min(raw.value, raw.low - bias)), max(raw.value, raw.high - bias))


def confidence_of(result: ProbeResult) -> tuple[F64, Bool]:
    """(m,) probability of the predicted class, and (m,) whether the prediction is right."""
    scores = result.outcomes.scores
    errors = result.outcomes.errors
    assert scores is not None
    assert errors is not None
    return scores.max(1), ~errors
