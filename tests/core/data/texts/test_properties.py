"""What is measured of a text, against counts made by hand."""

from __future__ import annotations

import csv
from time import process_time

import numpy as np
import pytest

from core.data.modality import measured_columns
from core.data.texts.modality import TextModality
from core.data.texts.properties import PROPERTIES, language_of, measure_text, type_token_ratio
from core.discovery.conditions import build_conditions
from core.files import ASSETS
from core.records import Column

TEXT = 'We don\'t know what Anna Schmidt paid in 2019. "Perhaps 3.50," she said, but it may be more!'


def test_measures_by_hand() -> None:
    found = measure_text(TEXT)
    assert set(found) == set(PROPERTIES)
    assert found["words"] == 19
    assert found["sentences"] == 2
    assert found["negations"] == 1  # don't
    assert found["hedges"] == 2  # perhaps, may
    assert found["contrasts"] == 1
    assert found["first-person words"] == 1
    assert found["numbers"] == 2
    assert found["capitalized words"] == 2  # Anna Schmidt
    assert (found["quotation marks"], found["exclamation marks"], found["question marks"]) == (2, 1, 0)
    assert found["capital share"] == pytest.approx(4 / sum(map(str.isalpha, TEXT)))
    assert found["number share"] == pytest.approx(7 / len(TEXT))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("SHOUTING FOR NO REASON", "capitalized words", 0),
        ("See https://example.org/a?b=1 or mail me@example.org, @you", "links", 3),
        ("<p>one<br/>two</p> &nbsp;", "markup tags", 4),
        ("a < b and c > d", "markup tags", 0),
        ("up 12% at 1,000.5", "numbers", 2),
        ("the v2 of b12", "numbers", 0),
        ("Was? Wirklich?", "question marks", 2),
        ("Das Paket ist leider noch nicht bei mir angekommen, und niemand antwortet.", "language", "de"),
        ("荷物がまだ届いていません。誰も電話に出ません。いつ届くのか教えてください。", "language", "ja"),
        ("ok then", "language", None),
        ("a large bird of prey", "language", None),  # 16 letters
        ("The hotel room was clean and quiet.", "language", "en"),
        ("मुझे यह फिल्म पसंद नहीं आई", "words", 6),
        ("मुझे यह फिल्म पसंद नहीं आई", "punctuation share", 0),
        ("cafe\u0301s", "mean word length", 5),
        ("我喜欢这部电影。", "words", 7),
        ("我喜欢这部电影。但是结局不好！为什么？", "sentences", 3),
        ("この映画はとても良かった。", "words", 12),
        ("コンピュータを買った", "words", 5),  # a run of katakana, then four signs
        ("iPhone 15を3台", "words", 5),
        ("ほー", "words", 1),
        ("𠮷野家で食べた", "words", 7),
        ("저는 이 영화가 좋아요", "words", 4),
        ("ฉันชอบหนังเรื่องนี้มาก", "words", None),
        ("ฉันชอบหนังเรื่องนี้มาก", "type-token ratio", None),
        ("ฉันชอบหนังเรื่องนี้มาก", "question marks", 0),
        ("ຂ້ອຍມັກຮູບເງົານີ້", "mean word length", None),
        ("ខ្ញុំចូលចិត្តខ្សែភាពយន្តនេះ", "words", None),
        ("ဒီရုပ်ရှင်ကိုကြိုက်တယ်", "words", None),
        ("The word ฉัน means I in Thai", "words", 7),
    ],
)
def test_a_property_of_a_text(text: str, name: str, value: float | str | None) -> None:
    assert measure_text(text)[name] == value


def test_texts_whose_words_are_not_counted_are_told_of_and_missing_in_the_columns() -> None:
    measured = [measure_text(text) for text in ("one two", "ฉันชอบหนังเรื่องนี้มาก")]
    found = {column.name: column for column in measured_columns(PROPERTIES, measured)}
    assert np.isnan(found["words"].values[1])
    assert found["words"].values[0] == 2
    assert found["numbers"].values[1] == 0
    assert TextModality().notes(measured) == (
        "Words are not counted in 1 of 2 texts: their script (Thai, Lao, Khmer or Burmese) has no blanks between "
        "words.",
    )
    assert TextModality().notes(measured[:1]) == ()
    spoken, _ = build_conditions([found["words"]], smallest=1, most=9)
    assert "words not counted" in [condition.text for condition in spoken]


def test_the_ratio_of_long_texts_does_not_fall_with_their_length() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in rng.integers(0, 200, 4000)]
    slow = np.mean([len(set(words[i : i + 50])) / 50 for i in range(len(words) - 49)])
    assert type_token_ratio(words) == pytest.approx(slow)
    assert abs(type_token_ratio(words) - type_token_ratio(words[:200])) < 0.05
    assert len(set(words)) / len(words) < 0.06  # without windows


def test_measures_become_columns_that_are_marked_as_measured() -> None:
    found = measured_columns(PROPERTIES, [measure_text("one two"), measure_text("three?")])
    assert [column.name for column in found] == list(PROPERTIES)
    assert all(column.measured for column in found)
    assert {column.name for column in found if column.kind == "category"} == {"language"}


def test_the_language_of_most_short_definitions_is_told_and_rightly() -> None:
    with (ASSETS / "examples" / "definitions" / "table.csv").open(encoding="utf-8") as file:
        told = [language_of(row["text"]) for row in list(csv.DictReader(file))[::4]]
    assert set(told) == {"en", None}
    assert told.count("en") > 0.8 * len(told)
    texts = told + ["de"] * 5
    unknown = Column("language", "category", np.array(texts, object), measured=True)
    assert "language unknown" in [c.text for c in build_conditions([unknown], smallest=5, most=9)[0]]


def test_hostile_texts_are_measured_in_bounded_time() -> None:
    """Ten times the text takes about ten times as long, and not a hundred."""

    def seconds(text: str) -> float:
        began = process_time()
        measure_text(text)
        return process_time() - began

    for part in ("<a", ".", "1.", "1", "a-", "@", "x@y.", "a.+", "&", "( ", "\u0301"):
        short, long = (min(seconds(part * (n // len(part))) for _ in range(2)) for n in (10_000, 100_000))
        assert long < 40 * short + 0.5, part
