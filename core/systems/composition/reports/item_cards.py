"""Single items of a benchmark, for report and page: images, captions, the scores between them, and who picks whom."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from core.numbers import count, number
from core.records import F64, Bool
from core.systems.composition.records import Benchmark, CompositionResult, Item, Picture

MAX_WORST = 12
MAX_PICTURES = 6
"""Images of a query that are shown."""
MAX_CAPTIONS = 6
"""Of a choice with more captions the strongest foils are shown."""
ARTICLES = ("a", "an", "the")
RIGHT = "✓"
WRONG = "✗"

Address = Callable[[int], str | None]
"""The data address of the benchmark's image in that place; None or "" where it is not shown."""
Words = tuple[tuple[str, bool], ...]
"""The words of a caption in pieces, each with whether it is marked."""


@dataclass(frozen=True, slots=True)
class PickOutcome:
    """Right or wrong, told by shape, colour and words."""

    kind: str
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """An image, or its name where it cannot be read."""

    name: str
    address: str | None
    alt: str
    said: str = ""
    """Its rank and score below a query."""
    fits: bool = False
    """Whether the query describes it."""


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A score in an item's table."""

    score: str
    true: bool
    share: str
    """Per cent of the way from the lowest to the highest score that stands beside it, which shades the cell."""


@dataclass(frozen=True, slots=True)
class CaptionScores:
    """A caption with its score for each image, and whether it picks its own."""

    words: Words
    cells: tuple[ScoreCell, ...]
    foil: bool
    """Whether it is true of none of several images."""
    outcome: PickOutcome | None


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """What a model says of an item: a table of captions by images, or of a query the images that score highest."""

    pictures: tuple[ShownPicture, ...]
    rows: tuple[CaptionScores, ...] = ()
    picks: tuple[PickOutcome | None, ...] = ()
    """Whether each image picks its own caption."""
    query: str = ""
    note: str = ""
    """What is not shown, and of a query at what rank its first true image stands."""


def outcome(right: bool | None, text: str) -> PickOutcome:
    """Right, wrong, or (None) neither, with its words."""
    if right is None:
        return PickOutcome("even", "=", text)
    if right:
        return PickOutcome("held", RIGHT, text)
    return PickOutcome("bad", WRONG, text)


def worst_items(
    result: CompositionResult, benchmark: Benchmark, address: Address, most: int = MAX_WORST
) -> list[tuple[ScoredItem, str]]:
    """Up to `most` items that are wrong (of queries: the lowest average precision), the lowest margin first,
    each with its name, tags and margin."""
    known: Mapping[str, Item] = {item.id: item for item in benchmark.items}
    order = np.argsort(result.margin, kind="stable")
    if result.kind != "retrieval":
        order = order[result.margin[order] <= 0]
    shown: list[tuple[ScoredItem, str]] = []
    for row in order[:most].tolist():
        item = known[result.ids[row]]
        tags = ", ".join(f"{tag}: {value}" for tag, value in item.tags.items() if value)
        margin = ""
        if result.kind != "retrieval":
            margin = f"margin {number(float(result.margin[row]), 3)}"
        facts = "; ".join(filter(None, (item.id, tags, margin)))
        shown.append((scored_item(item, result, row, benchmark.pictures, address), facts))
    return shown


def scored_item(
    item: Item, result: CompositionResult, row: int, pictures: Sequence[Picture], address: Address
) -> ScoredItem:
    """What the result says of the item, which has that row in it; `pictures` are the benchmark's."""
    scores = result.matrices[row]
    if result.kind == "retrieval":
        return _ranking(item, scores[:, 0], float(result.margin[row]), pictures, address)
    captions = shown_captions(item, scores)
    left = len(item.captions) - len(captions)
    return ScoredItem(
        tuple(
            ShownPicture(pictures[at].name, address(at), f"Image {i + 1} of {item.id}")
            for i, at in enumerate(item.pictures)
        ),
        tuple(_caption_scores(item, scores, text) for text in captions),
        tuple(_picture_outcome(item, scores, i) for i in range(len(item.pictures))),
        note=f"{count(left, 'weaker foil')} not shown." if left else "",
    )


def _caption_scores(item: Item, scores: F64, text: int) -> CaptionScores:
    places = decimals(scores)
    match = set(item.match)
    cells = tuple(
        ScoreCell(number(float(scores[i, text]), places), (i, text) in match, shade(float(scores[i, text]), scores))
        for i in range(len(item.pictures))
    )
    foil = len(item.pictures) > 1 and not any(caption == text for _, caption in item.match)
    words = changed_words(item.captions[text], item.captions[_rival(item, text)])
    return CaptionScores(words, cells, foil, _caption_outcome(item, scores, text))


def shown_captions(item: Item, scores: F64) -> list[int]:
    """Places of the captions to show: all, or the true ones and the strongest foils."""
    if len(item.captions) <= MAX_CAPTIONS:
        return list(range(len(item.captions)))
    true = [text for _, text in item.match]
    foils = [int(text) for text in np.argsort(-scores[0], kind="stable") if int(text) not in true]
    return [*true, *foils][:MAX_CAPTIONS]


def changed_words(text: str, second: str) -> Words:
    """The words of the text; those that the other has not in that place are marked, neighbors together.

    Captions of equally many words are compared word by word: an alignment of "an orange star and a cyan cone" with "a
    cyan star and an orange cone" would mark what stays. Articles are not marked.
    """
    mine = text.split()
    theirs = second.split()
    if len(mine) == len(theirs):
        shared = {i for i, word in enumerate(mine) if word == theirs[i]}
    else:
        shared = {
            i
            for block in difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks()
            for i in range(block.a, block.a + block.size)
        }
    marked = [i not in shared and word.lower() not in ARTICLES for i, word in enumerate(mine)]
    pieces = groupby(zip(mine, marked, strict=True), key=lambda word: word[1])
    return tuple((" ".join(word for word, _ in words), changed) for changed, words in pieces)


def _rival(item: Item, text: int) -> int:
    """The caption to mark differences against: the first true one, or of that one the first other."""
    true = item.match[0][1]
    if text != true:
        return true
    return next((i for i in range(len(item.captions)) if i != true), true)


def decimals(scores: F64) -> int:
    """Decimals that suit scores that stand side by side."""
    if not np.isfinite(scores).any() or float(np.nanmax(np.abs(scores))) < 1:
        return 3
    return 2


def shade(value: float, scores: F64) -> str:
    """Per cent of the way from the lowest to the highest of the scores."""
    low = float(np.nanmin(scores))
    high = float(np.nanmax(scores))
    share = 0.5
    if high > low and np.isfinite(value):
        share = float(np.clip((value - low) / (high - low), 0, 1))
    return f"{100 * share:.0f}"


def _caption_outcome(item: Item, scores: F64, text: int) -> PickOutcome | None:
    """Whether a caption picks its image; None of a foil, or where there is one image."""
    true_rows = [picture for picture, caption in item.match if caption == text]
    if len(item.pictures) < 2 or not true_rows:
        return None
    return _picked(scores[:, text], true_rows, "picks its image", "picks the other")


def _picture_outcome(item: Item, scores: F64, picture: int) -> PickOutcome | None:
    """Whether an image picks its caption; None where it has no other to pick."""
    true_columns = [caption for i, caption in item.match if i == picture]
    if not true_columns or len(true_columns) == len(item.captions):
        return None
    wrong = "picks the other"
    if len(item.pictures) < 2:
        wrong = "picks a foil"
    return _picked(scores[picture], true_columns, "picks its caption", wrong)


def _picked(scores: F64, true_at: Sequence[int], right: str, wrong: str) -> PickOutcome:
    """Whether every one of its own scores strictly higher than the others."""
    gap = float(scores[list(true_at)].min() - np.delete(scores, true_at).max())
    if gap == 0:
        return outcome(None, "a tie")
    return outcome(gap > 0, right if gap > 0 else wrong)


def _ranking(item: Item, scores: F64, precision: float, pictures: Sequence[Picture], address: Address) -> ScoredItem:
    """The images of the highest scores; the last of them makes room for the first that the query describes."""
    usable = np.flatnonzero(np.isfinite(scores))
    ranked = list(enumerate(usable[np.argsort(-scores[usable], kind="stable")].tolist(), 1))
    true = np.zeros(len(scores), bool)
    true[[picture for picture, _ in item.match]] = True
    first = next(((rank, at) for rank, at in ranked if true[at]), None)
    shown = ranked[:MAX_PICTURES] if first is None or first[0] <= MAX_PICTURES else [*ranked[: MAX_PICTURES - 1], first]
    tiles = tuple(
        ShownPicture(
            pictures[item.pictures[at]].name,
            address(item.pictures[at]),
            f"Rank {rank}",
            f"{RIGHT if true[at] else WRONG} {rank}. {number(float(scores[at]), decimals(scores))}",
            bool(true[at]),
        )
        for rank, at in shown
    )
    notes = [] if first is None else [f"first right image at rank {_rank(scores, true):,} of {len(ranked):,}"]
    note = ", ".join([*notes, f"average precision {number(precision, 2)}"])
    return ScoredItem(tiles, query=item.captions[0], note=note)


def _rank(scores: F64, true: Bool) -> int:
    """Of the best true image, those of its score before it."""
    return 1 + int((scores[~true] >= np.nanmax(scores[true])).sum())
