"""Average precision of one query, with ties, and what a ranking by chance reaches."""

from __future__ import annotations

import numpy as np

from core.records import F64, I64, UNDEFINED, Bool, Estimate


def average_precision(scores: F64, relevant: Bool) -> float:
    """Area under the step-wise precision-recall curve of n scores; nan where nothing is relevant or a score is nan.

    Pictures of equal score share a threshold, so the order in which they come changes nothing, and a constant scorer
    gets the relevant share.

    Args:
        scores: (n,) larger is a better match.
        relevant: (n,) True where the query describes the picture.

    Source: sum over thresholds of (recall - previous recall) x precision, as torchmetrics' binary average precision and
    scikit-learn compute it.
    """
    n_relevant = int(relevant.sum())
    if not n_relevant or np.isnan(scores).any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]  # last picture of each threshold
    found = np.cumsum(relevant[order])[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / n_relevant)


def chance_precision(n_relevant: int, n: int) -> float:
    """Mean average precision of n pictures in random order, `n_relevant` of them relevant; nan where none is.

    Place k is relevant with probability R / n, and then each of the k - 1 places before it with probability (R - 1) /
    (n - 1). So precision at k, counted only where k is relevant and divided by R, is on average (1 + (k - 1)(R - 1) /
    (n - 1)) / (n k); summed over k, with the harmonic number H = 1 + 1/2 + ... + 1/n, that is (H + (R - 1)(n - H) / (n
    - 1)) / n.

    It is above the relevant share R / n, most of all where few pictures are relevant: 1 of 10 gives 0.293.

    Source: Bestgen 2015, Prague Bull. Math. Linguistics 103 (the exact expectation); derived again here, and held
    against simulation in the tests.
    """
    if not 0 < n_relevant <= n:
        return float("nan")
    harmonic = float((1 / np.arange(1, n + 1)).sum())
    return (harmonic + (n_relevant - 1) * (n - harmonic) / max(n - 1, 1)) / n


def auroc(scores: F64, positive: Bool) -> float:
    """The probability that a positive row scores above a negative one, ties counted half; nan without both kinds, or
    where a score is."""
    if np.isnan(scores).any():
        return float("nan")
    return auroc_of_places(np.unique(scores, return_inverse=True)[1], positive)


def auroc_of_places(places: I64, positive: Bool) -> float:
    """`auroc` where the place of each row's score among the different scores is known, from 0, the lowest, onwards: so
    resampled rows are not sorted again."""
    each = np.bincount(places)
    hits = np.bincount(places[positive], minlength=len(each))
    misses = each - hits
    pairs = float(hits.sum()) * float(misses.sum())
    return float(hits @ (np.cumsum(misses) - misses / 2)) / pairs if pairs else float("nan")


def aurocs_of_ranks(ranks: F64, positive: Bool) -> F64:
    """(D,) `auroc` of each column of (m, D) ranks, ties sharing their mean rank; 0 without rows of both kinds."""
    n_positive = int(positive.sum())
    pairs = n_positive * (len(positive) - n_positive)
    return (ranks[positive].sum(0) - n_positive * (n_positive + 1) / 2) / max(pairs, 1)


def auroc_interval(area: float, n_positive: int, n_negative: int) -> Estimate:
    """The area with its 95 % interval, within [0, 1]; undefined without rows of both kinds, as the area then is.

    Source: Hanley & McNeil 1982, Radiology 143(1).
    """
    if not n_positive * n_negative or np.isnan(area):
        return UNDEFINED
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (n_positive - 1) * (first - area**2) + (n_negative - 1) * (second - area**2)
    reach = 1.96 * float(np.sqrt(max(spread / (n_positive * n_negative), 0)))
    return Estimate(area, max(0.0, area - reach), min(1.0, area + reach))
