from __future__ import annotations

import pytest

from core.systems.composition.captions.lexicon import read_lexicon

PAIRS = (
    "dogs dog, boxes box, benches bench, vases vase, houses house, buses bus, people person, women woman, "
    "knives knife, gloves glove, puppies puppy, movies movie, geese goose, glasses glass, sheep sheep"
)


@pytest.mark.parametrize(("many", "one"), [pair.split() for pair in PAIRS.split(", ")])
def test_singular_and_plural_lead_back_to_each_other(many: str, one: str) -> None:
    lexicon = read_lexicon()
    assert lexicon.one_of(many) == one
    assert lexicon.many_of(one) == many


def test_what_is_not_counted_has_no_plural_and_a_singular_no_singular() -> None:
    lexicon = read_lexicon()
    assert (lexicon.many_of("grass"), lexicon.one_of("dog"), lexicon.one_of("glass")) == ("", "", "")


def test_every_attribute_can_be_replaced_by_another_word_and_belongs_to_one_family() -> None:
    lexicon = read_lexicon()
    assert set(lexicon.family) == set(lexicon.replacements)
    for word, others in lexicon.replacements.items():
        assert others
        assert word not in others


def test_a_replacement_looks_at_what_is_described() -> None:
    lexicon = read_lexicon()
    assert lexicon.instead("old", "man") == ("young",)
    assert lexicon.instead("old", "car") == ("new",)
    assert lexicon.instead("short", "sleeves") == ("long",)
    assert lexicon.instead("short", "men") == ("tall",)


def test_numbers_are_read_in_letters_and_small_digits() -> None:
    lexicon = read_lexicon()
    assert [lexicon.value(word) for word in ("three", "3", "20", "21", "0", "many")] == [3, 3, 20, None, None, None]
