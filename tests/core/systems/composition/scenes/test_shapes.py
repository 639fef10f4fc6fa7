"""Captions are exactly true or false of a scene."""

import pytest

from core.systems.composition.scenes.shapes import (
    COLOURS,
    RELATIONS,
    SHAPES,
    Scene,
    Shape,
    ShapePhrase,
    Statement,
    related,
)

RED_CUBE = Shape("cube", "red", "striped", "small", 0.2, 0.5, 0.2)
BLUE_BALL = Shape("ball", "blue", "matte", "large", 0.7, 0.52, 0.4)
GREEN_BALL = Shape("ball", "green", "dotted", "small", 0.7, 0.1, 0.2)
SCENE = Scene((RED_CUBE, BLUE_BALL, GREEN_BALL))
RED, BLUE, GREEN = ShapePhrase("cube", "red"), ShapePhrase("ball", "blue"), ShapePhrase("ball", "green")


@pytest.mark.parametrize(
    ("statement", "text", "true"),
    [
        (Statement((RED, BLUE)), "a red cube and a blue ball", True),
        (Statement((ShapePhrase("cube", "blue"), ShapePhrase("ball", "red"))), "a blue cube and a red ball", False),
        (Statement((ShapePhrase("cube", "orange"),)), "an orange cube", False),
        (Statement((ShapePhrase("cube", material="striped"),)), "a striped cube", True),
        (Statement((ShapePhrase("ball", "blue", "matte", "large"),)), "a large matte blue ball", True),
        (Statement((ShapePhrase("ball", "blue", "matte", "small"),)), "a small matte blue ball", False),
        (Statement((ShapePhrase("ball", count=2), ShapePhrase("cube", count=1))), "two balls and one cube", True),
        (Statement((ShapePhrase("ball", count=1), ShapePhrase("cube", count=2))), "one ball and two cubes", False),
        (Statement((RED, BLUE), "left"), "a red cube to the left of a blue ball", True),
        (Statement((BLUE, RED), "left"), "a blue ball to the left of a red cube", False),
        (Statement((BLUE, RED), "right"), "a blue ball to the right of a red cube", True),
        (Statement((GREEN, RED), "above"), "a green ball above a red cube", True),
        (Statement((RED, GREEN), "below"), "a red cube below a green ball", True),
        (Statement((RED, BLUE), "above"), "a red cube above a blue ball", False),  # 0.02 is not clear
    ],
)
def test_a_caption_says_what_it_means_and_is_true_or_false_of_a_scene(statement: Statement, text: str, true: bool):
    assert (statement.text(), statement.holds(SCENE)) == (text, true)


@pytest.mark.parametrize("relation", list(RELATIONS))
def test_a_relation_never_holds_both_ways(relation: str):
    for a in SCENE.things:
        for b in SCENE.things:
            assert not (related(a, relation, b) and related(b, relation, a))


def test_opposite_relations_are_each_others_mirror():
    pairs = [("left", "right"), ("above", "below")]
    assert all(
        related(a, one, b) == related(b, other, a) for one, other in pairs for a in SCENE.things for b in SCENE.things
    )


def test_every_shape_and_colour_makes_a_caption_with_the_right_article():
    texts = [ShapePhrase(shape, colour).text() for shape in SHAPES for colour in COLOURS]
    assert all(text.startswith("an ") == (" orange " in text) for text in texts)
    assert len(set(texts)) == len(texts)
