"""What captions and tags say, as columns."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import Column
from core.systems.composition.failures.columns import (
    MIN_SAMPLES,
    YES,
    caption_columns,
    changed,
    named_things,
    spoken_condition,
    tag_columns,
)

CAPTIONS = ["a small red cube to the left of a small blue ball", "a large red cube and a small red ball"]


def said(columns: tuple[Column, ...], name: str) -> list[bool]:
    """Which captions say it."""
    return [value == YES for value in next(c for c in columns if c.name == name).values.tolist()]


@pytest.fixture
def columns() -> tuple[Column, ...]:
    captions = CAPTIONS * MIN_SAMPLES
    return caption_columns(
        captions,
        [["a small blue cube to the left of a small red ball"], ["a large red cube above a small red ball"]]
        * MIN_SAMPLES,
    )


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("two things of the same size", True, False),
        ("two things of different sizes", False, True),
        ("two things of the same colour", False, True),
        ("a blue thing", True, False),
        ("a blue ball", True, False),
        ("a large cube", False, True),
        ("a large thing named first", False, True),
        ('the relation "left of"', True, False),
        ("a foil that changes the colour", True, False),
        ("a foil of the same words", True, False),
    ],
)
def test_a_column_says_what_the_caption_says(columns: tuple[Column, ...], name: str, first: bool, second: bool) -> None:
    assert said(columns, name) == [first, second] * MIN_SAMPLES


def test_what_every_caption_says_or_hardly_any_has_no_column(columns: tuple[Column, ...]) -> None:
    names = {c.name for c in columns}
    assert "a red thing" not in names  # in all of them
    assert "a star" not in {c.name for c in caption_columns([*CAPTIONS * 9, "a star"], [()] * 19)}


def test_the_same_comes_before_the_different(columns: tuple[Column, ...]) -> None:
    names = [c.name for c in columns]
    assert names.index("two things of the same size") < names.index("two things of different sizes")


def test_captions_and_foils_are_kept_as_text_and_counted(columns: tuple[Column, ...]) -> None:
    kinds = {c.name: c.kind for c in columns}
    assert kinds["caption"] == kinds["foil"] == "text"
    words = next(c for c in columns if c.name == "words in the caption")
    assert words.values[:2].tolist() == [12, 9]


def test_a_callers_family_goes_before_the_lexicons() -> None:
    captions = ["a shiny cube and a dotted ball", "a shiny cube and a shiny ball"] * MIN_SAMPLES
    columns = caption_columns(captions, [()] * len(captions), {"shiny": "material", "dotted": "material"})
    assert said(columns, "two things of the same material") == [False, True] * MIN_SAMPLES


@pytest.mark.parametrize(
    ("caption", "foil", "families"),
    [
        ("a red cube and a blue ball", "a blue cube and a red ball", {"colour"}),
        ("a red cube and a blue ball", "a red ball and a blue cube", {"thing"}),
        ("a cube on a ball", "a cube under a ball", {"relation"}),
        ("two cubes and one ball", "one cube and two balls", {"count", "thing"}),
        ("a wooden table", "a metal table", {"material"}),
        ("a dog", "a small dog", {"size"}),
        ("a dog", "a dog", set()),
    ],
)
def test_what_a_foil_changes(caption: str, foil: str, families: set[str]) -> None:
    assert changed(caption, foil) == families
    assert changed(foil, caption) == families


def test_an_attribute_said_later_belongs_to_the_thing_before() -> None:
    (thing,) = named_things("the car is red")
    assert (thing.name, thing.of("colour")) == ("car", {"red"})


def test_conditions_are_spoken_and_longer_names_are_not_cut() -> None:
    text = "a red thing named first = yes and a red thing is missing and brightness at most 0.3"
    names = ["a red thing", "a red thing named first"]
    assert spoken_condition(text, names) == "a red thing named first and no red thing and brightness at most 0.3"


def test_a_tag_becomes_a_category_and_constant_ones_are_left_out() -> None:
    tags = [{"kind": "a", "split": "seen", "same size": "yes"}, {"kind": "b", "split": "seen"}] * 20
    columns = tag_columns([*tags], without=("kind",))
    assert [(c.name, c.kind) for c in columns] == [("same size", "category")]
    assert columns[0].values[:2].tolist() == ["yes", None]


def test_a_tag_that_names_each_item_is_text() -> None:
    columns = tag_columns([{"file": f"{i}.png", "half": str(i % 2)} for i in range(40)])
    assert {c.name: c.kind for c in columns} == {"file": "text", "half": "category"}


def test_columns_follow_the_order_of_the_captions() -> None:
    captions = CAPTIONS * MIN_SAMPLES
    order = np.random.default_rng(0).permutation(len(captions))
    plain = {c.name: c.values for c in caption_columns(captions, [()] * len(captions))}
    moved = {c.name: c.values for c in caption_columns([captions[i] for i in order], [()] * len(captions))}
    assert plain.keys() == moved.keys()
    assert all((plain[name][order] == moved[name]).all() for name in plain)
