from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Column, SampleSet
from core.systems.composition.grid.questions import (
    PictureContents,
    ask,
    sentence,
    shown_from_captions,
    shown_from_columns,
    shown_from_truth,
)


def samples() -> SampleSet:
    colour = Column("colour", "category", np.array(["red", None, "blue"], dtype=object))
    width = Column("width", "number", np.arange(3.0))
    return SampleSet(
        ("a", "b", "c"), labels=np.array([0, 1, 1]), class_names=("traffic_light", "car"), metadata=(colour, width)
    )


def test_columns_give_one_thing_a_picture_with_the_label_as_the_object() -> None:
    assert [one.things for one in shown_from_columns(samples(), "colour")] == [
        (("red", "traffic light"),),
        (),
        (("blue", "car"),),
    ]
    assert shown_from_columns(samples(), "colour", "colour")[0].things == (("red", "red"),)


@pytest.mark.parametrize("name", ["width", "nothing"])
def test_a_column_that_is_no_category_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(InvalidInput, match="Choose one of: colour"):
        shown_from_columns(samples(), name)


def test_captions_give_the_things_of_the_family_that_most_of_them_name() -> None:
    captions = ["a small red cube and two blue balls", "a green cone on a yellow cube", "a dog", "a large black cat"]
    shown, family = shown_from_captions(captions)
    assert family == "colour"
    assert [one.things for one in shown] == [
        (("red", "cube"), ("blue", "ball")), (("green", "cone"), ("yellow", "cube")), (), (("black", "cat"),),
    ]  # fmt: skip
    assert shown_from_captions(captions, "size")[0][3].things == (("large", "cat"),)


@pytest.mark.parametrize(
    ("captions", "family", "words"), [(["a dog"], "", "No caption names"), (["a red dog"], "colours", "not a family")]
)
def test_captions_without_attributes_and_unknown_families_are_refused(
    captions: list[str], family: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        shown_from_captions(captions, family)


def test_the_truth_of_rendered_scenes_gives_every_thing() -> None:
    scenes = [
        [{"shape": "cube", "color": "red", "size": "small"}, {"shape": "ball", "color": "blue", "size": "large"}],
        [],
    ]
    assert shown_from_truth(scenes)[0].things == (("red", "cube"), ("blue", "ball"))
    assert shown_from_truth(scenes, "size")[0].things == (("small", "cube"), ("large", "ball"))
    assert shown_from_truth(scenes)[1].things == ()
    with pytest.raises(InvalidInput, match="has no 'hue'"):
        shown_from_truth(scenes, "hue")


def test_only_words_that_the_picture_does_not_show_are_asked_against() -> None:
    shown = [
        PictureContents(0, (("red", "cube"), ("blue", "ball"))),
        PictureContents(1, (("green", "cone"), ("red", "ball"))),
        PictureContents(2, (("red", "cube"), ("red", "cone"))),
    ]
    asked = ask(shown, "two")
    first = asked.questions[0]
    assert first.attributes == (("green", "cube"),)
    assert first.objects == (("red", "cone"),)
    assert first.pairs == (("blue", "cube"), ("red", "ball"))
    assert asked.left_out == ((2, "their two objects share the attribute or the name"),)


def test_phrases_take_the_article_that_they_need() -> None:
    assert sentence("a photo of {}", "orange", "cube") == "a photo of an orange cube"
    assert sentence("{} in a room", "red", "jeans") == "red jeans in a room"
