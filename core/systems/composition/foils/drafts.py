"""What a way of making foils hands on, and what the ways share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.language import grammar as nouns
from core.systems.composition.captions.edits import Edit
from core.systems.composition.captions.lexicon import read_lexicon
from core.systems.composition.captions.records import NounPhrase, ParsedCaption

Kind = Literal[
    "swap attributes", "swap objects", "position", "colour", "material", "size", "count", "replace attribute"
]
""""position" holds left and right, on and under, before and after, ...; "replace attribute" the families that have no
name of their own."""
SWAP, CROSS, OBJECTS, MOVE, PLACE, COLOUR, MATERIAL, SIZE, COUNT, OTHER, FEW = range(11)
"""Ranks, most telling first: changes that leave the bag of words alone come before those that bring in a new word."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that may become a foil."""

    kind: Kind
    rank: int
    place: int
    """Orders the drafts of a rank: where in the caption the change begins."""
    edits: tuple[Edit, ...]
    why: str


def span_of(reading: ParsedCaption, start: int, stop: int) -> tuple[int, int]:
    """Characters from token `start` to before token `stop`."""
    return reading.tokens[start].start, reading.tokens[stop - 1].end


def text_of(reading: ParsedCaption, start: int, stop: int) -> str:
    """The caption's words from token `start` to before token `stop`, their first letter small if it begins the
    sentence."""
    first, last = span_of(reading, start, stop)
    text = reading.text[first:last]
    if start == 0:
        return small_first(reading, text)
    return text


def small_first(reading: ParsedCaption, text: str) -> str:
    """The text without the capital that it has for beginning a sentence; names in capitals ("TV") keep theirs."""
    first = reading.tokens[0].text
    if len(first) > 1 and first.isupper() and not reading.text.isupper():
        return text
    return text[:1].lower() + text[1:]


def is_kind(noun: NounPhrase, kind: str) -> bool:
    """Whether the thing is a "person", ... of the lexicon."""
    return bool(noun.head) and nouns.singular(noun.head) in read_lexicon().heads[kind]


def is_vague(noun: NounPhrase) -> bool:
    """Whether the noun names a part, a view or a time rather than a thing ("side", "picture", "day")."""
    vague = read_lexicon().words["vague"]
    return not noun.head or noun.head in vague or nouns.singular(noun.head) in vague


def unit_stop(reading: ParsedCaption, at: int) -> int:
    """Where thing number `at` ends with what "of" adds to it: "a plate | of food"."""
    things = reading.things
    stop = reading.things[at].stop
    while at + 1 < len(things) and reading.between(things[at], things[at + 1]) == ("of",):
        at += 1
        stop = things[at].stop
    return stop


def finite_after(reading: ParsedCaption, at: int) -> bool:
    """Whether a verb that must agree in number may stand right after token number `at - 1`."""
    if at >= len(reading.tokens) or (at and reading.tokens[at - 1].closed):
        return False
    word = reading.tokens[at].word
    lexicon = read_lexicon()
    free = word.endswith(("ing", "ed")) or word in ("and", "or", "that", "while", "as")
    return not free and not any(phrase[0] == word for phrase in lexicon.phrases["prepositions"])


def follows_preposition(reading: ParsedCaption, at: int) -> bool:
    """Whether the word before token number `at` is a preposition or a participle, so that what begins there is no
    subject."""
    if not at or reading.tokens[at - 1].closed:
        return False
    word = reading.tokens[at - 1].word
    return any(phrase[-1] == word for phrase in read_lexicon().phrases["prepositions"])


def later_verb(reading: ParsedCaption, at: int) -> bool:
    """Whether a verb that must agree in number stands anywhere from token number `at` on, outside the things."""
    lexicon = read_lexicon()
    inside = {k for thing in reading.things for k in range(thing.start, thing.stop)}
    for k, token in enumerate(reading.tokens[at:], at):
        stems = {token.word, token.word.removesuffix("s"), token.word.removesuffix("es")}
        if token.word in lexicon.words["finite"] or (k not in inside and stems & lexicon.words["verbs"]):
            return True
    return False
