"""The items that a model is most surely wrong on, laid out with their pictures and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from core.composition.scoring.judging import relevant_pictures
from core.data.images.inline import InlinePictures
from core.numbers import number
from core.records import F64, I64, Benchmark, Bool, CompositionResult, Item

WORST = 12
MAX_SHOWN = 6
"""Pictures of a query, or captions of a choice, that are shown."""


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture in an item's table."""

    name: str
    address: Markup | None


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A score in an item's table."""

    score: str
    true: bool
    picked: bool
    """Whether it is the highest of its caption's row (of a choice: the highest of all)."""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item: a table with a picture in each column and a caption in each row."""

    id: str
    tags: str
    margin: str
    pictures: tuple[ShownPicture, ...]
    rows: tuple[tuple[str, tuple[ScoreCell, ...]], ...]
    more: str
    """What is not shown of it, and of a query at what rank its first true picture stands; or ""."""


def worst_items(
    result: CompositionResult, benchmark: Benchmark, pictures: InlinePictures, most: int = WORST
) -> tuple[ShownItem, ...]:
    """Up to `most` items that are wrong (of queries: the lowest average precision), the lowest margin first."""
    known: Mapping[str, Item] = {item.id: item for item in benchmark.items}
    order = np.argsort(result.margin, kind="stable")
    if result.kind != "retrieval":
        order = order[result.margin[order] <= 0]
    return tuple(_shown(result, known[result.ids[row]], row, benchmark, pictures) for row in order[:most].tolist())


def _shown(
    result: CompositionResult, item: Item, row: int, benchmark: Benchmark, pictures: InlinePictures
) -> ShownItem:
    scores, true = result.matrices[row], np.zeros(result.matrices[row].shape, bool)
    true[tuple(np.array(item.match).T)] = True
    columns, captions = _kept(scores, item, result.kind)
    cells = [tuple(_cell(scores, true, p, c, result.kind) for p in columns.tolist()) for c in captions.tolist()]
    said = [item.captions[c] for c in captions.tolist()]
    places = [item.pictures[p] for p in columns.tolist()]
    more = [
        f"{left:,} {noun}{'' if left == 1 else 's'} not shown"
        for left, noun in ((scores.shape[0] - len(columns), "picture"), (scores.shape[1] - len(captions), "caption"))
        if left
    ]
    if result.kind == "retrieval":
        more.append(_first_rank(scores[:, 0], true[:, 0]))
    return ShownItem(
        item.id,
        ", ".join(f"{tag}: {value}" for tag, value in item.tags.items() if value),
        number(result.margin[row], 3),
        tuple(ShownPicture(benchmark.pictures[at].name, pictures.address(at)) for at in places),
        tuple(zip(said, cells)),
        "; ".join(filter(None, more)),
    )


def _kept(scores: F64, item: Item, kind: str) -> tuple[I64, I64]:
    """Places of the pictures and captions that are shown. Of a query the first in rank and a picture that it should
    have found; of a choice the true caption and the highest foils."""
    pictures, captions = np.arange(scores.shape[0]), np.arange(scores.shape[1])
    if kind == "retrieval" and len(pictures) > MAX_SHOWN:
        usable = np.flatnonzero(np.isfinite(scores[:, 0]))
        ranked = usable[np.argsort(-scores[usable, 0], kind="stable")]
        wanted = [at for at in ranked.tolist() if relevant_pictures(item)[at]]
        first = ranked[:MAX_SHOWN].tolist()
        pictures = np.array(first if set(first) & set(wanted) or not wanted else [*first[:-1], wanted[0]])
    if kind == "choice" and len(captions) > MAX_SHOWN:
        own = item.match[0][1]
        foils = [at for at in np.argsort(-scores[0], kind="stable").tolist() if at != own]
        captions = np.array([own, *foils[: MAX_SHOWN - 1]])
    return pictures.astype(np.int64), captions.astype(np.int64)


def _first_rank(scores: F64, true: Bool) -> str:
    """Where the first true picture stands among all that could be read; "" where none could."""
    if not np.isfinite(scores[true]).any():
        return ""
    rank = 1 + int((scores[~true] >= np.nanmax(scores[true])).sum())
    return f"the first true picture has rank {rank:,} of {int(np.isfinite(scores).sum()):,}"


def _cell(scores: F64, true: Bool, picture: int, caption: int, kind: str) -> ScoreCell:
    rivals = scores[picture] if kind == "choice" else scores[:, caption]
    score = scores[picture, caption]
    return ScoreCell(
        number(float(score), 3), bool(true[picture, caption]), bool(np.isfinite(score) and score == np.nanmax(rivals))
    )
