"""How good slices are, on rows that the method did not see."""

from __future__ import annotations

import numpy as np

from core.errors import InvalidInput
from core.records import F64, Bool


def expected_precision_at(k: int, scores: F64, truth: Bool) -> float:
    """Share of true rows among the k of highest score, in exact expectation over random order of ties.

    Args:
        k: at least 1 and at most n.
        scores: (n,) larger is better; may be infinite, not nan.
        truth: (n,).

    Raises:
        InvalidInput: k is out of range, or a score is nan.

    Example:
        >>> expected_precision_at(2, np.array([3.0, 1.0, 1.0]), np.array([True, True, False]))
        0.75
    """
    if not 1 <= k <= len(scores):
        raise InvalidInput(f"k must be between 1 and {len(scores)} (the number of rows): got {k}.")
    if np.isnan(scores).any():
        raise InvalidInput(
            f"Scores must not be nan: {int(np.isnan(scores).sum())} of {len(scores)} are. "
            "Give such rows the lowest score."
        )
    cutoff = np.partition(scores, len(scores) - k)[len(scores) - k]
    above, tied = scores > cutoff, scores == cutoff
    return float((truth[above].sum() + (k - above.sum()) * truth[tied].mean()) / k)


def average_precision(scores: F64, truth: Bool) -> float:
    """The mean, over true rows, of the share of true rows among those of no lower score; rows of one score count as
    one step. With all scores equal it is the share of true rows; nan without true rows.

    Args:
        scores: (n,) larger is better; may be infinite, not nan.
        truth: (n,).

    Example:
        >>> average_precision(np.array([3.0, 2.0, 1.0]), np.array([True, False, True]))
        0.8333333333333333
    """
    if not truth.any():
        return float("nan")
    _, place = np.unique(-scores, return_inverse=True)
    counts, hits = np.bincount(place), np.bincount(place, truth)
    precision = np.cumsum(hits) / np.cumsum(counts)
    return float((hits * precision).sum() / truth.sum())
