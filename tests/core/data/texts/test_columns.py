"""Texts are read from their columns, cleaned, and left out with a reason where there is nothing to read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.samples import read_data_set
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.data.texts.columns import MAX_CHARACTERS, clean, text_items
from core.errors import InvalidInput
from core.records.ledger import Ledger

REVIEWS = [f"the plot of film {i} is thin, and the end is late" for i in range(30)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  two   blanks ", "two blanks"),
        ("a\tb\x00c\x1b[31m", "a b c [31m"),
        ("one\r\n\r\ntwo", "one\ntwo"),
        ("left\u202eright\u2066", "leftright"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800 lone", "lone"),
        ("<b>bold</b> &amp; more", "<b>bold</b> &amp; more"),
        ("\n \x00", ""),
        ("new \U0001fae9 and \U0003ffff0 own \ue000", "new \U0001fae9 and 0 own \ue000"),
    ],
)
def test_a_text_is_read_without_what_cannot_be_seen(written: str, read: str) -> None:
    assert clean(written) == read


def test_rows_without_text_and_texts_too_long_are_left_out_with_their_reason() -> None:
    texts = [*REVIEWS, None, "  ", "x" * (MAX_CHARACTERS + 1)]
    frame = pd.DataFrame({"text": texts, "loss": range(33)})
    found = read_data_set(frame)
    assert len(found.samples) == 30
    reasons = dict(found.excluded)
    assert reasons["30"] == reasons["31"] == "no text in 'text'"
    assert reasons["32"] == "its text has 100,001 characters, the limit is 100,000"


@pytest.mark.parametrize(
    ("said", "is_prose"),
    [
        ("这部电影很好看", True),
        ("サービスが悪い", True),
        ("อาหารอร่อยมาก", True),
        ("汽车", False),
        ("カメラ", False),
        ("รถ", False),
    ],
)
def test_texts_of_scripts_without_blanks_are_recognized_and_single_words_are_not(said: str, is_prose: bool) -> None:
    frame = pd.DataFrame({"text": [said] * 30, "loss": range(30)})
    assert recognise(frame, Roles()).roles.texts == (("text",) if is_prose else ())


@pytest.mark.parametrize(
    ("value", "is_said"),
    [
        (3.25, True),
        ("2026-01-02T03:04:05Z", True),
        ("1e-05", True),
        ("12.03.2020 / 7%", True),
        ("room 12", False),
        ("好看", False),
    ],
)
def test_texts_that_hold_no_words_are_said_to_be_such(value: object, is_said: bool) -> None:
    frame, ledger = pd.DataFrame({"text": [value] * 3 + ["a word"]}), Ledger(4)
    text_items(frame, ["text"], ledger)
    assert any("3 of 4 texts in 'text' hold no words" in note for note in ledger.notes) == is_said
    text_items(frame.iloc[1:3], ["text"], few := Ledger(2))
    assert bool(few.notes) == is_said


def test_the_texts_of_several_columns_follow_one_another() -> None:
    frame = pd.DataFrame({"title": ["One", None, None], "desc": ["more of it", "only this", None]})
    ledger = Ledger(3)
    assert text_items(frame, ["title", "desc"], ledger).texts == ("One\nmore of it", "only this", "")
    assert ledger.kept_rows().tolist() == [0, 1]


def test_a_column_of_texts_is_the_samples_and_no_condition() -> None:
    frame = pd.DataFrame({"review": REVIEWS, "loss": range(30), "genre": ["drama", "comedy"] * 15})
    found = read_data_set(frame)
    assert found.samples.modality == "text"
    assert found.samples.items is not None
    assert found.samples.items.read(3).decode() == REVIEWS[3]
    assert found.samples.ids[:2] == ("0", "1")
    assert [column.name for column in found.samples.metadata] == ["genre"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("text", ["yes"] * 30),  # single words are categories
        ("text", list(range(30))),
        ("caption", REVIEWS),  # what describes an image is no sample of its own
    ],
)
def test_other_columns_are_not_taken_for_texts(column: str, values: list[object]) -> None:
    assert recognise(pd.DataFrame({column: values}), Roles()).roles.texts == ()


def test_beside_pictures_a_column_of_texts_describes_them() -> None:
    frame = pd.DataFrame({"text": REVIEWS})
    assert recognise(frame, Roles(), texts=False).roles.texts == ()
    assert recognise(frame, Roles(), ["image"]).roles.texts == ()


def test_a_column_of_texts_that_holds_other_bytes_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [b"\xff\xfe" + review.encode() for review in REVIEWS], "loss": 1.0})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"The texts 'text' are not valid UTF-8"):
        read_data_set(tmp_path / "t.parquet", roles=Roles(texts=("text",)))


def test_pictures_and_texts_together_are_refused() -> None:
    png = b"\x89PNG\r\n\x1a\n"
    frame = pd.DataFrame(
        {"image": [{"bytes": png, "path": f"{i}.png"} for i in range(30)], "note": REVIEWS, "loss": 1.0}
    )
    with pytest.raises(InvalidInput, match=r"images or texts, not both.*'note'.*Remove one"):
        read_data_set(frame, roles=Roles(texts=("note",)))


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"no column 'reviews', named as texts. Did you mean 'review'\?"):
        read_data_set(pd.DataFrame({"review": REVIEWS, "loss": range(30)}), roles=Roles(texts=("reviews",)))


def test_a_column_of_lists_and_one_that_is_also_the_label_are_no_texts() -> None:
    frame = pd.DataFrame({"words": [["a", "list"]] * 30, "text": REVIEWS, "loss": range(30)})
    with pytest.raises(InvalidInput, match="'words' was named as texts but holds lists"):
        read_data_set(frame, roles=Roles(texts=("words",)))
    with pytest.raises(InvalidInput, match="'text' was named both as texts and as label"):
        read_data_set(frame, roles=Roles(texts=("text",), label="text"))


def test_a_column_that_is_named_twice_is_read_once() -> None:
    frame = pd.DataFrame({"text": REVIEWS, "loss": range(30)})
    found = read_data_set(frame, roles=Roles(texts=("text", "text")))
    assert found.samples.items is not None
    assert found.samples.items.read(3).decode() == REVIEWS[3]


def test_a_text_that_looks_like_an_array_does_not_make_the_column_one() -> None:
    frame = pd.DataFrame({"text": ["[2] see reference 7 [1]", *REVIEWS[1:]], "loss": range(30)})
    assert read_data_set(frame).samples.modality == "text"
