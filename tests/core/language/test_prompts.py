"""The sentences that phrases make with class names, and the phrases that class names take out."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from core.language import prompts as prompts_module
from core.language.prompts import class_in, drop_alike, keep_apart, prompts, synonyms_of
from core.language.vocabulary import Phrase, Vocabulary, read_vocabulary


@pytest.mark.parametrize(
    ("name", "template", "expected"),
    [
        ("apple", "a photo of {noun}", "a photo of an apple"),
        ("apple", "{a} {phrase} {bare}", "a red apple"),
        ("dog", "a {phrase} photo of {noun}", "a red photo of a dog"),
        ("sunglasses", "{a} {phrase} {bare}", "red sunglasses"),
        ("grass", "{noun}", "grass"),
        ("traffic_light", "{noun}", "a traffic light"),
        ("hour glass", "{noun}", "an hour glass"),
        ("unicycle", "{noun}", "a unicycle"),
        ("8", "{noun}", "an 8"),
        ("SUV", "{noun}", "an SUV"),
        ("The Moon", "{noun}", "a Moon"),
        ("person", "two {plural}", "two people"),
        ("{phrase}", "{noun}", "a {phrase}"),
    ],
)
def test_names_are_spoken_with_the_right_article(name: str, template: str, expected: str) -> None:
    vocabulary = Vocabulary((Phrase("red", "f"),), {"f": ((template, template),)})
    assert prompts(vocabulary, [name], 1)[0] == [[expected.replace("{phrase}", "red")]]


def test_nouns_and_templates_spread_over_each_other() -> None:
    pairs = tuple((f"{i} {{noun}} {{phrase}}", f"{i} {{noun}}") for i in range(3))
    vocabulary = Vocabulary((Phrase("wet", "f"), Phrase("dry", "f")), {"f": pairs})
    with_phrase, without = prompts(vocabulary, ["dog", "cat", "bird"], 9)
    assert len(set(with_phrase[0])) == 9
    assert without[0] == without[1]


def test_many_nouns_are_taken_evenly_over_the_list() -> None:
    vocabulary = Vocabulary((Phrase("wet", "f"),), {"f": (("{bare} {phrase}", "{bare}"),)})
    _, without = prompts(vocabulary, [f"n{i}" for i in range(100)], 4)
    assert sorted(without[0]) == ["n0", "n25", "n50", "n75"]


@pytest.mark.parametrize("nouns", [[], ["", " _ "]])
def test_without_class_names_the_sentences_speak_of_things(nouns: list[str]) -> None:
    with_phrase, _ = prompts(read_vocabulary(), nouns, 2)
    assert with_phrase[0] == ["a photo of a thing on a plain background", "an object on a plain background"]


def test_phrases_that_restate_a_class_are_taken_out_and_named() -> None:
    shipped = read_vocabulary()
    kept, notes = keep_apart(
        shipped,
        ["Dogs", "sports_car", "snow leopard", "orange", "carousel"],
        {"carousel": ["wooden horse", "merry-go-round", "Leather"]},
    )
    gone = {p.text for p in shipped.phrases} - {p.text for p in kept.phrases}
    assert gone == {"next to a dog", "inside a car", "next to a car", "orange", "in orange clothes", "leather"}
    assert notes[-1].startswith("Skipped 6 phrases that contain class names: ")
    assert all(f'"{text}"' in notes[-1] for text in gone)
    assert kept.templates == shipped.templates


def test_phrases_stay_where_no_class_is_called_so() -> None:
    shipped = read_vocabulary()
    kept, notes = keep_apart(shipped, ["Ankle boot", "7", "", "the", "Pullover"])
    assert kept is shipped
    assert notes == ()


def test_of_alike_directions_the_first_stays() -> None:
    angles = np.deg2rad([0, 10, 90, 25, 95, 180])
    rows = np.stack([np.cos(angles), np.sin(angles)], 1)
    kept, dropped = drop_alike(rows, 0.95)
    assert kept.tolist() == [0, 2, 3, 5]
    assert dropped == {0: [1], 2: [4]}
    kept, dropped = drop_alike(rows, 0.99)
    assert kept.tolist() == [0, 1, 2, 3, 5]
    assert drop_alike(np.zeros((0, 2)))[0].tolist() == []


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("why do cats fail?", ["cattle", "cat"], 1),
        ("cattle on grass", ["cat", "dog"], None),
        ("blurred SPORTS-CARS", ["car", "sports_car"], 1),
        ("a cat and a dog", ["cat", "dog"], None),
        ("a black cat and a dog", ["dog", "black cat"], 1),
        ("horses in fog", ["horse", "house"], 0),
        ("buses at night", ["bus"], 0),
        ("many people", ["person"], 0),
        ("puppies", ["puppy"], 0),
        ("dark T-shirts", ["Trouser", "T-shirt/top"], 1),
        ("cat", ["cat", "Cat"], None),
        ("in the dark", ["cat"], None),
        ("", ["cat"], None),
        ("cat", [], None),
        ("cat", ["", "cat"], 1),
    ],
)
def test_the_class_that_a_text_speaks_of(text: str, names: list[str], expected: int | None) -> None:
    assert class_in(text, names) == expected


def test_synonyms_come_from_wordnets_lemmas() -> None:
    pytest.importorskip("timm")
    found = synonyms_of(["tabby", "German Shepherd", "no such thing", "sports car"])
    assert found["tabby"] == ("tabby cat",)
    assert "alsatian" in found["German Shepherd"]
    assert "no such thing" not in found


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(prompts_module)
    assert result.attempted > 3
    assert result.failed == 0
