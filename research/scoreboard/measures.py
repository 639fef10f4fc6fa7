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
    above = scores > cutoff
    tied = scores == cutoff
    return float((truth[above].sum() + (k - above.sum()) * truth[tied].mean()) / k)
