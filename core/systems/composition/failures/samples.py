"""From items and a model's scores to samples that a diagnosis can be made of: an image with its true caption, and a
loss.

What a sample is, by the kind of the item:

- "pairs": one sample for each image with its caption. Its margin is that of the questions which the headline asks of
  it: "image" asks whether the caption picks its image, "text" whether the image picks its caption, "group" both;
  the smaller counts. So an item is right by the headline if and only if all of its samples are.
- "choice": one sample for each true caption of the image; its margin is to the best foil.
- "retrieval": one sample for each query, shown with the image that it describes and that the model ranks last; its
  loss is 1 - average precision.

The loss is the negative margin, and a sample with a margin of 0 or less is wrong: a tie counts as wrong.

Where a model cannot bind, one image of a pair tends to win both captions, so that its sample is right and the other's
wrong: such losses say which images attract captions. A note counts these items. The loss "binding" takes that out:
both samples of an item have the loss
-(s[0,0] + s[1,1] - s[0,1] - s[1,0]) / 2 (captions in the order of their images), in which whatever an image or a
caption adds to all of its scores cancels; right is then whether the true matches score higher together than the crossed
ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import InvalidInput
from core.records import F64, I64, Bool, Outcomes
from core.systems.composition.records import CompositionResult, Item, LoadedBenchmark
from core.systems.composition.scoring.judging import items_of
from core.systems.composition.scoring.measures import picture_groups

Loss = Literal["margin", "binding"]
IMAGE = "image"
TEXT = "text"


@dataclass(frozen=True, slots=True, eq=False)
class CaptionSamples:
    """n images with their true captions, as one model scores them."""

    ids: tuple[str, ...]
    items: tuple[Item, ...]
    """The item of each sample."""
    pictures: I64
    """(n,) places in the benchmark's images."""
    captions: tuple[str, ...]
    foils: tuple[tuple[str, ...], ...]
    """The captions of the same item that do not belong to the image."""
    outcomes: Outcomes
    groups: I64
    """(n,) samples that share an item, or an image with one that does, have one number."""
    excluded: tuple[tuple[str, str], ...]
    """(item's id, reason) of items that gave no sample."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    id: str
    item: int
    picture: int
    caption: int
    loss: float


def caption_samples(pictured: LoadedBenchmark, result: CompositionResult, loss: Loss = "margin") -> CaptionSamples:
    """The samples of a result on its benchmark.

    Args:
        loss: "binding" is for pairs alone.

    Raises:
        InvalidInput: the result is of another benchmark, no item can be scored, or "binding" is asked of no pairs.
    """
    benchmark = pictured.benchmark
    items_of(result, benchmark)  # refuses a result of another benchmark
    if loss not in ("margin", "binding") or (loss == "binding" and result.kind != "pairs"):
        raise InvalidInput(
            f'loss must be "margin", or "binding" for pairs: got {loss!r} for {result.kind} items. Use "margin".'
        )
    items = {item.id: item for item in benchmark.items}
    samples, excluded = _all_samples(items, result, loss)
    sample_items = tuple(items[result.ids[s.item]] for s in samples)
    pictures = np.array([item.pictures[s.picture] for item, s in zip(sample_items, samples)], np.int64)
    groups = pictures
    note = ""
    if result.kind != "retrieval":
        # of samples: those of one item share its images
        connected, note = picture_groups(sample_items, benchmark.pictures)
        groups = np.array([s.item for s in samples], np.int64) if connected is None else connected
    return CaptionSamples(
        tuple(s.id for s in samples),
        sample_items,
        pictures,
        tuple(item.captions[s.caption] for item, s in zip(sample_items, samples)),
        tuple(_foils(item, s.picture) for item, s in zip(sample_items, samples)),
        _outcomes(np.array([s.loss for s in samples]), result, loss),
        groups,
        excluded,
        tuple(filter(None, (note, _attracted(items, result) if loss == "margin" else ""))),
    )


def _all_samples(
    items: Mapping[str, Item], result: CompositionResult, loss: Loss
) -> tuple[list[_Sample], tuple[tuple[str, str], ...]]:
    """The samples of every item, and the items that give none, with the reason.

    Raises:
        InvalidInput: no item gives any.
    """
    samples: list[_Sample] = []
    excluded = [*result.excluded]
    retrieval = result.kind == "retrieval"
    nothing = "it has nothing to tell apart."
    if retrieval:
        nothing = "it has no average precision because it describes none of its images."
    for number, (name, scores) in enumerate(zip(result.ids, result.matrices)):
        item_samples = _samples(items[name], number, scores, result, loss)
        samples += item_samples
        if not item_samples:
            excluded.append((name, nothing))
    known = {*result.ids, *(name for name, _ in excluded)}
    excluded += [(name, f"{result.model} has not scored it.") for name in items if name not in known]
    if not samples:
        first = excluded[0] if excluded else ("", "it has no items.")
        raise InvalidInput(f"{result.name}: no item can be diagnosed. The first, {first[0]!r}: {first[1]}")
    return samples, tuple(dict.fromkeys(excluded))


def sample_margins(scores: F64, match: tuple[tuple[int, int], ...], headline: str) -> F64:
    """The margin of each (image, caption) of `match` to the best wrong answer; inf without one.

    Args:
        scores: (I, T), larger is a better match.
        headline: "image" asks which image a caption picks, "text" which caption an image picks, anything else both.
    """
    belongs = np.zeros(scores.shape, bool)
    belongs[tuple(np.array(match, np.int64).T)] = True
    wrong = np.where(belongs, -np.inf, scores)
    margins = np.full(len(match), np.inf)
    for row, (picture, caption) in enumerate(match):
        rivals: list[float] = []
        if headline != TEXT:
            rivals.append(float(wrong[:, caption].max()))
        if headline != IMAGE:
            rivals.append(float(wrong[picture].max()))
        margins[row] = scores[picture, caption] - max(rivals)
    return margins


def binding(scores: F64, match: tuple[tuple[int, int], ...]) -> float:
    """Half of what the true matches of a 2 x 2 item score together above the crossed ones."""
    return float(sum(scores[at] for at in match)) - float(scores.sum()) / 2


def _attracted(items: Mapping[str, Item], result: CompositionResult) -> str:
    """In how many items one image wins both captions, or one caption both images, as the headline asks; "" where it
    asks neither."""
    if result.kind != "pairs" or result.headline not in (IMAGE, TEXT):
        return ""
    wrong = [
        (sample_margins(s, items[name].match, result.headline) <= 0).sum() == 1
        for name, s in zip(result.ids, result.matrices)
    ]
    what = "one caption wins both images"
    if result.headline == IMAGE:
        what = "one image wins both captions"
    return (
        f"In {sum(wrong):,} of {len(wrong):,} items {what}. There the loss shows what attracts the model, not "
        'wrong binding. The loss "binding" removes this attraction.'
    )


def _samples(item: Item, number: int, scores: F64, result: CompositionResult, loss: Loss) -> list[_Sample]:
    if result.kind == "retrieval":
        precision = float(result.margin[number])
        hard = [picture for picture, _ in item.match if item.hard is None or item.hard[picture]]
        truly = [picture for picture in hard if np.isfinite(scores[picture, 0])]
        if not truly or not np.isfinite(precision):
            return []
        last = min(truly, key=lambda picture: float(scores[picture, 0]))
        return [_Sample(item.id, number, last, 0, 1 - precision)]
    asked = result.headline if result.kind == "pairs" else TEXT
    margins = sample_margins(scores, item.match, asked) if loss == "margin" else np.full(2, binding(scores, item.match))
    ids = [item.id] if len(item.match) == 1 else [f"{item.id}, caption {caption + 1}" for _, caption in item.match]
    return [
        _Sample(name, number, picture, caption, -float(margin))
        for name, (picture, caption), margin in zip(ids, item.match, margins)
        if np.isfinite(margin)
    ]


def _foils(item: Item, picture: int) -> tuple[str, ...]:
    true = {caption for at, caption in item.match if at == picture}
    return tuple(text for at, text in enumerate(item.captions) if at not in true)


def _outcomes(loss: F64, result: CompositionResult, which: Loss) -> Outcomes:
    source = f"{result.title}, {result.model}"
    if result.kind == "retrieval":
        return Outcomes(loss, "1 - average precision", "share", source)
    wrong: Bool = loss >= 0
    return Outcomes(loss, f"negative {which}", "of score", source, errors=wrong)
