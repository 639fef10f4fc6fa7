"""Counts, negations and what is counted anyway, beside answers by likeness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.language.hard_words import hearing_notes, is_hardly_heard
from core.records import Estimate, Insight
from core.systems.label_descriptions.tagging import TagFinding, TagReport
from tests.support.diagnoses import make_diagnosis


def condition(text: str, *columns: str) -> Insight:
    return replace(make_diagnosis().insights[0], text=text, columns=columns, kind="condition", confirmed=True)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("with three numbers", 'ignore counts: "three numbers" was read'),
        ("Two small dogs on grass", 'ignore counts: "Two small dogs" was read'),
        ("12 people", '"12 people"'),
        ("exactly one dog", '"exactly one dog"'),
        ("at most 7 words", '"words" is measured in each text'),
        ("no capital letters", "tested as a condition: no condition on it was confirmed"),
        ("no capital letters", 'ignore "not": this was read'),
        ("without a link", '"links" is measured'),
        ("it isn't funny", 'ignore "not": this was read'),
        ("with numbers", '"numbers" is measured in each text'),
    ],
)
def test_what_is_heard_poorly_is_said(text: str, part: str) -> None:
    assert part in " ".join(hearing_notes([text], "text", ()))


@pytest.mark.parametrize(
    "text", ["a notable bus", "harsh words", "news of 2004", "one thing", "a long sentence", "the 1990s songs", "money"]
)
def test_of_other_words_nothing_is_said(text: str) -> None:
    assert hearing_notes([text], "text", ()) == []


def test_pictures_have_no_words_that_are_counted() -> None:
    assert hearing_notes(["numbers", "links"], "image", ()) == []
    assert hearing_notes(["three cats"], "image", ())


def test_a_confirmed_condition_answers_for_its_own_words_and_is_pointed_at_for_others() -> None:
    known = [condition("at least one negation", "negations"), condition("no capital letter", "capital share")]
    assert hearing_notes(["No capital letter"], "text", known) == []
    said = hearing_notes(["negation", "upper case", "three links", "without irony"], "text", known)
    assert said == [
        'Text encoders nearly ignore "not": "without irony" was read almost as without it.',
        'They also nearly ignore counts: "three links" was read almost as without the count.',
        '"capital share" ("upper case") is measured in each text and tested as a condition: the run confirmed "no '
        'capital letter".',
        '"negations" ("negation") is measured in each text and tested as a condition: the run confirmed "at least one '
        'negation".',
        '"links" ("three links") is measured in each text and tested as a condition: no condition on it was confirmed.',
    ]


def test_of_many_names_a_few_are_listed() -> None:
    said = hearing_notes([f"not {i}" for i in "abcdefg"], "text", ())[0]
    assert '"not d" and 3 more were read' in said


@pytest.mark.parametrize(
    ("text", "hardly"),
    [("not a plant", True), ("no person", True), ("three animals", True), ("a plant", False), ("one animal", False)],
)
def test_what_says_not_or_how_many_is_hardly_heard(text: str, hardly: bool) -> None:
    assert is_hardly_heard(text) == hardly


def test_a_tag_that_is_hardly_heard_is_never_confirmed() -> None:
    none = np.zeros((1, 1))
    unknown = Estimate(1.9, 1.5, 2.3)
    heard, unheard = (
        TagFinding(name, 9, 0.1, 0.3, 0.1, unknown, None, None, 1e-4, "error rate", ())
        for name in ("a plant", "not a plant")
    )
    report = TagReport((heard, unheard), none > 0, none.astype(np.float32), 0.05, 9, "wrong answers", 5000, ())
    assert report.is_confirmed(heard)
    assert not report.is_confirmed(unheard)
