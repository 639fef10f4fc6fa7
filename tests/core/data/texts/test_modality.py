"""The modality of texts: opened, grouped by their words, shown as cards."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from core.data.modality import Unreadable, modality_of
from core.data.texts.card import FONT_SIZES, HEIGHT, typeset

ANY = np.zeros((4, 2), np.float32)


def opened(text: str) -> dict[str, object]:
    return modality_of("text").open(text.encode())[1]


def test_texts_of_the_same_words_are_copies_whatever_their_case_and_marks() -> None:
    texts = ["The film is good.", "the  film is GOOD!", "The film is not good.", "Good is the film."]
    groups = modality_of("text").duplicates([b""] * 4, [opened(text) for text in texts], ANY)
    assert groups.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("I don't like it", "I don\u2019t like it", True),
        ("a well-known caf\u00e9", "a well\u2011known cafe\u0301", True),
        ("\u0915\u093e \u0918\u0930", "\u0915\u0940 \u0918\u0930", False),  # Hindi: two words, by their vowel signs
        ("well-known", "well known", False),
        ("written in C++", "written in C", False),
        ("x < 3", "x > 3", False),
        ("5 + 3", "5 - 3", False),  # both pairs stand in docs/texts.md
        ("3 * 4", "3 / 4", True),
        ("nice \U0001f44d", "nice \U0001f44e", False),
        ("it was fine :)", "it was fine :(", False),
        ("at -5 degrees", "at 5 degrees", False),
        ('"at last", he said', "at last -- he said!", True),
    ],
)
def test_the_spelling_of_a_word_in_unicode_makes_no_other_text(one: str, other: str, same: bool) -> None:
    groups = modality_of("text").duplicates([b""] * 2, [opened(one), opened(other)], ANY)
    assert (groups[0] == groups[1]) == same


@pytest.mark.parametrize(("data", "why"), [(b"", "is empty"), (b" \n\0", "is empty"), (b"caf\xe9", "not valid UTF-8")])
def test_what_is_no_text_says_why(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        modality_of("text").open(data)


def lines_of(text: str) -> list[str]:
    root = ET.fromstring(typeset(text).decode())
    return [span.text or "" for span in root.iter("{http://www.w3.org/2000/svg}tspan")]


def test_a_card_holds_the_whole_of_a_short_text_and_the_start_of_a_long_one() -> None:
    assert " ".join(lines_of("a dog in the snow")) == "a dog in the snow"
    long = lines_of("many words " * 300)
    assert long[-1].endswith("…")
    assert len(long) * FONT_SIZES[-1] * 1.3 < HEIGHT


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> & more", "x" * 5_000, "漢字" * 400, "a\nb\n\nc", "&#x1F600; 😀"]
)
def test_a_card_is_well_formed_whatever_the_text_and_holds_nothing_but_text(text: str) -> None:
    card = typeset(text)
    assert card.startswith(b"<svg ")
    assert {node.tag.rpartition("}")[2] for node in ET.fromstring(card.decode()).iter()} == {
        "svg",
        "rect",
        "text",
        "tspan",
    }


def test_a_text_written_from_right_to_left_is_set_so() -> None:
    assert b'direction="rtl"' in typeset("שלום עולם")
    assert b"direction" not in typeset("(hello)")
