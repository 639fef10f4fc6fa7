"""From class names, templates and descriptions to texts: articles, verbs, and random texts as a control."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.systems.probes.zero_shot.prompt_texts import descriptor_sentence, make_texts, mean_size, random_texts
from tests.support.prompts import PETS, SENTENCES


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
    assert "as descriptors (0 of 3" in short.notes[0]
    assert short.notes[1:] == (
        "1 of 2 classes has no descriptions. Errata used the templates alone.",
        "1 name in the descriptions is not a class and was not used: 'cow'.",
    )
    assert "as sentences (3 of 3" in whole.notes[0]


def test_the_shape_can_be_set():
    assert make_texts(["cat"], descriptions=PETS, description_shape="sentences").described == (
        ("whiskers", "a long tail", "often asleep"),
    )
    with pytest.raises(InvalidInput, match="description_shape must be one of"):
        make_texts(["cat"], descriptions=PETS, description_shape="poem")


def test_lists_that_are_all_empty_for_the_classes_are_refused():
    with pytest.raises(InvalidInput, match="lists of all classes are empty"):
        make_texts(["cat"], descriptions='{"cat": [], "cow": ["horns"]}')


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
    # "sea lion, which has x x": two words, as most names have.
    assert all(len(text.split()) == 6 for text in found[0])


def test_random_texts_of_sentences_are_sentences_and_keep_the_concept():
    assert random_texts(make_texts(["cat"], descriptions=SENTENCES), 1, (0,))[0][0].startswith(
        "A photo of a cat, which has "
    )
    assert random_texts(make_texts(["cat"], descriptions=SENTENCES, concept="pet"), 1, (0,))[0][0].startswith(
        "A photo of a pet: a cat, which has "
    )
