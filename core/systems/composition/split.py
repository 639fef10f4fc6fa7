"""A benchmark in two parts, one to learn from and one to test on, no image in both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.errors import InvalidInput
from core.records import I64
from core.systems.composition.records import Item, LoadedBenchmark
from core.systems.composition.scoring.measures import picture_groups

SPLIT = "split"
TRAIN = "train"


def two_parts(
    pictured: LoadedBenchmark, share: float = 0.5, *, seed: int = 0
) -> tuple[LoadedBenchmark, LoadedBenchmark]:
    """(to learn from, to test on): by the tag "split" where some items say "train" and others do not, else drawn, items
    that share images together.

    Args:
        share: of the items to learn from, where they are drawn.

    Raises:
        InvalidInput: all items share images, or there are too few.
    """
    items = pictured.benchmark.items
    training = np.array([item.tags.get(SPLIT, "") == TRAIN for item in items], bool)
    how = "by the tag that names the split"
    if not training.any() or training.all():
        how = "drawn; the other part shares no image with them"
        training = _drawn(pictured, share, seed)
    if training.sum() < 8 or (~training).sum() < 4:
        raise InvalidInput(
            f"{pictured.benchmark.title} has {len(items):,} items, {int(training.sum())} of them to learn from: too "
            "few. Add items, or learn from rendered scenes."
        )
    parts = [tuple(item for item, mine in zip(items, training.tolist()) if mine is wanted) for wanted in (True, False)]

    def made(part: tuple[Item, ...], which: str) -> LoadedBenchmark:
        note = f"{len(part):,} of {len(items):,} items, those {which}, {how}."
        whole = pictured.benchmark
        return replace(pictured, benchmark=replace(whole, items=part, notes=(*whole.notes, note)))

    return made(parts[0], "to learn from"), made(parts[1], "to test on")


def _drawn(pictured: LoadedBenchmark, share: float, seed: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) whether an item is to learn from."""
    items = pictured.benchmark.items
    groups, note = picture_groups(items, pictured.benchmark.pictures)
    if groups is None and note:
        raise InvalidInput(
            f"The items of {pictured.benchmark.title} share their images, so none can be held out as a test. "
            "Learn from rendered scenes."
        )
    names: I64 = np.arange(len(items)) if groups is None else groups
    kinds = np.unique(names)
    learned = np.random.default_rng(seed).permutation(kinds)[: round(share * len(kinds))]
    return np.isin(names, learned)
