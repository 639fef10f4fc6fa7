"""Foils that leave every word in place but two: attributes, or things, that change places, and attributes that move
over."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from core.language.grammar import takes_article
from core.systems.composition.captions.edits import Edit
from core.systems.composition.captions.lexicon import read_lexicon
from core.systems.composition.captions.records import Attribute, NounPhrase, ParsedCaption
from core.systems.composition.foils.drafts import (
    CROSS,
    MOVE,
    OBJECTS,
    SWAP,
    Draft,
    finite_after,
    is_kind,
    is_vague,
    small_first,
    span_of,
    text_of,
    unit_stop,
)

_ACROSS = ("colour", "size", "material", "pattern")
"""Families of which a thing can have any, so that an attribute of one may change places with one of another."""
_REFLEXIVE = frozenset({"himself", "herself", "itself", "themselves"})
_NEVER = frozenset({"off", "than", "like"})


def attribute_swaps(reading: ParsedCaption) -> Iterator[Draft]:
    """Attributes of two things change places: of one family first, then across the families that any thing has."""
    pairs = list(combinations(range(len(reading.things)), 2))
    for rank in (SWAP, CROSS):
        for i, j in pairs:
            for first in reading.things[i].attributes:
                for second in reading.things[j].attributes:
                    if (first.family == second.family) == (rank == SWAP) and _may_swap(
                        reading.things[i], first, reading.things[j], second
                    ):
                        edits, why = _exchange(reading, (first.start, first.stop), (second.start, second.stop))
                        yield Draft("swap attributes", rank, first.at, edits, why)


def _may_swap(first_noun: NounPhrase, first: Attribute, second_noun: NounPhrase, second: Attribute) -> bool:
    doubled = second.word in {a.word for a in first_noun.attributes} or first.word in {
        a.word for a in second_noun.attributes
    }
    if first.word != second.word and doubled:
        return False
    if first.family == second.family:
        return True
    if is_vague(first_noun) or is_vague(second_noun) or is_kind(first_noun, "person") or is_kind(second_noun, "person"):
        return False
    if first.family not in _ACROSS or second.family not in _ACROSS:
        return False
    # "a little black bird with a big beak": black must not bring a second size to the bird
    return all(a.family != second.family for a in first_noun.attributes) and all(
        a.family != first.family for a in second_noun.attributes
    )


def _exchange(reading: ParsedCaption, first: tuple[int, int], second: tuple[int, int]) -> tuple[tuple[Edit, Edit], str]:
    """The edits by which two runs of tokens change places, and what was done."""
    first_text = text_of(reading, *first)
    second_text = text_of(reading, *second)
    edits = Edit(*span_of(reading, *first), second_text), Edit(*span_of(reading, *second), first_text)
    return edits, f"{first_text} and {second_text} change places"


def attribute_moves(reading: ParsedCaption) -> Iterator[Draft]:
    """An attribute of one thing goes over to another that has none: "a red cube and a ball" -> "a cube and a red
    ball"."""
    packs = read_lexicon().words["packs"]
    for i, j in combinations(range(len(reading.things)), 2):
        for giver_at, taker_at in ((i, j), (j, i)):
            giver = reading.things[giver_at]
            taker = reading.things[taker_at]
            if len(giver.attributes) != 1 or not giver.heads or taker.attributes or not taker.heads:
                continue
            attribute = giver.attributes[0]
            if taker.head in packs or giver.head in packs:
                continue
            if attribute.family not in _ACROSS or is_vague(giver) or is_vague(taker) or is_kind(taker, "person"):
                continue
            start, stop = span_of(reading, attribute.start, attribute.stop)
            before = reading.tokens[taker.heads[0]].start
            word = text_of(reading, attribute.start, attribute.stop)
            noun = reading.text[before : reading.tokens[taker.heads[0]].end]
            first = small_first(reading, noun) if taker.heads[0] == 0 else noun
            gone = _without(reading, giver, start, stop)
            edits = (gone, Edit(before, before + len(noun), f"{word} {first}"))
            yield Draft(
                "swap attributes", MOVE, attribute.at, edits, f"{word} moves from the {giver.head} to the {taker.head}"
            )


def _without(reading: ParsedCaption, giver: NounPhrase, start: int, stop: int) -> Edit:
    """Takes the attribute out, with the blank after it; the noun that follows is written again, so that its article and
    capital are made right."""
    after = next(token for token in reading.tokens if token.start >= stop)
    return Edit(start, after.end, after.text)


def object_swaps(reading: ParsedCaption) -> Iterator[Draft]:
    """Two things change places with all that belongs to them, neighbours first; where a verb would no longer agree,
    they stay."""
    things = reading.things
    if any(token.word in _REFLEXIVE for token in reading.tokens):
        return
    pairs = sorted(combinations(range(len(things)), 2), key=lambda pair: pair[1] - pair[0])
    for i, j in pairs:
        if j - i > 2 or (_is_said(reading, i) and _is_said(reading, j)):
            continue
        if not (_can_move(reading, i) and _can_move(reading, j)):
            continue
        first = things[i]
        second = things[j]
        first_stop = unit_stop(reading, i)
        second_stop = unit_stop(reading, j)
        if first_stop > second.start or _said_between(reading, first_stop, second.start):
            continue
        if _lacks_article(first) != _lacks_article(second):
            continue
        if first.many != second.many and _verb_agrees(reading, first_stop, second_stop):
            continue
        edits, why = _exchange(reading, (first.start, first_stop), (second.start, second_stop))
        yield Draft("swap objects", OBJECTS, i * 10 + j - i, edits, why)


def _is_said(reading: ParsedCaption, at: int) -> bool:
    """Whether an attribute is said of the thing ("the car is red"): of two such things the attributes change places
    instead."""
    return at + 1 < len(reading.things) and not reading.things[at + 1].heads


def _lacks_article(noun: NounPhrase) -> bool:
    """Whether an article was left out before the thing ("in uniform"), so that it reads oddly elsewhere."""
    return not noun.determiner and noun.count is None and not noun.many and takes_article(noun.head)


def _can_move(reading: ParsedCaption, at: int) -> bool:
    noun = reading.things[at]
    if is_vague(noun) or noun.determiner in read_lexicon().words["possessives"]:
        return False
    return not (at and reading.between(reading.things[at - 1], noun) == ("of",))


def _said_between(reading: ParsedCaption, start: int, stop: int) -> bool:
    """Whether the words between have a part that belongs to one of the two ("who", "with its"), or nothing stands
    between."""
    words = {token.word for token in reading.tokens[start:stop]}
    return not words or bool(words & ({"that", "who", "which", "his", "her", "its", "their"} | _NEVER))


def _verb_agrees(reading: ParsedCaption, first_stop: int, second_stop: int) -> bool:
    """Whether the caption has a verb that agrees with one of the things in number."""
    finite = read_lexicon().words["finite"]
    if any(token.word in finite for token in reading.tokens):
        return True
    return finite_after(reading, first_stop) or finite_after(reading, second_stop)
