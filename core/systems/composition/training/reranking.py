"""An adapter as a re-ranker: the frozen encoder chooses a few candidates, and the adapter only orders these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from core.errors import InvalidInput
from core.records import F64, I64, Bool, Progress, no_progress
from core.systems.composition.records import LoadedBenchmark, Scorer, Scores

CANDIDATES = 10
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
MARGIN = 0.03
"""So much of what is found first may be lost, or is taken for kept."""
MAX_WEIGHT = 1_000_000
"""Far above those that are tried."""
Weight = Annotated[float, Field(ge=0, le=MAX_WEIGHT)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class WeighedReranking:
    """What a weight brings on held-back items, and what it leaves of the search of everyday images."""

    weight: Weight
    right: Share
    """Share of the held-back items that come out right (`core.systems.composition.training.losses.right`)."""
    found: Share
    """Recall at 1 of the search, mean of both directions."""


def rerank(first: F64, second: F64, *, k: int = CANDIDATES, weight: float = 1.0) -> F64:
    """The ranking of `first` with its best k candidates put in a new order by both scores.

    Candidates are ordered by first + weight x scale x second; scale is the spread (standard deviation) of `first` among
    candidates over that of `second`, so that with a weight of 1 both have the same say whatever their units. What is no
    candidate stays where it was. So recall at k and beyond is that of `first` by construction, and a use of the encoder
    other than a search among many, such as zero-shot, is untouched.

    Args:
        first: (q, n) scores of q queries for n candidates, such as the cosines of a frozen encoder; finite.
        second: (q, n) scores of the same, such as an adapter's logits. Only those of candidates are looked at.
        k: at least 1.
        weight: at least 0; 0 keeps the order of `first`.

    Returns:
        (q, n) scores whose order is the new ranking; their size means nothing.

    Raises:
        InvalidInput: a needed score is not finite.

    Source: Cola's adapter scores pairs one by one (Ray et al. 2023, arXiv 2305.03689), which suits a short list; the
    mixture is ours.

    Example:
        >>> cosines, logits = np.array([[0.3, 0.2, 0.1]]), np.array([[0.0, 9.0, 99.0]])
        >>> rerank(cosines, logits, k=2, weight=2.0).argsort()[0, ::-1].tolist()
        [1, 0, 2]
    """
    if first.shape[1] == 0:
        return first.copy()
    candidates = np.argsort(-first, axis=1, kind="stable")[:, :k]
    mine, theirs = (np.take_along_axis(scores, candidates, axis=1) for scores in (first, second))
    if not (np.isfinite(first).all() and np.isfinite(theirs).all()):
        raise InvalidInput(
            "A score is nan or infinite, so it cannot be ranked. Leave out images that could not be read."
        )
    return _reordered(first, candidates, mine + weight * _scale(mine, theirs) * theirs)


def ranks(scores: F64, true: Bool) -> I64:
    """(q,) rank of each query's best true answer among those that are not true; behind those of equal score.

    Args:
        scores, true: (q, n).
    """
    best = np.where(true, scores, -np.inf).max(axis=1, keepdims=True)
    return 1 + (~true & (scores >= best)).sum(axis=1)


def choose_weight(
    items: Sequence[tuple[F64, F64, Bool]], first: F64, second: F64, true: Bool
) -> tuple[float, tuple[WeighedReranking, ...]]:
    """The weight of `WEIGHTS` with the most items right among those that lose at most `MARGIN` of what the first model
    finds first; the smallest of equals. 0, the first model alone, always qualifies.

    Args:
        items: (I, T) scores of both models and what belongs together, of items that nothing was learned from.
        first, second, true: (n, m) scores of everyday images with captions by both, and which belong together.
    """
    from core.systems.composition.training.losses import right

    pairs = [(one, other) for one, other, _ in items]
    match = [belongs for *_, belongs in items]
    rows: list[WeighedReranking] = []
    for weight in WEIGHTS:
        mixed = _summed([one for one, _ in pairs], [other for _, other in pairs], weight)
        ways = ((first, second, true), (first.T, second.T, true.T))
        shares = [float((ranks(rerank(a, b, weight=weight), t) == 1).mean()) for a, b, t in ways]
        share = float(np.mean([right(scores, belongs) for scores, belongs in zip(mixed, match, strict=True)]))
        rows.append(WeighedReranking(weight, share, float(np.mean(shares))))
    eligible = [row for row in rows if row.found >= rows[0].found - MARGIN]
    return max(eligible, key=lambda row: (row.right, -row.weight)).weight, tuple(rows)


def _reordered(first: F64, candidates: np.ndarray[tuple[int, ...], np.dtype[np.int64]], mixed: F64) -> F64:
    out = first.copy()
    above = first.max(axis=1, keepdims=True) + 1.0  # a new scale for candidates, above all others
    np.put_along_axis(out, candidates, above + mixed - mixed.min(axis=1, keepdims=True), axis=1)
    return out


def _scale(first: F64, second: F64) -> float:
    """Spread of the first over that of the second, within queries; 0 where the second says the same of all."""
    return _ratio(float(first.var(axis=1).mean()), float(second.var(axis=1).mean()))


def _ratio(first: float, second: float) -> float:
    if second > 0:
        return float(np.sqrt(first / second))
    return 0.0


@dataclass(frozen=True, slots=True, eq=False)
class RerankingScorer:
    """A frozen encoder whose answers an adapter re-ranks, as a `Scorer`.

    Of pairs and choices, which are short lists, the score is first + weight x scale x second, scale as in `rerank` over
    all items. A query's images are ranked by `rerank`.
    """

    first: Scorer
    second: Scorer
    k: int = CANDIDATES
    weight: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.first.name}, re-ranked by {self.second.name}"

    @property
    def fingerprint(self) -> str:
        return f"{self.first.fingerprint}/{self.second.fingerprint}, k {self.k}, weight {self.weight:g}"

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        """The mixed scores of every item; nan in the rows of images that one of the two could not read."""
        a, b = (scorer.score(pictured, cache=cache, progress=progress) for scorer in (self.first, self.second))
        unreadable = dict(a.unreadable) | dict(b.unreadable)
        if pictured.benchmark.kind == "retrieval":
            mixed = tuple(self._query(x, y) for x, y in zip(a.matrices, b.matrices))
        else:
            mixed = _summed(a.matrices, b.matrices, self.weight)
        notes = tuple(dict.fromkeys((*a.notes, *b.notes)))
        return Scores(self.name, self.fingerprint, mixed, notes, unreadable, a.taught | b.taught)

    def _query(self, first: F64, second: F64) -> F64:
        """(I, 1) of one query."""
        fine = np.isfinite(first[:, 0] + second[:, 0])
        out = np.full(first.shape, np.nan)
        if fine.any():
            out[fine, 0] = rerank(first[fine].T, second[fine].T, k=self.k, weight=self.weight)[0]
        return out


def _summed(first: Sequence[F64], second: Sequence[F64], weight: float) -> tuple[F64, ...]:
    """The mixture of short lists, on one scale for all of them."""
    seen = [(x, y) for x, y in zip(first, second) if np.isfinite(x).all() and np.isfinite(y).all()]
    scale = 0.0
    if seen:
        scale = _ratio(*(float(np.mean([pair[side].var() for pair in seen])) for side in (0, 1)))
    return tuple(x + weight * scale * y for x, y in zip(first, second))
