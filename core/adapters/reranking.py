"""An adapter as a re-ranker: the frozen encoder chooses a few candidates, and the adapter only orders these."""

from __future__ import annotations

import numpy as np

from core.errors import InvalidInput
from core.inputs import F64

CANDIDATES = 10


def rerank(first: F64, second: F64, *, k: int = CANDIDATES, weight: float = 1.0) -> F64:
    """The ranking of `first` with its best k candidates put in a new order by both scores.

    Candidates are ordered by first + weight x scale x second; scale is the spread (standard deviation) of `first` among candidates over that of
    `second`, so that with a weight of 1 both have the same say whatever their units. What is no candidate stays where it was. So recall at k and
    beyond is that of `first` by construction, and a use of the encoder that is no search for the best of many, such as zero-shot, is untouched.

    Args:
        first: (q, n) scores of q queries for n candidates, such as the cosines of a frozen encoder; finite.
        second: (q, n) scores of the same, such as an adapter's logits. Only those of candidates are looked at.
        k: at least 1.
        weight: at least 0; 0 keeps the order of `first`.

    Returns:
        (q, n) scores whose order is the new ranking; their size means nothing.

    Raises:
        InvalidInput: shapes differ, k or weight are out of range, or a score that is needed is no finite number.

    Source: Cola's adapter scores pairs one by one (Ray et al. 2023, arXiv 2305.03689), which suits a short list; the mixture is ours.

    Example:
        >>> rerank(np.array([[0.3, 0.2, 0.1]]), np.array([[0.0, 9.0, 99.0]]), k=2, weight=2.0).argsort()[0, ::-1].tolist()
        [1, 0, 2]
    """
    if first.shape != second.shape or first.ndim != 2:
        raise InvalidInput(f"Both models must score the same queries and candidates: got {first.shape} and {second.shape} scores.")
    if k < 1 or not (np.isfinite(weight) and weight >= 0):
        raise InvalidInput(f"k must be at least 1 and weight a number from 0: got {k} and {weight}.")
    if first.shape[1] == 0:
        return first.copy()
    candidates = np.argsort(-first, axis=1, kind="stable")[:, :k]
    mine, theirs = (np.take_along_axis(scores, candidates, axis=1) for scores in (first, second))
    if not (np.isfinite(first).all() and np.isfinite(theirs).all()):
        raise InvalidInput("A score is nan or infinite, so it cannot be ranked. Leave out the pictures that could not be read.")
    mixed = mine + weight * _scale(mine, theirs) * theirs
    out = first.copy()
    above = first.max(axis=1, keepdims=True) + 1.0  # a new scale for candidates, above all others
    np.put_along_axis(out, candidates, above + mixed - mixed.min(axis=1, keepdims=True), axis=1)
    return out


def _scale(first: F64, second: F64) -> float:
    """Spread of the first over that of the second, within queries; 0 where the second says the same of all."""
    spreads = [float(np.sqrt(scores.var(axis=1).mean())) for scores in (first, second)]
    return spreads[0] / spreads[1] if spreads[1] > 0 else 0.0
