from __future__ import annotations

import pytest

from core.systems.composition.captions.parse import described_things, read_caption


def names(caption: str) -> list[str]:
    reading = read_caption(caption)
    nouns = [[reading.tokens[at].word for at in thing.heads] for thing in reading.things]
    return [" ".join([*(a.word for a in thing.attributes), *own]) for thing, own in zip(reading.things, nouns)]


@pytest.mark.parametrize(
    ("caption", "things"),
    [
        ("A woman prepares a pizza while a man watches.", ["woman", "pizza", "man"]),
        ("People sitting in the stands near men playing tennis", ["people", "stands", "men", "tennis"]),
        ("A red and white plane sitting on a runway.", ["red white plane", "runway"]),
        ("A man in a neon green shirt", ["man", "green shirt"]),
        ("A hot dog and a glass of orange juice", ["hot dog", "glass", "orange juice"]),
        ("an orange on a glass table", ["orange", "glass table"]),
        ("The car is red.", ["car", "red"]),
        (
            "A bathroom that features a bright tile wall and big mirrors",
            ["bathroom", "bright tile wall", "big mirrors"],
        ),
        ("a wall mounted sink", ["wall sink"]),
        ("A woman getting ready to eat a pizza", ["woman", "pizza"]),
        ("", []),
    ],
)
def test_things_are_found_with_their_attributes(caption: str, things: list[str]) -> None:
    assert names(caption) == things


def test_numbers_and_plurals_are_known() -> None:
    first, second, third = read_caption("three bottles, 2 sheep and a dog").things
    assert [(t.count, t.many) for t in (first, second, third)] == [(3, True), (2, True), (None, False)]


def test_described_things_are_singular_and_in_order() -> None:
    assert described_things("Two large red boxes near a wooden fire hydrant") == (
        ("large", "size", "box"), ("red", "colour", "box"), ("wooden", "material", "fire hydrant"),
    )  # fmt: skip
