"""The grid of binding in lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.records import F64, ItemStore
from core.systems.composition.grid.binding import BindingGrid, binding_grid
from core.systems.composition.grid.questions import PictureContents
from core.systems.composition.reports.own_pairs_lines import grid_lines
from webapp.systems.composition.grid import scenes


def grid(things: Sequence[tuple[tuple[str, str], ...]]) -> BindingGrid:
    """The grid of 40 images, the last of which show these things instead of two that can be told apart."""
    store, shown = scenes("colour", 40)
    odd = [PictureContents(40 - len(things) + i, own) for i, own in enumerate(things)]

    def score(pictures: ItemStore, texts: Sequence[str]) -> F64:
        return np.random.default_rng(0).normal(size=(40, len(texts)))

    return binding_grid(store, [*shown[: 40 - len(things)], *odd], score)


def test_each_reason_to_leave_pictures_out_has_its_own_count_and_example() -> None:
    found = grid([(("red", "ball"), ("red", "cube")), (), (("red", "ball"),), (("blue", "cube"),)])
    names = [name for name, _ in found.left_out]
    assert [line for line in grid_lines(found) if "eft out" in line] == [
        f"Left out: 2 images, such as {names[2]}: they do not show exactly two objects with known attributes.",
        f"Left out: 1 image, {names[0]}: their two objects share the attribute or the name.",
        f"Left out: 1 image, {names[1]}: no attribute of an object is known.",
    ]


def test_a_grid_that_leaves_nothing_out_says_nothing_of_it() -> None:
    assert not any("eft out" in line for line in grid_lines(replace(grid([]), left_out=())))
