"""Retrieval figures: ranks and recalls from scores of texts with items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import F32, I64, Bool, Estimate
from core.statistics.intervals import accuracy_of

RECALL_RANKS = (1, 5, 10)
"""Ranks k of recall at k; the usual ones of text-to-video retrieval."""


@dataclass(frozen=True, slots=True, eq=False)
class TextRetrieval:
    """Ranks of items for n texts, each of one of m items, and of texts for the items that have one."""

    n_items: int
    item_of_text: I64
    """(n,) each text's item."""
    ranks: I64
    """(n,) rank of the text's item among all items, from 1. Ties count against it; items with the same words do not
    count."""
    nearest: I64
    """(n,) the item that scores highest."""
    items: I64
    """(k,) the items that have a text, in rising order."""
    item_ranks: I64
    """(k,) rank of an item's best text among all texts, from 1."""
    recall: dict[int, Estimate]
    """Share of texts whose item ranks among the first k, by k below the number of items; 95% interval that resamples
    whole items."""
    item_recall: dict[int, Estimate]
    """Share of items with a text among the first k, by k below the number of texts."""

    @property
    def median_rank(self) -> float:
        return float(np.median(self.ranks))


def rank_items(
    scores: F32, texts: Sequence[str], item_of_text: I64, recall_ranks: tuple[int, ...] = RECALL_RANKS
) -> TextRetrieval:
    """Rank each text's item among all items, and each item's texts among all texts.

    Args:
        scores: (n, m) of texts with items.
        item_of_text: (n,) each text's item.

    Raises:
        InvalidInput: there are fewer than two items, no texts, or a score is not finite.
    """
    n, m = scores.shape
    if m < 2 or not n:
        raise InvalidInput(f"Retrieval needs at least 2 items and 1 text: got {m:,} and {n:,}. Add some.")
    if not np.isfinite(scores).all():
        raise InvalidInput(f"{int((~np.isfinite(scores)).sum()):,} scores of texts are not finite. Check the encoder.")
    matches = _matches(texts, item_of_text, m)
    ranks = _best_ranks(scores, matches)
    items = np.unique(item_of_text)
    item_ranks = _best_ranks(scores.T[items], matches.T[items])
    # texts of one item stand or fall together, so the interval resamples items
    groups = item_of_text if len(items) < n else None
    return TextRetrieval(
        m,
        item_of_text,
        ranks,
        scores.argmax(1).astype(np.int64),
        items,
        item_ranks,
        {k: accuracy_of(ranks > k, groups) for k in recall_ranks if k < m},
        {k: accuracy_of(item_ranks > k, None) for k in recall_ranks if k < n},
    )


def best_items(scores: F32, most: int) -> I64:
    """(n, at most `most`) items of each text, the highest score first."""
    return np.argsort(-scores, 1, kind="stable")[:, :most].astype(np.int64)


def _matches(texts: Sequence[str], item_of_text: I64, m: int) -> Bool:
    """(n, m) whether a text describes an item: its item, and items that have a text of the same words."""
    items_of_words: dict[str, list[int]] = {}
    words = [" ".join(text.casefold().split()) for text in texts]
    for text, item in zip(words, item_of_text.tolist(), strict=True):
        items_of_words.setdefault(text, []).append(item)
    matches = np.zeros((len(texts), m), np.bool_)
    for row, text in enumerate(words):
        matches[row, items_of_words[text]] = True
    return matches


def _best_ranks(scores: F32, matches: Bool) -> I64:
    """(n,) rank of each row's best match among the columns that do not match, from 1; ties count against it."""
    best = np.where(matches, scores, -np.inf).max(1, keepdims=True)
    return 1 + ((scores >= best) & ~matches).sum(1).astype(np.int64)
