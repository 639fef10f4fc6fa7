"""The vocabulary as directions: the class cancels, and other spaces are refused."""

from __future__ import annotations

import pytest

from core.errors import Cancelled, InvalidInput
from core.language.phrases import make_words
from core.language.vocabulary import Phrase, Vocabulary
from core.records import Embeddings
from tests.support.planted_words import CLASSES, WordTower, planted_run

TEMPLATES = {"weather": (("a photo of {noun} {phrase}", "a photo of {noun}"), ("{noun} {phrase}", "{noun}"))}


def vocabulary(*phrases: str) -> Vocabulary:
    return Vocabulary(tuple(Phrase(p, "weather") for p in phrases), TEMPLATES)


def test_a_phrase_is_its_word_alone() -> None:
    _, audit, _ = planted_run()
    words = make_words(audit.embeddings, WordTower(audit), vocabulary("in snow", "in fog"), CLASSES)
    assert words.phrases == ("in snow", "in fog")
    assert words.families == ("weather", "weather")
    cosines = (words.directions * audit.phrases[:2]).sum(1)
    assert (cosines > 0.9).all()


def test_phrases_that_the_tower_cannot_tell_apart_and_class_names_are_left_out_and_said() -> None:
    _, audit, _ = planted_run()
    words = make_words(audit.embeddings, WordTower(audit), vocabulary("in snow", "under snow", "with a dog"), CLASSES)
    assert words.phrases == ("in snow",)
    assert any("1 phrase" in note for note in words.notes)


def test_vectors_of_another_space_are_refused() -> None:
    _, audit, _ = planted_run()
    with pytest.raises(InvalidInput, match="Use one encoder"):
        make_words(
            Embeddings(audit.embeddings.vectors, "x", "elsewhere"), WordTower(audit), vocabulary("in snow"), CLASSES
        )


def test_a_vocabulary_of_which_nothing_is_left_is_refused() -> None:
    _, audit, _ = planted_run()
    with pytest.raises(InvalidInput, match="All 2 phrases only restate a class"):
        make_words(audit.embeddings, WordTower(audit), vocabulary("with a dog", "next to cats"), CLASSES)


@pytest.mark.parametrize("call", range(1, 6))
def test_the_reading_of_phrases_ends_at_the_call_that_stops_it(call: int) -> None:
    _, audit, _ = planted_run()
    calls = list[int]()

    def stop(step: str, done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == call:
            raise Cancelled("stop")

    many = vocabulary(*(f"in snow number {i}" for i in range(100)))
    with pytest.raises(Cancelled):
        make_words(audit.embeddings, WordTower(audit), many, CLASSES, progress=stop)
    assert len(calls) == call


def test_more_phrases_are_told_of_more_often() -> None:
    _, audit, _ = planted_run()

    def count(n_phrases: int) -> int:
        heard = list[str]()
        many = vocabulary(*(f"in snow number {i}" for i in range(n_phrases)))
        make_words(audit.embeddings, WordTower(audit), many, CLASSES, progress=lambda step, *_: heard.append(step))
        assert set(heard) == {"read the phrases"}
        return len(heard)

    assert count(400) - count(200) == 6  # 200 phrases more are 800 distinct prompts more, in batches of 128
