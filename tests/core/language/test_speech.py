"""Phrases are spoken of texts as of images, and those about how a text is written by examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.language.likeness import question_prompts
from core.language.prompts import keep_apart, prompts
from core.language.speech import SPEECH
from core.language.vocabulary import MAX_EXAMPLES, read_vocabulary, write_vocabulary

PAIR = ["Where is it?", "It is there."]


def written(path: Path, *phrases: object, **more: object) -> Path:
    said = {"version": 1, "modality": "text", "families": [{"name": "own family", "phrases": list(phrases)}], **more}
    path.write_text(json.dumps(said), "utf-8")
    return path


def test_each_modality_has_phrases_that_ship() -> None:
    for modality, speech in SPEECH.items():
        found = read_vocabulary(None, modality)
        assert found.modality == modality
        assert len(found) > 50
        assert len(speech.templates) == len(speech.starts)


def test_a_phrase_with_examples_is_spoken_by_them_and_others_by_templates(tmp_path: Path) -> None:
    path = written(tmp_path / "own.json", {"phrase": "asking", "examples": [PAIR, ["Who?", "He."]]}, "about rain")
    found = read_vocabulary(path, "text")
    with_phrase, without = prompts(found, ["negative"], 4)
    assert with_phrase[0] == ["Where is it?", "Who?"]
    assert without[0] == ["It is there.", "He."]
    assert with_phrase[1][0] == "text about rain"
    assert not any("negative" in text for text in with_phrase[1])  # a text is no "negative"


def test_a_phrase_with_examples_stays_beside_a_class_of_its_words(tmp_path: Path) -> None:
    path = written(tmp_path / "own.json", {"phrase": "with names of people", "examples": [PAIR]}, "about people")
    kept, notes = keep_apart(read_vocabulary(path, "text"), ["people"])
    assert [phrase.text for phrase in kept.phrases] == ["with names of people"]
    assert '"about people"' in notes[0]


def test_what_was_written_out_reads_the_same(tmp_path: Path) -> None:
    shipped = read_vocabulary(None, "text")
    write_vocabulary(shipped, tmp_path / "out.json")
    assert read_vocabulary(tmp_path / "out.json", "text").phrases == shipped.phrases


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rain", "a text about rain"),
        ("about rain", "a text about rain"),
        ("the weather about noon", "a text about the weather about noon"),
    ],
)
def test_a_question_about_texts_is_read_as_a_text_about_it(text: str, sentence: str) -> None:
    assert question_prompts(text, "text") == [text, sentence]
    assert question_prompts("of rain") == ["of rain", "a photo of rain"]


@pytest.mark.parametrize(
    ("phrases", "said"),
    [
        ([{"phrase": "a", "examples": []}], "examples must be 1 to 50 pairs"),
        ([{"phrase": "a", "examples": [PAIR] * (MAX_EXAMPLES + 1)}], "examples must be 1 to 50 pairs"),
        ([{"phrase": "a", "examples": [["one"]]}], "examples must be 1 to 50 pairs"),
        ([{"phrase": "a", "examples": [["one", 2]]}], "examples must be text"),
        ([{"phrase": "a", "examples": [["one", "x" * 501]]}], "at most 500 characters: got 501"),
        ([{"examples": [PAIR]}], "phrases must be text"),
    ],
)
def test_examples_that_cannot_be_used_are_named(tmp_path: Path, phrases: list[object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_vocabulary(written(tmp_path / "own.json", *phrases), "text")


def test_phrases_of_another_modality_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "own.json", "about rain")
    with pytest.raises(InvalidInput, match=r"the phrases are for texts, the samples are images. .*--modality image"):
        read_vocabulary(path)
