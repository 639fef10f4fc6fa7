"""Foils that count otherwise: numbers change places or become another, with the nouns, and "is" or "are", made to
agree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from core.systems.composition.captions.edits import Edit
from core.systems.composition.captions.lexicon import read_lexicon
from core.systems.composition.captions.records import NounPhrase, ParsedCaption
from core.systems.composition.foils.drafts import (
    COUNT,
    FEW,
    SWAP,
    Draft,
    finite_after,
    follows_preposition,
    is_vague,
    later_verb,
    span_of,
    unit_stop,
)

_PRONOUNS = frozenset("its his him her their it they them itself himself herself themselves he she one".split())


def count_swaps(reading: ParsedCaption) -> Iterator[Draft]:
    """The numbers of two things change places; "a" counts as one where the other has a number."""
    for i, j in combinations(range(len(reading.things)), 2):
        first = reading.things[i]
        second = reading.things[j]
        first_value = _value(first)
        second_value = _value(second)
        if (
            first_value is None
            or second_value is None
            or first_value == second_value
            or (first.count is None and second.count is None)
        ):
            continue
        phrases = _said(reading, first), _said(reading, second)
        edits = _recount(reading, i, phrases[1])
        others = _recount(reading, j, phrases[0])
        if edits is not None and others is not None and len({edit.start for edit in (*edits, *others)}) >= 2:
            why = f"{phrases[0]} and {phrases[1]} change places"
            yield Draft("swap attributes", SWAP, 500 + first.start, (*edits, *others), why)


def count_replacements(reading: ParsedCaption) -> Iterator[Draft]:
    """A number becomes the next, and the one before if that is still many; "a" becomes "two", last of all; "a pair of"
    becomes three."""
    for at, noun in enumerate(reading.things):
        value = noun.count
        if value is not None and noun.heads:
            for k, new in enumerate(n for n in (value + 1, value - 1) if n >= 2 and n != value):
                phrase = _written(reading, noun, new)
                if phrase and (edits := _recount(reading, at, phrase)) is not None:
                    yield Draft(
                        "count", COUNT, noun.start + 1000 * k, tuple(edits), f"{_said(reading, noun)} becomes {phrase}"
                    )
        elif noun.head in read_lexicon().words["packs"]:
            yield from _pack(reading, at)
        elif (
            noun.determiner in ("a", "an")
            and not is_vague(noun)
            and not follows_preposition(reading, noun.start)
            and (edits := _recount(reading, at, "two")) is not None
        ):
            yield Draft("count", FEW, noun.start, tuple(edits), f"{noun.determiner} becomes two")


def _pack(reading: ParsedCaption, at: int) -> Iterator[Draft]:
    """ "a pair of dogs" -> "three dogs", "a pair of scissors" -> "two pairs of scissors"."""
    pack = reading.things[at]
    things = reading.things
    if at + 1 == len(things) or pack.determiner not in ("a", "the") or pack.attributes:
        return
    if reading.between(pack, things[at + 1]) != ("of",):
        return
    inside = things[at + 1]
    if not inside.many or inside.determiner or inside.count is not None:
        return
    if inside.head in read_lexicon().words["in_pairs"]:
        if pack.head == "pair" and (edits := _recount(reading, at, "two")) is not None:
            yield Draft("count", COUNT, pack.start, tuple(edits), "a pair becomes two pairs")
        return
    start = reading.tokens[pack.start].start
    stop = reading.tokens[inside.start].start
    if not _singular_verb(reading, inside.stop):
        phrase = f"a {pack.head} of"
        yield Draft("count", COUNT, pack.start, (Edit(start, stop - 1, "three"),), f"{phrase} becomes three")


def _singular_verb(reading: ParsedCaption, at: int) -> bool:
    """Whether "a pair of dogs" goes on with a verb of one ("is")."""
    pairs = read_lexicon().agreements
    return at < len(reading.tokens) and (word := reading.tokens[at].word) in pairs and word == pairs[word][0]


# ---- numbers


def _value(noun: NounPhrase) -> int | None:
    if not noun.heads or is_vague(noun):
        return None
    if noun.count is not None:
        return noun.count
    if noun.determiner in ("a", "an"):
        return 1
    return None


def _said(reading: ParsedCaption, noun: NounPhrase) -> str:
    if noun.count is not None:
        return reading.tokens[noun.count_at].word
    return "a"


def _written(reading: ParsedCaption, noun: NounPhrase, value: int) -> str:
    """The value in digits or in letters, as the thing's own number is written; "" past the list."""
    numbers = read_lexicon().numbers
    if reading.tokens[noun.count_at].word.isdigit():
        return str(value)
    if value <= len(numbers):
        return numbers[value - 1]
    return ""


def _recount(reading: ParsedCaption, at: int, phrase: str) -> list[Edit] | None:
    """Edits that give thing number `at` the number `said`; None where the noun, a verb or a pronoun could not be made
    to agree."""
    counted = reading.things[at]
    lexicon = read_lexicon()
    new = 1
    if phrase != "a":
        new = lexicon.value(phrase)
    old = 1
    if counted.head not in lexicon.words["packs"]:
        old = _value(counted)
    count_at = counted.count_at if counted.count is not None else counted.start
    if new is None or old is None or (counted.count is not None and counted.determiner and new == 1):
        return None
    edits = [Edit(*span_of(reading, count_at, count_at + 1), phrase)]
    if (old > 1) == (new > 1):
        return edits
    # "two giraffe" is written often enough: what does not look like a plural stays
    single = lexicon.one_of(counted.head) if lexicon.is_many(counted.head) else counted.head
    noun = lexicon.many_of(counted.head) if new > 1 else single
    if any("'" in reading.tokens[k].text or "’" in reading.tokens[k].text for k in counted.heads):
        return None  # "a woman's shoulder": the article is the woman's
    if not noun or (new > 1 and lexicon.is_many(counted.head)):
        return None
    if any(token.word in _PRONOUNS for token in reading.tokens[counted.stop :]):
        return None
    agreed = _agreed(reading, at, new > 1)
    if agreed is None:
        return None
    head = reading.tokens[counted.heads[-1]]
    return [*edits, *([] if noun == counted.head else [Edit(head.start, head.end, noun)]), *agreed]


def _agreed(reading: ParsedCaption, at: int, many: bool) -> list[Edit] | None:
    """Edits of the verb that follows or, after "there", goes before; None where it cannot be said."""
    pairs = read_lexicon().agreements
    noun = reading.things[at]
    tokens = reading.tokens
    before = ""
    if noun.start:
        before = tokens[noun.start - 1].word
    stop = unit_stop(reading, at)
    edits: list[Edit] = []
    if before in pairs:
        if noun.start < 2 or tokens[noun.start - 2].word != "there":
            if before in ("has", "have"):
                return []
            return None
        edits.append(_verb(reading, noun.start - 1, many))
    if before in ("and", "or") or (stop < len(tokens) and tokens[stop].word in ("and", "or")):
        verb = next((token.word for token in tokens[stop:] if token.word in pairs), "")
        if not verb or verb == pairs[verb][1]:  # the verb of "a dog and a cat" agrees with both
            return edits
        if before not in ("and", "or") or tokens[stop].word != verb:
            return None
    if stop < len(tokens) and tokens[stop].word in pairs and not tokens[stop - 1].closed:
        if before in ("of", "in", "on", "at", "with", "by", "near"):
            return None
        return [*edits, _verb(reading, stop, many)]
    if not follows_preposition(reading, noun.start) and later_verb(reading, stop):
        return None
    if finite_after(reading, stop) or (stop < len(tokens) and tokens[stop].word in ("that", "who", "which")):
        return None
    return edits


def _verb(reading: ParsedCaption, at: int, many: bool) -> Edit:
    token = reading.tokens[at]
    return Edit(token.start, token.end, read_lexicon().agreements[token.word][int(many)])
