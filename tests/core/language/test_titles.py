"""Titles are read as English."""

from __future__ import annotations

import numpy as np
import pytest

from core.language.describers import Describer
from core.language.titles import Subject
from core.records import EVERYTHING

NONE = np.zeros(1)


def phrase(text: str, family: str = "place") -> Describer:
    return Describer(text, "phrase", NONE, family=family)


def value(column: str, said: str | float) -> Describer:
    return Describer(f"{column} = {said}", "condition", NONE, tests=((column, "=", said),))


@pytest.mark.parametrize(
    ("modality", "scope", "one", "title"),
    [
        ("image", "dog", phrase("in the snow"), "Dogs in the snow"),
        ("image", EVERYTHING, phrase("in the snow"), "In the snow"),
        ("image", "dog", phrase("red", "object colour"), "Red dogs"),
        ("image", "child", phrase("black", "object colour"), "Children with something black"),
        ("image", "old man", phrase("red", "object colour"), "Old men with something red"),
        ("image", EVERYTHING, phrase("striped", "pattern"), "Striped things"),
        ("image", "dog", phrase("blurred", "quality"), "Blurred images of dogs"),
        ("image", "7", phrase("on grass"), "Class 7 on grass"),
        ("image", "dog", phrase("from my garden", "own"), "Dogs, from my garden"),
        ("image", "T-shirt/top", phrase("on grass"), "T-shirt or tops on grass"),
        ("text", "Business", phrase("about sport", "topic"), "Business, about sport"),
        ("clip", "rises", phrase("on a bridge"), "Rises, on a bridge"),
        ("image", "dog", Describer("dark", "property", NONE), "Dark images of dogs"),
        ("image", "dog", Describer("with a red tint", "property", NONE), "Images of dogs with a red tint"),
        ("text", "negative", Describer("long", "property", NONE), "Negative, long texts"),
        (
            "scan",
            EVERYTHING,
            Describer("with an uneven bias field", "property", NONE),
            "Scans with an uneven bias field",
        ),
        ("", EVERYTHING, value("weather", "snow"), "Rows with weather: snow"),
        ("image", "bird", value("weather", "snow"), "Birds with weather: snow"),
        ("image", EVERYTHING, value("object_size", "small"), "Small objects"),
        ("image", "dog", value("is_indoor", "True"), "Dogs marked indoor"),
        ("image", "dog", value("store", 123456789.0), "Dogs with store: 123456789"),
        ("image", "dog", value("weather", ""), "Dogs with weather: empty"),
        ("image", "dog", value("{}", "{0} <b>"), "Dogs with {}: {0} <b>"),
        ("", "all", value("vehicle_type", "trucks"), "All, rows with vehicle type: trucks"),
        ("", "7", value("grade", "A"), "Class 7, rows with grade: A"),
        ("image", "a", phrase("in the snow"), "Class a in the snow"),
        ("text", "_", phrase("about sport"), "Class _, about sport"),
        ("image", "iPhone", phrase("on a table"), "iPhones on a table"),
        ("image", "\u732b", phrase("on a table"), "Class \u732b on a table"),
        ("image", "\u718a\u732b", phrase("on a table"), "\u718a\u732b on a table"),
        ("image", "dog", Describer("with a orange tint", "property", NONE), "Images of dogs with an orange tint"),
        (
            *("image", "dog"),
            Describer("grade = A and light = red", "condition", NONE, tests=(("grade", "=", "A"),) * 2),
            "Dogs where grade is A and light is red",
        ),
        ("image", "dog", value("hour", 3.0), "Dogs with hour: 3"),
        (
            *("", EVERYTHING),
            Describer("high hour", "condition", NONE, tests=(("hour", ">=", None),)),
            "Rows with a high hour",
        ),
        (
            *("image", "dog"),
            Describer("weather = fog and age at most 3", "condition", NONE, tests=(("weather", "=", "fog"),) * 2),
            "Dogs where weather is fog and age is at most 3",
        ),
        (
            *("image", "dog"),
            Describer(
                "light = red and taken on or after 2022-11-12", "condition", NONE, tests=(("light", "=", "red"),) * 2
            ),
            "Dogs where light is red and taken is on or after 2022-11-12",
        ),
        (
            *("", EVERYTHING),
            Describer("early date", "condition", NONE, tests=(("date", "<=", None),)),
            "Rows with an early date",
        ),
        (
            *("text", "place"),
            Describer("no capital letter", "condition", NONE, tests=(("capital share", "<=", 0.0),)),
            "Place, texts with no capital letter",
        ),
    ],
)
def test_a_title_is_a_phrase_that_one_says(modality: str, scope: str, one: Describer, title: str) -> None:
    assert Subject(scope, modality).with_describer(one) == title


@pytest.mark.parametrize("modality", ["image", "text", ""])
def test_no_title_is_longer_than_one_reads(modality: str) -> None:
    subject = Subject("long " * 60, modality)
    long = Describer("n" * 500 + " = v and b = w", "condition", NONE, tests=(("b", "=", "w"),) * 2)
    both = value("column " * 90, "value\n" * 900)
    low = Describer("low " + "n" * 500, "condition", NONE, tests=(("n" * 500, "<=", None),))
    said = [subject.with_describer(one) for one in (long, both, low, phrase("in the snow"))]
    said += [subject.mistaken_for("x" * 300), subject.mixed("x" * 300)]
    for title in said:
        assert len(title) <= 210
        assert "\n" not in title
        assert "…" in title


def test_inside_a_sentence_a_name_keeps_its_capital() -> None:
    assert Subject("German shepherd", "image").within(phrase("in the snow")) == "German shepherds in the snow"
    assert Subject("dog", "image").within(phrase("in the snow")) == "dogs in the snow"
    assert Subject(EVERYTHING, "image").within(Describer("dark", "property", NONE)) == "dark images"


def test_a_confusion_and_a_mixture_name_the_other_class() -> None:
    assert Subject("coat", "image").mistaken_for("pullover") == "Coats mistaken for pullovers"
    assert Subject("Business", "text").mistaken_for("World") == "Business, mistaken for World"
    assert Subject(EVERYTHING, "image").mistaken_for("car") == "Images mistaken for cars"
    assert Subject("coat", "image").mixed("pullover") == "Mixed coats: most often mistaken for pullovers"
    assert Subject("Business", "text").mixed("World") == "Business, mixed: most often mistaken for World"
    assert Subject(EVERYTHING, "scan").mixed("") == "Scans with the highest loss, no common cause found"
