"""What a user's text may do in a message: be read, and nothing else."""

from __future__ import annotations

import pytest

from core.errors import MAX_MESSAGE_LENGTH, Cancelled, InvalidInput, printable, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("a\rb\x00c\x7fd\x9be", "a\\rb\\x00c\\x7fd\\x9be"),
        ("safe\u202efdp.exe", "safe\\u202efdp.exe"),
        ("\u2066x\u2069 a\u200bb", "\\u2066x\\u2069 a\\u200bb"),
        ("half \ud800", "half \\ud800"),
        ("tag \U000e0041", "tag \\U000e0041"),
    ],
)
def test_characters_that_steer_become_codes_in_text_and_in_messages(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert str(InvalidInput(text)) == shown


@pytest.mark.parametrize("text", ["two\nlines\tand a tab", "Köln 北京 \u200d👩\u200d🚀", "𝒳", ""])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text
    assert str(Cancelled(text)) == text.replace("\n", " ").replace("\t", " ")


def test_a_message_is_one_line_whatever_is_named_in_it() -> None:
    said = str(InvalidInput("The column 'a\n  errata: all is well\n' occurs twice."))
    assert said == "The column 'a errata: all is well ' occurs twice."


def test_a_message_with_a_cell_of_a_megabyte_is_cut_in_its_middle() -> None:
    said = str(InvalidInput(f"The cell {'x' * 10**6} is none. Mend it."))
    assert MAX_MESSAGE_LENGTH < len(said) < MAX_MESSAGE_LENGTH + 20
    assert said.startswith("The cell xxx")
    assert said.endswith("is none. Mend it.")


def test_long_names_and_long_lists_are_cut() -> None:
    assert quoted() == ""
    assert quoted("bus", 3) == "'bus', '3'"
    assert quoted("a" * 5000) == repr("a" * 60 + "...")
    assert quoted(*"abcde", most=3) == "'a', 'b', 'c' and 2 more"
