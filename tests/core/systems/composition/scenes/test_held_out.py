"""Held-out pairs leave every attribute and every shape in training."""

from collections import Counter

import pytest

from core.systems.composition.scenes.held_out import HeldOut, held_out_pairs
from core.systems.composition.scenes.shapes import COLOURS, MATERIALS, SHAPES, Scene, Shape, ShapePhrase


@pytest.mark.parametrize("seed", range(20))
def test_each_shape_loses_as_many_and_every_attribute_remains(seed: int):
    held = held_out_pairs(seed)
    assert Counter(shape for _, shape in held.colour) == dict.fromkeys(SHAPES, 2)
    assert Counter(shape for _, shape in held.material) == dict.fromkeys(SHAPES, 1)
    by_colour, by_material = (Counter(a for a, _ in pairs) for pairs in (held.colour, held.material))
    assert set(by_colour) == set(COLOURS)  # each colour is missed with some shape
    assert max(by_colour.values()) - min(by_colour.values()) <= 1
    assert set(by_material) == set(MATERIALS)
    assert max(by_material.values()) < len(SHAPES)


def test_the_same_seed_holds_out_the_same_pairs_and_another_does_not():
    assert held_out_pairs(3) == held_out_pairs(3)
    assert held_out_pairs(3) != held_out_pairs(4)


def test_what_is_shown_and_what_is_named_are_told_apart():
    held = HeldOut(frozenset({("red", "cube")}), frozenset({("shiny", "ball")}))
    scene = Scene(
        tuple(
            Shape(*words, "small", 0.5, 0.5, 0.2)
            for words in (("cube", "red", "matte"), ("ball", "red", "shiny"), ("ball", "red", "matte"))
        )
    )
    assert [held.shown(thing) for thing in scene.things] == [True, True, False]
    assert [
        held.in_phrase(p)
        for p in (
            ShapePhrase("cube", "red"),
            ShapePhrase("cube"),
            ShapePhrase("ball", material="shiny"),
            ShapePhrase("ball", "red"),
        )
    ] == [True, False, True, False]
