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
        ("image", "dog", phrase("blurred", "quality"), "Blurred pictures of dogs"),
        ("image", "7", phrase("on grass"), "Class 7 on grass"),
        ("image", "dog", phrase("from my garden", "own"), "Dogs, from my garden"),
        ("image", "T-shirt/top", phrase("on grass"), "T-shirt or tops on grass"),
        ("text", "Business", phrase("about sport", "topic"), "Business, about sport"),
        ("clip", "rises", phrase("on a bridge"), "Rises, on a bridge"),
        ("image", "dog", Describer("dark", "property", NONE), "Dark pictures of dogs"),
        ("image", "dog", Describer("with a red tint", "property", NONE), "Pictures of dogs with a red tint"),
        ("text", "negative", Describer("long", "property", NONE), "Negative, long texts"),
        (
            "scan",
            EVERYTHING,
            Describer("with an uneven bias field", "property", NONE),
            "Scans with an uneven bias field",
        ),
        ("", EVERYTHING, value("weather", "snow"), "Rows where weather is snow"),
        ("image", "bird", value("weather", "snow"), "Birds where weather is snow"),
        ("image", EVERYTHING, value("object_size", "small"), "Small objects"),
        ("image", "dog", value("is_indoor", "True"), "Dogs marked is indoor"),
        ("image", "dog", value("hour", 3.0), "Dogs where hour is 3"),
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
            *("text", "place"),
            Describer("no capital letter", "condition", NONE, tests=(("capital share", "<=", 0.0),)),
            "Place, texts with no capital letter",
        ),
    ],
)
def test_a_title_is_a_phrase_that_one_says(modality: str, scope: str, one: Describer, title: str) -> None:
    assert Subject(scope, modality).with_describer(one) == title


def test_a_confusion_and_a_mixture_name_the_other_class() -> None:
    assert Subject("coat", "image").mistaken_for("pullover") == "Coats mistaken for pullovers"
    assert Subject("Business", "text").mistaken_for("World") == "Business, mistaken for World"
    assert Subject(EVERYTHING, "image").mistaken_for("car") == "Pictures mistaken for cars"
    assert Subject("coat", "image").mixed("pullover") == "Mixed coats: most often mistaken for pullovers"
    assert Subject("Business", "text").mixed("World") == "Business, mixed: most often mistaken for World"
    assert Subject(EVERYTHING, "scan").mixed("") == "Scans with the highest loss, no common cause found"
