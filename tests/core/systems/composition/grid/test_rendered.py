"""Scenes for a grid of binding."""

from __future__ import annotations

from collections import Counter

import pytest

from core.errors import InvalidInput
from core.systems.composition.grid.questions import ask
from core.systems.composition.grid.rendered import ATTRIBUTES, draw_binding


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_picture_can_be_asked_and_its_twin_has_the_attributes_exchanged(attribute: str) -> None:
    store, shown = draw_binding(40, attribute)
    assert len(store) == len(shown) == 40
    asked = ask(shown, len(store), "two", {})
    assert not asked.left_out
    for first, second in zip(shown[::2], shown[1::2]):
        (a, o), (b, p) = first.things
        assert set(second.things) == {(b, o), (a, p)}


def test_what_is_said_of_a_picture_is_what_its_scene_holds() -> None:
    store, shown = draw_binding(10)
    for scene, one in zip(store.scenes, shown):
        assert [(thing.colour, thing.shape) for thing in scene.things] == list(one.things)


def test_three_hundred_pictures_fill_every_cell_of_colour_and_shape() -> None:
    _, shown = draw_binding()
    counts = Counter(pair for one in shown for pair in one.things)
    assert len(counts) == 8 * 6
    assert min(counts.values()) >= 5


@pytest.mark.parametrize("n", [0, 3])
def test_pictures_are_drawn_in_twos(n: int) -> None:
    with pytest.raises(InvalidInput, match="in pairs"):
        draw_binding(n)
