"""Average precision of one query, with ties, and what a ranking by chance reaches."""

from __future__ import annotations

import numpy as np

from core.records import F64, Bool


def average_precision(scores: F64, relevant: Bool) -> float:
    """Area under the step-wise precision-recall curve of n scores; nan where nothing is relevant or a score is nan.

    Images of equal score share a threshold, so the order in which they come changes nothing, and a constant scorer
    gets the relevant share.

    Args:
        scores: (n,) larger is a better match; may be infinite.
        relevant: (n,) True where the query describes the image.

    Source: sum over thresholds of (recall - previous recall) x precision, as torchmetrics' binary average precision and
    scikit-learn compute it.
    """
    n_relevant = int(relevant.sum())
    if not n_relevant or np.isnan(scores).any():
        return float("nan")
    _, rank = np.unique(-scores, return_inverse=True)
    counts = np.bincount(rank)
    hits = np.bincount(rank, relevant)
    return float((hits * np.cumsum(hits) / np.cumsum(counts)).sum() / n_relevant)


def chance_precision(n_relevant: int, n: int) -> float:
    """Mean average precision of n images in random order, `n_relevant` of them relevant; nan where none is.

    Place k is relevant with probability R / n, and then each of the k - 1 places before it with probability (R - 1) /
    (n - 1). So precision at k, counted only where k is relevant and divided by R, is on average (1 + (k - 1)(R - 1) /
    (n - 1)) / (n k); summed over k, with the harmonic number H = 1 + 1/2 + ... + 1/n, that is (H + (R - 1)(n - H) / (n
    - 1)) / n.

    It is above the relevant share R / n, most of all where few images are relevant: 1 of 10 gives 0.293.

    Source: Bestgen 2015, Prague Bull. Math. Linguistics 103 (the exact expectation); derived again here, and held
    against simulation in the tests.
    """
    if not 0 < n_relevant <= n:
        return float("nan")
    harmonic = float((1 / np.arange(1, n + 1)).sum())
    return (harmonic + (n_relevant - 1) * (n - harmonic) / max(n - 1, 1)) / n
