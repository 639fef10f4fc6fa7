"""AUROC of scores with ties, and its interval."""

from __future__ import annotations

import numpy as np

from core.records import F32, F64, I64, UNDEFINED, Bool, Estimate


def auroc(scores: F32 | F64, positive: Bool) -> float:
    """The probability that a positive row scores above a negative one, ties counted half; nan without both kinds, or
    where a score is."""
    if np.isnan(scores).any():
        return float("nan")
    return auroc_of_places(np.unique(scores, return_inverse=True)[1], positive)


def auroc_of_places(places: I64, positive: Bool) -> float:
    """`auroc` from dense ranks: each row's index among the distinct scores, 0 for the lowest. Resampled rows need no
    sorting."""
    counts = np.bincount(places)
    hits = np.bincount(places[positive], minlength=len(counts))
    misses = counts - hits
    pairs = float(hits.sum()) * float(misses.sum())
    if not pairs:
        return float("nan")
    return float(hits @ (np.cumsum(misses) - misses / 2)) / pairs


def aurocs_of_ranks(ranks: F64, positive: Bool) -> F64:
    """(D,) `auroc` of each column of (m, D) ranks, ties sharing their mean rank; 0 without rows of both kinds."""
    n_positive = int(positive.sum())
    pairs = n_positive * (len(positive) - n_positive)
    return (ranks[positive].sum(0) - n_positive * (n_positive + 1) / 2) / max(pairs, 1)


def auroc_interval(area: float, n_positive: int, n_negative: int) -> Estimate:
    """The area with its 95% interval, within [0, 1]; undefined without rows of both kinds, as the area then is.

    Source: Hanley & McNeil 1982, Radiology 143(1).
    """
    if not n_positive * n_negative or np.isnan(area):
        return UNDEFINED
    first = area / (2 - area)
    second = 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (n_positive - 1) * (first - area**2) + (n_negative - 1) * (second - area**2)
    reach = 1.96 * float(np.sqrt(max(spread / (n_positive * n_negative), 0)))
    return Estimate(area, max(0.0, area - reach), min(1.0, area + reach))
