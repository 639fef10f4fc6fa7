"""What captions and tags say of an item, as columns of metadata: a colour that is named, two things of the same size,
what a foil changes.

Captions are read by `core.systems.composition.captions.parse`. A column that a caption gives is worded so that "the
samples with <name>" reads as English; it holds "yes", or None where the caption does not say so. So two columns are
joined as conditions only where both say yes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.language.grammar import right_articles, takes_article, words_in
from core.records import Column
from core.systems.composition.captions.lexicon import read_lexicon
from core.systems.composition.captions.parse import phrase_at, read_caption
from core.systems.composition.captions.records import NounPhrase

YES = "yes"
COUNT = "count"
RELATION = "relation"
THING = "thing"
MAX_NAMES = 60
MAX_PAIRS = 60
"""Names of things, and attributes with a name, that get a column: the most frequent ones."""
MIN_SAMPLES = 5
"""Samples that must say something for it to have a column."""
_SPOKEN = {
    "to the left of": "left of",
    "on the left of": "left of",
    "to the right of": "right of",
    "on the right of": "right of",
}
_ARTICLE = re.compile(r"^(?:an?|the) ")


@dataclass(frozen=True, slots=True)
class Named:
    """A thing as a caption names it. attributes: (word, family), as they stand."""

    name: str
    """In the singular where that is known; "" of an attribute without a noun."""
    attributes: tuple[tuple[str, str], ...]
    count: str = ""
    """The number word in front."""

    def of(self, family: str) -> frozenset[str]:
        """Its attributes of one family."""
        return frozenset(word for word, own in self.attributes if own == family)


def caption_columns(
    captions: Sequence[str], foils: Sequence[Sequence[str]], families: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """Columns of n true captions with their foils: what is named, what two things share, what the foils change, how
    long the captions are.

    Args:
        captions: n of them.
        foils: for each the wrong captions that it stands against; may be empty.
        families: attribute -> its family, before those of the lexicon, such as {"shiny": "material"}.
    """
    known = {**read_lexicon().family, **(families or {})}
    named = [named_things(caption, known) for caption in captions]
    shared = [_shared(things) for things in named]
    properties = [
        _said(caption, things) | _foiled(caption, against, known)
        for caption, things, against in zip(captions, named, foils)
    ]
    texts = (_text("caption", captions), _text("foil", [" / ".join(f) for f in foils]))
    # of two conditions that speak of the same samples the first one is kept: "two things of the same size" rather than
    # "no things of different sizes"
    same = sorted(_indicators(shared), key=lambda column: " different " in column.name)
    return (*texts, *same, *_indicators(properties), *_counts(named, captions))


def tag_columns(tags: Sequence[Mapping[str, str]], without: Iterable[str] = ()) -> tuple[Column, ...]:
    """One category a tag, None where an item lacks it; text where nearly every item has a value of its own. Constant
    tags are left out."""
    left_out = set(without)
    names = dict.fromkeys(name for own in tags for name in own if name not in left_out)
    columns: list[Column] = []
    for name in names:
        values = [own.get(name) or None for own in tags]
        distinct = len({*values})
        if distinct > 1:
            own_value = distinct > 10 and distinct > len(tags) / 3
            columns.append(Column(name, "text" if own_value else "category", np.array(values, dtype=object)))
    return tuple(columns)


def spoken_condition(text: str, names: Iterable[str]) -> str:
    """A condition's text with "a red thing = yes" as "a red thing" and "a red thing is missing" as "no red thing", for
    the columns `names`.

    >>> spoken_condition("a red thing = yes and a cube is missing", ["a cube", "a red thing"])
    'a red thing and no cube'
    """
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(f"{name} = {YES}", name).replace(f"{name} is missing", f"no {_ARTICLE.sub('', name)}")
    return text


def named_things(caption: str, families: Mapping[str, str] | None = None) -> tuple[Named, ...]:
    """The things that a caption names, in order; an attribute said of the thing before ("the car is red") is counted to
    it.

    >>> things = named_things("two small cubes to the left of a red ball")
    >>> [(thing.name, [word for word, _ in thing.attributes]) for thing in things]
    [('cube', ['small']), ('ball', ['red'])]
    """
    reading = read_caption(caption)
    known = read_lexicon().family if families is None else families
    named: list[Named] = []
    for noun in reading.things:
        attributes = tuple((a.word, known.get(a.word, a.family)) for a in noun.attributes)
        if not noun.heads and named:
            named[-1] = Named(named[-1].name, (*named[-1].attributes, *attributes), named[-1].count)
            continue
        words = [reading.tokens[at].word for at in noun.heads]
        # a word that only the caller knows as an attribute was read as part of the noun
        unread = tuple((word, known[word]) for word in words[:-1] if word in known)
        count = ""
        if noun.count is not None:
            count = reading.tokens[noun.count_at].word
        named.append(Named(_singular(words[-2:], noun, known), (*attributes, *unread), count))
    return tuple(named)


def changed(caption: str, foil: str, families: Mapping[str, str] | None = None) -> frozenset[str]:
    """The families of the words in which two captions differ; "count", "relation", and "thing" for words of none.

    Captions of equal length are compared place by place, so that a swap changes what it moves; others as bags of words.

    >>> sorted(changed("a red cube and a blue ball", "a blue cube and a red ball"))
    ['colour']
    >>> sorted(changed("a cube on a ball", "a cube under a ball"))
    ['relation']
    """
    known = read_lexicon().family if families is None else families
    a = words_in(caption)
    b = words_in(foil)
    if len(a) == len(b):
        different = {word for x, y in zip(a, b) if x != y for word in (x, y)}
    else:
        different = {*(Counter(a) - Counter(b)), *(Counter(b) - Counter(a))}
    return frozenset(family for word in different if (family := _family(word, known)))


def _family(word: str, known: Mapping[str, str]) -> str:
    """Of a word that differs; "" for articles and other small words."""
    lexicon = read_lexicon()
    if word in known:
        return known[word]
    if word in lexicon.words["determiners"] or word in lexicon.words["stops"]:
        return ""
    if lexicon.value(word) is not None:
        return COUNT
    related = {part for phrase in (*lexicon.phrases["prepositions"], *lexicon.relations) for part in phrase}
    if word in related:
        return RELATION
    return THING


def _singular(words: Sequence[str], noun: NounPhrase, known: Mapping[str, str]) -> str:
    """The last two nouns, or one, in the singular where the lexicon is sure."""
    if not words:
        return ""
    last = ""
    if noun.many:
        last = read_lexicon().one_of(words[-1])
    return " ".join((*(word for word in words[:-1] if word not in known), last or words[-1]))


def _relations(caption: str) -> set[str]:
    """The first preposition between each thing and the next, such as "left of"."""
    reading = read_caption(caption)
    lexicon = read_lexicon()
    relations: set[str] = set()
    for first, second in zip(reading.things, reading.things[1:]):
        words = list(reading.between(first, second))
        for at in range(len(words)):
            if size := phrase_at(words, at, lexicon.phrases["prepositions"], lexicon.longest["prepositions"]):
                phrase = " ".join(words[at : at + size])
                relations.add(f'the relation "{_SPOKEN.get(phrase, phrase)}"')
                break
    return relations


def _said(caption: str, things: Sequence[Named]) -> set[str]:
    """What the caption names: "a red thing", "a cube", "a red cube", 'the relation "left of"', "a red thing named
    first", 'the word "two"'."""
    names = _relations(caption)
    for number, noun in enumerate(things):
        if noun.name:
            names.add(_a(noun.name))
        if noun.count:
            names.add(f'the word "{noun.count}"')
        for word, _ in noun.attributes:
            names.add(_a(f"{word} thing"))
            if noun.name:
                names.add(_a(f"{word} {noun.name}"))
            if number == 0 and len(things) > 1:
                names.add(f"{_a(f'{word} thing')} named first")
    return names


def _shared(things: Sequence[Named]) -> set[str]:
    """Such as "two things of the same size", "two things of different colours" or "two things with one name"."""
    shared: set[str] = set()
    for family in dict.fromkeys(family for thing in things for _, family in thing.attributes):
        words = [thing.of(family) for thing in things if thing.of(family)]
        if len(words) >= 2:
            same = len({*words}) < len(words)
            shared.add(f"two things of the same {family}" if same else f"two things of different {family}s")
    names = [thing.name for thing in things if thing.name]
    return shared | ({"two things with one name"} if len({*names}) < len(names) else set())


def _foiled(caption: str, foils: Sequence[str], families: Mapping[str, str]) -> set[str]:
    """What every foil changes, such as "a foil that changes the colour" or "a foil of the same words"."""
    if not foils:
        return set()
    by_all = frozenset.intersection(*(changed(caption, foil, families) for foil in foils))
    changes = {f"a foil that changes the {family}" for family in by_all}
    words = sorted(words_in(caption))
    others = [sorted(words_in(foil)) for foil in foils]
    if all(other == words for other in others):
        changes.add("a foil of the same words")
    if min(map(len, others)) > len(words):
        changes.add("a longer foil")
    return changes | ({"a shorter foil"} if max(map(len, others)) < len(words) else set())


_GENERAL = re.compile(r" thing$| named first$|^two things |foil|^the ")
"""What does not hold the name of a thing."""


def _indicators(properties: Sequence[set[str]]) -> tuple[Column, ...]:
    """A column for everything that is said often enough and not always, most frequent first; of names, alone or with an
    attribute, only the first."""
    counts = Counter(text for own in properties for text in own)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    frequent = [text for text, count in ordered if MIN_SAMPLES <= count < len(properties)]
    names = [text for text in frequent if not _GENERAL.search(text)]
    bare = [text for text in names if " " not in _ARTICLE.sub("", text)]
    longer = [text for text in names if " " in _ARTICLE.sub("", text)]
    chosen = {*(text for text in frequent if _GENERAL.search(text)), *bare[:MAX_NAMES], *longer[:MAX_PAIRS]}
    return tuple(
        Column(text, "category", np.array([YES if text in own else None for own in properties], object))
        for text in frequent
        if text in chosen
    )


def _counts(named: Sequence[Sequence[Named]], captions: Sequence[str]) -> tuple[Column, ...]:
    """How many words, things and attributes a caption has; what is the same for all is left out."""
    counted = {
        "words in the caption": [len(words_in(caption)) for caption in captions],
        "things named": [len(things) for things in named],
        "attributes named": [sum(len(thing.attributes) for thing in things) for things in named],
    }
    return tuple(
        Column(name, "number", np.array(values, np.float64)) for name, values in counted.items() if len({*values}) > 1
    )


def _text(name: str, values: Sequence[str]) -> Column:
    return Column(name, "text", np.array([value or None for value in values], dtype=object))


def _a(name: str) -> str:
    if takes_article(name):
        return right_articles(f"a {name}")
    return name
