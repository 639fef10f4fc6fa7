"""Phrases: the shipped file and a user's files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.language.grammar import singular, words_in
from core.language.prompts import prompts
from core.language.vocabulary import MAX_PHRASE_LENGTH, MAX_PHRASES, OWN, Vocabulary, read_vocabulary, write_vocabulary

REPOSITORY = Path(__file__).parents[3]


def texts(vocabulary: Vocabulary) -> list[str]:
    return [p.text for p in vocabulary.phrases]


def write(folder: Path, content: str | bytes, name: str = "mine.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def family(**changes: Any) -> dict[str, Any]:
    return {
        "name": "light",
        "templates": ["a photo of {noun} {phrase}"],
        "references": ["a photo of {noun}"],
        "phrases": ["in the dark"],
    } | changes


def as_json(folder: Path, *families: object) -> Path:
    return write(folder, json.dumps({"version": 1, "families": families}), "mine.json")


# ---- the shipped file


def test_the_shipped_vocabulary_has_enough_phrases_in_enough_families() -> None:
    shipped = read_vocabulary()
    assert 420 <= len(shipped) <= 560
    assert shipped.notes == ()
    counts = Counter(p.family for p in shipped.phrases)
    assert len(counts) >= 22
    assert min(counts.values()) >= 6
    assert set(counts) == set(shipped.templates)
    assert all(len(pairs) >= 6 and len(set(pairs)) == len(pairs) for pairs in shipped.templates.values())


def test_no_two_shipped_phrases_are_the_same_but_for_small_words() -> None:
    small = {"a", "an", "the", "in", "on", "at", "of", "by"}
    said = [frozenset(singular(w) for w in words_in(text) if w not in small) for text in texts(read_vocabulary())]
    assert [words for words, count in Counter(said).items() if count > 1] == []


def test_opposites_are_both_there() -> None:
    said = "on a plain background, on a cluttered background, in bright sunlight, in the dark, very close up, far away"
    assert {*said.split(", "), "sharp", "blurred", "wet", "dry", "indoors", "outdoors"} <= set(texts(read_vocabulary()))


def test_each_shipped_prompt_holds_its_phrase_and_its_reference_does_not() -> None:
    shipped = read_vocabulary()
    with_phrase, without = prompts(shipped, ["dog", "apple", "jeans"])
    for phrase, spoken_prompts, references in zip(shipped.phrases, with_phrase, without):
        assert len(spoken_prompts) == len(references) == 8
        assert len(set(spoken_prompts)) == 8
        for prompt, reference in zip(spoken_prompts, references):
            assert phrase.text in prompt
            assert phrase.text not in reference
            assert "{" not in prompt + reference
            assert "  " not in prompt + reference


def test_the_page_about_phrases_counts_what_is_shipped() -> None:
    page = (REPOSITORY / "docs" / "phrases.md").read_text()
    shipped = read_vocabulary()
    for name, count in Counter(p.family for p in shipped.phrases).items():
        assert f"| {name} | {count} |" in page
    assert f"{len(shipped)} phrases" in page


# ---- a user's files


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    shipped = read_vocabulary()
    write_vocabulary(shipped, tmp_path / "out.json")
    again = read_vocabulary(tmp_path / "out.json")
    assert again.phrases == shipped.phrases
    assert again.templates == shipped.templates


def test_a_text_file_with_own_and_known_families_is_read_and_survives_a_round_trip(tmp_path: Path) -> None:
    path = write(
        tmp_path, "\ufeff# mine\nwith a red collar\nlight: by  torchlight\n\nMoods: looking sad\r\nown: on a trolley\n"
    )
    mine = read_vocabulary(path)
    assert [(p.text, p.family) for p in mine.phrases] == [
        ("with a red collar", OWN), ("looking sad", OWN), ("on a trolley", OWN), ("by torchlight", "light"),
    ]  # fmt: skip
    assert mine.templates["light"] == read_vocabulary().templates["light"]
    assert any("moods" in note for note in mine.notes)
    assert prompts(mine, ["dog"], 1)[0][0] == ["a photo of a dog with a red collar"]
    write_vocabulary(mine, tmp_path / "out.json")
    assert read_vocabulary(tmp_path / "out.json").phrases == mine.phrases


def test_repeats_are_folded_and_counted(tmp_path: Path) -> None:
    mine = read_vocabulary(write(tmp_path, "in the dark\nIn  the dark\nlight: in the dark\nin fog\n"))
    assert texts(mine) == ["in the dark", "in fog"]
    assert mine.notes == ("mine.txt: merged 2 repeated phrases.",)


def test_a_family_without_templates_takes_the_shipped_or_plain_ones(tmp_path: Path) -> None:
    mine = read_vocabulary(
        as_json(tmp_path, {"name": "quality", "phrases": ["foggy"]}, {"name": "mood", "phrases": ["looking sad"]})
    )
    assert [p[0] for p in prompts(mine, ["dog"], 1)[0]] == ["a foggy photo of a dog", "a photo of a dog looking sad"]


@pytest.mark.parametrize("count", [MAX_PHRASES, MAX_PHRASES + 1])
def test_at_most_two_thousand_phrases(tmp_path: Path, count: int) -> None:
    path = write(tmp_path, "\n".join(f"number {i}" for i in range(count)))
    if count == MAX_PHRASES:
        assert len(read_vocabulary(path)) == MAX_PHRASES
    else:
        with pytest.raises(InvalidInput, match=r"mine.txt has 2,001 phrases; 2,000 are allowed"):
            read_vocabulary(path)


@pytest.mark.parametrize("length", [MAX_PHRASE_LENGTH, MAX_PHRASE_LENGTH + 1])
def test_a_phrase_has_at_most_sixty_characters(tmp_path: Path, length: int) -> None:
    path = write(tmp_path, "fine\n" + "x" * length)
    if length == MAX_PHRASE_LENGTH:
        assert len(read_vocabulary(path)) == 2
    else:
        with pytest.raises(InvalidInput, match=r"mine.txt, line 2: .*60 characters: got 61"):
            read_vocabulary(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "contains no phrases"),
        (b"light:\n", "line 1: a phrase needs a word"),
        (b"ok\n?!\n", "line 2: a phrase needs a word"),
        (b"caf\xe9", r"not UTF-8 text \(byte 3\)"),
    ],
)
def test_a_text_file_that_breaks_a_rule_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_vocabulary(write(tmp_path, content))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"version": 2, "families": []}', '{"version": 1}', "[" * 100_000])
def test_what_is_not_a_phrase_file_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidInput, match=r"mine.json: (invalid JSON|nested too deep|expected )"):
        read_vocabulary(write(tmp_path, content, "mine.json"))


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ([family(templates=["a photo of {noun}"])], "template 1: a template needs"),
        ([family(templates=["a photo {phrase}"])], "template 1: a template needs"),
        ([family(references=["a photo of {noun} {phrase}"])], "template 1: a template needs"),
        ([family(references=[])], "1 templates but 0 references"),
        ([family(templates=[], references=[])], "0 templates but 0 references"),
        ([family(templates="a {noun} {phrase}")], "templates must be text"),
        ([family(phrases=[3])], "phrases must be text"),
        ([family(phrases=None)], "phrases must be text"),
        ([family(phrases=["fine", " "])], r"family 1 \(light\), phrase 2: a phrase needs a word"),
        ([family(), family()], "family 2: the name 'light' is empty or repeated"),
        ([family(name=None)], "family 1: name must be text"),
        ([3], "family 1: name must be text"),
        ([family(phrases=[])], "contains no phrases"),
        ([family(phrases=[{"phrase": "rude", "examples": [["Go.", "Go. "]]}])], "an example are 'Go.'"),
    ],
)
def test_a_json_file_that_breaks_a_rule_is_refused(tmp_path: Path, families: list[object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_vocabulary(as_json(tmp_path, *families))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone.txt was not found"):
        read_vocabulary(tmp_path / "gone.txt")
