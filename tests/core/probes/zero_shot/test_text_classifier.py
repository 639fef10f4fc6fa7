from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.encoders import Encoder
from core.errors import Cancelled, InvalidInput
from core.probes.zero_shot import text_classifier as module
from core.probes.zero_shot.prompt_texts import descriptor_sentence, make_texts, mean_size, random_texts
from core.probes.zero_shot.text_classifier import mean_vectors, text_classifier
from core.records import F32, F64
from tests.support.word_tower import WordTower

PETS = json.dumps({"Cat": ["whiskers", "a long tail", "often asleep"], "cow": ["horns"]})
SENTENCES = json.dumps({"cat": ["A cat has whiskers.", "Cats are soft!"], "dog": ["A dog barks."]})


def tower(limit: int = 20) -> Encoder:
    made: object = WordTower(limit)
    return made  # pyright: ignore[reportReturnType]


def plain_mean(texts: Sequence[str], encoder: Encoder) -> F64:
    """The mean of unit vectors by the formula, one text at a time."""
    return np.mean([encoder.encode_texts([text])[0].astype(np.float64) for text in texts], axis=0)


def unit(row: F64) -> F64:
    return row / np.linalg.norm(row)


def test_braces_quotes_and_emoji_in_names_stand_in_the_sentence_as_they_are():
    found = text_classifier(tower(), ["{}", "a_{0}", '"x" 🐱', "{class}"], templates="7")
    assert [own[0] for own in found.prompts] == [
        "itap of a {}.",
        "itap of a a {0}.",
        'itap of a "x" 🐱.',
        "itap of a {class}.",
    ]


def test_a_class_vector_is_the_unit_mean_of_its_unit_texts():
    encoder = tower()
    found = text_classifier(encoder, ["cat", "dog"], templates="80", synonyms="cat: kitten")
    assert [len(own) for own in found.prompts] == [160, 80]
    for row, own in zip(found.vectors, found.prompts, strict=True):
        np.testing.assert_allclose(row, unit(plain_mean(own, encoder)), atol=1e-6)


def test_a_concept_goes_before_the_name_with_its_article():
    texts = make_texts(["pizza", "apple_pie"], concept="food", descriptions='{"pizza": ["cheese"]}')
    assert texts.templated == (("a photo of a food: a pizza.",), ("a photo of a food: an apple pie.",))
    assert texts.described[0] == ("A photo of a food: a pizza, which has cheese.",)


@pytest.mark.parametrize(
    ("descriptor", "sentence"),
    [
        ("two legs", "hen, which has two legs."),
        ("a beak", "hen, which is a beak."),
        ("an egg layer", "hen, which is an egg layer."),
        ("antlers", "hen, which has antlers."),
        ("used for eggs.", "hen, which is used for eggs."),
        ("has a comb", "hen, which has a comb."),
        ("often brown", "hen, which often brown."),
        ("candles", "hen, which has candles."),
    ],
)
def test_descriptors_get_the_published_verbs_by_whole_words(descriptor: str, sentence: str):
    assert descriptor_sentence("hen", descriptor) == sentence


def test_descriptors_and_sentences_are_told_apart_and_the_note_says_which():
    short, whole = make_texts(["cat", "dog"], descriptions=PETS), make_texts(["cat", "dog"], descriptions=SENTENCES)
    assert (short.shape, whole.shape) == ("descriptors", "sentences")
    assert short.described == (
        ("cat, which has whiskers.", "cat, which is a long tail.", "cat, which often asleep."),
        (),
    )
    assert whole.described == (("A cat has whiskers.", "Cats are soft!"), ("A dog barks.",))
    assert "taken for descriptors (0 of 3" in short.notes[0]
    assert short.notes[1:] == (
        "1 of 2 classes has no descriptions: only the templates speak there.",
        "1 name in the descriptions is no class and went unused: 'cow'.",
    )
    assert "taken for sentences (3 of 3" in whole.notes[0]


def test_the_shape_can_be_set():
    assert make_texts(["cat"], descriptions=PETS, description_shape="sentences").described == (
        ("whiskers", "a long tail", "often asleep"),
    )
    with pytest.raises(InvalidInput, match="description_shape must be one of"):
        make_texts(["cat"], descriptions=PETS, description_shape="poem")


def test_lists_that_are_all_empty_for_the_classes_are_refused():
    with pytest.raises(InvalidInput, match="lists of your classes are all empty"):
        make_texts(["cat"], descriptions='{"cat": [], "cow": ["horns"]}')


def test_pooled_texts_count_the_same_each_and_a_weight_balances_the_two_means():
    encoder = tower()
    pooled = text_classifier(encoder, ["cat", "dog"], templates="7", descriptions=PETS)
    np.testing.assert_allclose(pooled.vectors[0], unit(plain_mean(pooled.prompts[0], encoder)), atol=1e-6)
    assert len(pooled.prompts[0]) == 10
    half = text_classifier(encoder, ["cat", "dog"], templates="7", descriptions=PETS, description_weight=0.25)
    first, second = pooled.prompts[0][:7], pooled.prompts[0][7:]
    np.testing.assert_allclose(
        half.vectors[0],
        unit(0.75 * unit(plain_mean(first, encoder)) + 0.25 * unit(plain_mean(second, encoder))),
        atol=1e-6,
    )
    alone = text_classifier(encoder, ["cat", "dog"], templates="7", descriptions=PETS, description_weight=1.0)
    assert (alone.prompts[0], len(alone.prompts[1])) == (second, 7)
    np.testing.assert_allclose(alone.vectors[0], unit(plain_mean(second, encoder)), atol=1e-6)
    for found in (half, alone):  # a class without descriptions is its templates
        np.testing.assert_allclose(found.vectors[1], unit(plain_mean(pooled.prompts[1], encoder)), atol=1e-6)


def test_mean_of_cosines_is_what_a_loop_over_texts_gives():
    encoder, image = tower(), np.random.default_rng(0).normal(size=64)
    found = text_classifier(
        encoder, ["cat", "dog"], descriptions=SENTENCES, description_weight=1.0, scoring="mean of cosines"
    )
    for row, own in zip(found.vectors, found.prompts, strict=True):
        assert image @ row == pytest.approx(
            np.mean([image @ encoder.encode_texts([text])[0] for text in own]), abs=1e-5
        )


def test_texts_that_lose_their_end_are_counted_in_a_note():
    found = text_classifier(tower(limit=4), ["cat", "polar bear"])
    assert found.truncated == 2
    assert found.notes == ("2 of 2 prompts are longer than the text tower reads and lost their end.",)


def test_own_templates_that_go_unused_are_said():
    assert "Choose 'own' to use them" in text_classifier(tower(), ["cat"], own_templates="a {}.").notes[0]


@pytest.mark.parametrize("n", [1, 4, 5, 6, 11])  # a batch holds 5
def test_batches_change_nothing_and_progress_reaches_its_end(n: int, monkeypatch: pytest.MonkeyPatch):
    names, seen = [f"thing {i}" for i in range(n)], [(0, 0)]
    whole = text_classifier(tower(), names)
    monkeypatch.setattr(module, "BATCH", 5)

    def report(step: str, done: int, total: int) -> None:
        seen.append((done, total))

    np.testing.assert_array_equal(text_classifier(tower(), names, progress=report).vectors, whole.vectors)
    assert seen[-1] == (n, n)
    assert len(seen) == 1 + -(-n // 5)


def test_thousands_of_classes_can_be_cancelled_between_batches():
    made = WordTower()
    encoder: object = made

    def stop(step: str, done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        text_classifier(encoder, [f"thing {i}" for i in range(5000)], progress=stop)  # pyright: ignore[reportArgumentType]
    assert len(made.encoded) == module.BATCH


def test_sums_are_kept_between_runs_and_a_damaged_file_is_computed_again(tmp_path: Path):
    first = mean_vectors(tower(), [("a cat", "the cat"), ("a dog",)], tmp_path)
    made = WordTower()
    encoder: object = made
    again: F32 = mean_vectors(encoder, [("a cat", "the cat"), ("a dog",)], tmp_path)  # pyright: ignore[reportArgumentType]
    assert made.encoded == []
    np.testing.assert_array_equal(first, again)
    for file in (tmp_path / "texts").iterdir():
        file.write_bytes(b"PK\x03\x04 damaged")
    np.testing.assert_array_equal(first, mean_vectors(tower(), [("a cat", "the cat"), ("a dog",)], tmp_path))
    assert not np.array_equal(
        first, mean_vectors(tower(), [("a cat",), ("the cat", "a dog")], tmp_path)
    )  # same texts, other classes


def test_random_texts_are_alike_for_all_classes_and_differ_by_seed():
    texts = make_texts(
        ["sea lion", "{a} b", "cow"], descriptions='{"sea lion": ["whiskers"], "{a} b": ["x", "y", "z"]}'
    )
    assert mean_size(texts) == 2
    found = random_texts(texts, 30, (0, 1))
    assert [len(own) for own in found] == [30, 30, 0]  # no descriptions, no random words
    ends = [
        {text.removeprefix(f"{name}, which has ") for text in own} for name, own in zip(("sea lion", "{a} b"), found)
    ]
    assert ends[0] == ends[1]
    assert random_texts(texts, 30, (0, 1)) == found
    assert random_texts(texts, 30, (0, 2)) != found
    assert all(
        len(text.split()) == len(["sea", "lion,", "which", "has", "x", "x"]) for text in found[0]
    )  # two words, as most names have


def test_random_texts_of_sentences_are_sentences_and_keep_the_concept():
    assert random_texts(make_texts(["cat"], descriptions=SENTENCES), 1, (0,))[0][0].startswith(
        "A photo of a cat, which has "
    )
    assert random_texts(make_texts(["cat"], descriptions=SENTENCES, concept="pet"), 1, (0,))[0][0].startswith(
        "A photo of a pet: a cat, which has "
    )


def test_a_class_without_a_name_is_refused():
    with pytest.raises(InvalidInput, match="no name"):
        text_classifier(tower(), ["cat", " _ "])
