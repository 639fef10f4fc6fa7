"""Do texts find their clips? Places and shares of any scores of texts with items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import F32, I64, Bool, Estimate
from core.statistics.intervals import accuracy_of

AT = (1, 5, 10)


@dataclass(frozen=True, slots=True, eq=False)
class TextRetrieval:
    """n texts, each of one of m items; and each item that has a text, looking for it."""

    n_items: int
    own: I64
    """(n,) each text's item."""
    ranks: I64
    """(n,) place of the text's item among all items, from 1: ties count as before it, items of the same words do not
    count."""
    nearest: I64
    """(n,) the item that scores highest."""
    items: I64
    """(k,) the items that have a text, in rising order."""
    item_ranks: I64
    """(k,) place of an item's best text among all texts, from 1."""
    recall: dict[int, Estimate]
    """Share of texts whose item is among the first k, by k below the number of items; 95%, items resampled whole."""
    item_recall: dict[int, Estimate]
    """The same of items that look for a text."""

    @property
    def median_rank(self) -> float:
        return float(np.median(self.ranks))


def retrieve_own(scores: F32, texts: Sequence[str], own: I64, at: tuple[int, ...] = AT) -> TextRetrieval:
    """Places of each text's item, and of each item's texts.

    Args:
        scores: (n, m) of texts with items.
        own: (n,) each text's item.

    Raises:
        InvalidInput: there are fewer than two items, no text, or a score is not finite.
    """
    n, m = scores.shape
    if m < 2 or not n:
        raise InvalidInput(f"An item is sought among at least 2, by at least one text: got {m:,} and {n:,}.")
    if not np.isfinite(scores).all():
        raise InvalidInput(f"{int((~np.isfinite(scores)).sum()):,} scores of texts are not finite.")
    fits = _fitting(texts, own, m)
    ranks = _places(scores, fits)
    items = np.unique(own)
    item_ranks = _places(scores.T[items], fits.T[items])
    groups = own if len(items) < n else None
    return TextRetrieval(
        m,
        own,
        ranks,
        scores.argmax(1).astype(np.int64),
        items,
        item_ranks,
        {k: accuracy_of(ranks > k, groups) for k in at if k < m},
        {k: accuracy_of(item_ranks > k, None) for k in at if k < n},
    )


def best_items(scores: F32, most: int) -> I64:
    """(n, at most `most`) items of each text, the highest score first."""
    return np.argsort(-scores, 1, kind="stable")[:, :most].astype(np.int64)


def _fitting(texts: Sequence[str], own: I64, m: int) -> Bool:
    """(n, m) which items a text is of: its own, and those that have a text of the same words."""
    same: dict[str, list[int]] = {}
    words = [" ".join(text.casefold().split()) for text in texts]
    for text, item in zip(words, own.tolist(), strict=True):
        same.setdefault(text, []).append(item)
    fits = np.zeros((len(texts), m), np.bool_)
    for row, text in enumerate(words):
        fits[row, same[text]] = True
    return fits


def _places(scores: F32, fits: Bool) -> I64:
    best = np.where(fits, scores, -np.inf).max(1, keepdims=True)
    return 1 + ((scores >= best) & ~fits).sum(1).astype(np.int64)
