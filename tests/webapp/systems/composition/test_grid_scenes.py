"""Scenes for a grid of binding."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest

from core.systems.composition.grid.questions import ask
from core.systems.composition.scenes.benchmarks import SceneStore
from webapp.systems.composition.grid import ATTRIBUTES, N_SCENES, scenes


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_picture_can_be_asked_and_its_twin_has_the_attributes_exchanged(attribute: str) -> None:
    store, shown = scenes(attribute, 40)
    assert len(store) == len(shown) == 40
    asked = ask(shown, "two")
    assert not asked.left_out
    for first, second in zip(shown[::2], shown[1::2]):
        (a, o), (b, p) = first.things
        assert set(second.things) == {(b, o), (a, p)}


def test_what_is_said_of_a_picture_is_what_its_scene_holds() -> None:
    store, shown = scenes("colour", 10)
    drawn = cast(SceneStore, store.base).scenes
    for scene, one in zip(drawn, shown):
        assert [(thing.colour, thing.shape) for thing in scene.things] == list(one.things)


def test_three_hundred_pictures_fill_every_cell_of_colour_and_shape() -> None:
    _, shown = scenes("colour", N_SCENES)
    counts = Counter(pair for one in shown for pair in one.things)
    assert len(counts) == 8 * 6
    assert min(counts.values()) >= 5
