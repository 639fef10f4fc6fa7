"""Foils that put another word in the place of one: an attribute of the same family, or the opposite place."""

from __future__ import annotations

from collections.abc import Iterator

from core.systems.composition.captions.edits import Edit
from core.systems.composition.captions.lexicon import Relation, read_lexicon
from core.systems.composition.captions.parse import phrase_at
from core.systems.composition.captions.records import NounPhrase, ParsedCaption
from core.systems.composition.foils.drafts import COLOUR, MATERIAL, OTHER, PLACE, SIZE, Draft, Kind, is_vague, span_of

_KINDS: dict[str, tuple[Kind, int]] = {
    "colour": ("colour", COLOUR),
    "material": ("material", MATERIAL),
    "size": ("size", SIZE),
}


def attribute_replacements(reading: ParsedCaption) -> Iterator[Draft]:
    """Each attribute becomes one or two others of its family; those that the thing has already are passed over."""
    before = ""
    for noun in reading.things:
        before = noun.head or before
        present = {attribute.word for attribute in noun.attributes}
        for attribute in noun.attributes:
            kind, rank = _KINDS.get(attribute.family, ("replace attribute", OTHER))
            others = [word for word in read_lexicon().instead(attribute.word, before) if word not in present]
            for k, word in enumerate(others[:2]):
                edit = Edit(*span_of(reading, attribute.at, attribute.stop), word)
                # the second choice comes after every attribute's first
                yield Draft(kind, rank, attribute.at + 1000 * k, (edit,), f"{attribute.word} becomes {word}")


def relation_replacements(reading: ParsedCaption) -> Iterator[Draft]:
    """Each phrase of place or time becomes its opposite, where what follows allows it."""
    lexicon = read_lexicon()
    longest = max(map(len, lexicon.relations))
    prepositions = lexicon.phrases["prepositions"]
    words = [token.word for token in reading.tokens]
    at = 0
    while at < len(words):
        size = phrase_at(words, at, lexicon.relations, longest)
        fixed = next(
            (n for n in range(lexicon.longest["prepositions"], 1, -1) if tuple(words[at : at + n]) in prepositions), 0
        )
        if size and size >= fixed:
            relation = lexicon.relations[tuple(words[at : at + size])]
            if _fits(reading, relation, at + size):
                edit = Edit(*span_of(reading, at, at + size), relation.opposite)
                yield Draft("position", PLACE, at, (edit,), f"{' '.join(relation.phrase)} becomes {relation.opposite}")
        at += max(size, fixed, 1)


def _fits(reading: ParsedCaption, relation: Relation, after: int) -> bool:
    if relation.needs == "":
        return True
    if after >= len(reading.tokens) or reading.tokens[after - 1].closed:
        return False
    if relation.needs == "next":
        return True
    return any(thing.start == after and _is_place(reading, thing) for thing in reading.things)


def _is_place(reading: ParsedCaption, noun: NounPhrase) -> bool:
    """Whether a thing can have something on, under or before it: "a table", and not "a sunny day"."""
    return bool(noun.determiner or noun.count or noun.attributes) and not is_vague(noun)
