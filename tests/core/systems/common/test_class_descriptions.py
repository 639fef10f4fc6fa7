from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.common.class_descriptions import (
    FAILURE_CAUSES,
    PATTERN_COLUMNS,
    PATTERNS,
    LabelDescriptions,
    of_classes,
    read_descriptions,
    read_patterns,
    read_words,
)

COUNTS = {
    **{"agnews": 24, "yahoo": 24, "finetune": 24, "yahoo10": 60, "dbpedia": 84},
    **dict.fromkeys(("sst2", "imdb", "amazon2", "yelp2"), 100),
    **dict.fromkeys(("sst5", "yelp"), 125),
}
HEAD = "\t".join(PATTERN_COLUMNS)
MANUAL = '1\tterrible\tjust the term\n1\t"It was ""awful""."\n2\tgreat\trelated terms\n'


@pytest.mark.parametrize(("name", "rows"), COUNTS.items())
def test_the_official_descriptions_are_read_whole(shared_data: Path, name: str, rows: int) -> None:
    folder = shared_data / "labeldesc" / name
    found = read_descriptions(str(folder / "manual_24.tsv"))
    assert found.n_texts == rows
    assert found.numbered
    assert found.labels == tuple(str(i + 1) for i in range(len(found.labels)))
    patterns = read_patterns(str(folder / "prompts.tsv"))
    assert len(patterns) == 14
    assert [p.after_text for p in patterns] == [True] * 12 + [False] * 2
    assert {p.mask_position for p in patterns} == {-2, -1, 0}


def test_an_official_file_is_read_from_its_text_with_doubled_quotes_and_a_missing_comment() -> None:
    found = read_descriptions(MANUAL)
    assert found == LabelDescriptions(("1", "2"), (("terrible", 'It was "awful".'), ("great",)), True)


def test_json_gives_the_same_record_without_numbers(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"bad": ["awful"], "good": ["great", "fine"], "none": []}), "utf-8")
    for source in (str(path), path.read_text("utf-8")):
        assert read_descriptions(source) == LabelDescriptions(("bad", "good"), (("awful",), ("great", "fine")))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1\tgood\n2\n", "line 2: got 1 cells.*Write label TAB description"),
        ("1\tgood\ta\tb\n", "line 1: got 4 cells"),
        ("\t\n\n", "no description. Write"),
        ("nowhere.tsv", "descriptions: File 'nowhere.tsv' not found"),
        ('{"a": "no list"}', "must be a list of texts"),
    ],
)
def test_what_is_no_description_file_is_refused_by_its_line(source: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_descriptions(source)


def test_numbers_become_classes_by_the_order_or_by_their_first_description() -> None:
    given = read_descriptions(MANUAL)
    good, bad = ("great",), ("terrible", 'It was "awful".')
    assert of_classes(given, ("pos", "neg"), "neg, pos") == ((good, bad), ())
    assert of_classes(given, ("Great", "terrible")) == ((good, bad), ())
    assert of_classes(given, ("2", "1")) == ((good, bad), ())


@pytest.mark.parametrize(
    ("names", "order", "message"),
    [
        (("pos", "neg"), "", "the labels are numbers.*Set order"),
        (("pos", "neg"), "neg", "must name a class for each of the 2 numbers"),
        (("pos", "neg"), "neg, neg", "once"),
        (("pos", "neg"), "neg, other", "'other' is not a class"),
    ],
)
def test_numbers_that_could_be_any_class_are_never_guessed(names: tuple[str, ...], order: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        of_classes(read_descriptions(MANUAL), names, order)


def test_a_class_without_descriptions_and_a_label_that_is_no_class_are_said() -> None:
    found, notes = of_classes(read_descriptions('{"a": ["x"], "z": ["y"]}'), ("A", "b"))
    assert found == (("x",), ())
    assert "use their names alone: 'b'" in notes[0]
    assert "'z'" in notes[1]


@pytest.mark.parametrize("name", PATTERNS)
def test_each_set_that_ships_has_fourteen_different_patterns(name: str) -> None:
    found = read_patterns(name)
    assert len({p.string for p in found}) == len({p.name for p in found}) == 14
    assert all((p.mask_position < 0) == p.after_text for p in found)


def test_a_pattern_stands_behind_the_text_or_before_it() -> None:
    behind, before = read_patterns(HEAD + "\nqa\t1\tbefore\tIs it <mask>.\t-2\nqa\t2\tafter\t<mask>:\t0\n")
    assert behind.around("Fine food.", "good") == "Fine food. Is it good."
    assert before.around("Fine food.", "good") == "good: Fine food."
    assert behind.filled("bad") == "Is it bad."


def test_own_lines_are_patterns_too() -> None:
    assert [p.string for p in read_patterns("It is <mask>.\n\n<mask> it is")] == ["It is <mask>.", "<mask> it is"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("It is <mask>.\nIt is.", "line 2: .* has <mask> 0 times"),
        ("<mask> or <mask>", "has <mask> 2 times"),
        (HEAD + "\nqa\t1\tbefore\tIs it <mask>.\t0\n", "'before' needs a mask position below 0"),
        (HEAD + "\nqa\tone\tbefore\tIs it <mask>.\t-2\n", "whole numbers"),
        (HEAD + "\n", "patterns holds 0 patterns"),
        ("nothing.tsv", "patterns: File .* not found"),
    ],
)
def test_what_is_no_pattern_is_refused_by_its_line(source: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_patterns(source)


def test_a_class_is_spoken_by_the_said_word_else_its_term_else_its_name() -> None:
    assert read_words("b: bee", ("a_x", "b", "c"), ("", "", "sea")) == ("a x", "bee", "sea")
    with pytest.raises(InvalidInput, match=r"line 1: got .* Write a class, a colon and its word"):
        read_words("d: dee", ("a", "b"))


def test_sixty_failure_causes_ship_each_described_by_its_name_first() -> None:
    found = read_descriptions(str(FAILURE_CAUSES))
    assert len(found.labels) == 60
    for label, texts in zip(found.labels, found.texts, strict=True):
        assert texts[0] == label
        assert len(set(texts)) >= 6
