"""The words by which captions are read without a tagger: attributes in families, what takes their place, relations,
small words.

The lists are data, in `assets/composition/lexicon.json`. They are short on purpose: a word that is not listed is taken
for a noun where nouns stand, and what cannot be read is left alone, so a gap in the lists costs a foil and does not
make a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.documents import read_json
from core.files import ASSETS
from core.language import grammar as nouns

FILE = ASSETS / "composition" / "lexicon.json"


@dataclass(frozen=True, slots=True)
class Relation:
    """A phrase of place or time and the one that says the opposite."""

    phrase: tuple[str, ...]
    opposite: str
    family: str
    needs: str
    """"" needs nothing; "next": any word after it; "thing": a thing with an article after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The lists of the file, folded to lower case; phrases as tuples of words."""

    family: Mapping[str, str]
    """Attribute -> its family, such as "red" -> "colour"."""
    replacements: Mapping[str, tuple[str, ...]]
    special: Mapping[tuple[str, str], tuple[str, ...]]
    """(attribute, kind of head) -> what takes its place beside such a head, such as ("short", "length") ->
    ("long",)."""
    heads: Mapping[str, frozenset[str]]
    """Kind of head ("person", "length", "part") -> its nouns, singular keys."""
    words: Mapping[str, frozenset[str]]
    """Small words by part: "determiners", "stops", "verbs", ..."""
    numbers: tuple[str, ...]
    """"one", "two", ...: the place is the value minus 1."""
    phrases: Mapping[str, frozenset[tuple[str, ...]]]
    """"prepositions", "symmetric" and "compounds", each phrase as its words."""
    longest: Mapping[str, int]
    """Words of the longest phrase of each of these."""
    relations: Mapping[tuple[str, ...], Relation]
    singulars: Mapping[str, str]
    plurals: Mapping[str, str]
    agreements: Mapping[str, tuple[str, str]]
    """A verb -> (of one, of many), such as "is" -> ("is", "are")."""

    def instead(self, attribute: str, head: str) -> tuple[str, ...]:
        """What may take the attribute's place beside that head, best first; () if nothing is known."""
        key = nouns.singular(head)
        for (word, kind), becomes in self.special.items():
            if word == attribute and key in self.heads[kind]:
                return becomes
        return self.replacements.get(attribute, ())

    def value(self, word: str) -> int | None:
        """The number that a word says: "three" and "3" are 3; None of others and of digits above 20, which are years
        and names more often."""
        if word in self.numbers:
            return self.numbers.index(word) + 1
        if word.isascii() and word.isdigit() and 1 <= int(word) <= 20:
            return int(word)
        return None

    def one_of(self, word: str) -> str:
        """The singular of a plural; "" where the rules are not sure.

        >>> lexicon = read_lexicon()
        >>> [lexicon.one_of(word) for word in ("boxes", "vases", "people", "puppies", "sheep", "dog")]
        ['box', 'vase', 'person', 'puppy', 'sheep', '']
        """
        if word in self.singulars:
            return self.singulars[word]
        key = nouns.singular(word)
        if word == key:
            if nouns.plural(word) == word and not word.endswith("s"):
                return word
            return ""
        # "vas" and "vase" have one plural; before "es" a bare s, z or v is most often the end of "-se", "-ze" or "-ve"
        with_e = re.search(r"(?:[^s]s|z|v)es$", word) is not None
        for candidate in (key + "e", key) if with_e else (key, key + "e"):
            if nouns.plural(candidate) == word:
                return candidate
        return ""

    def many_of(self, word: str) -> str:
        """The plural of a singular; "" for what is not counted ("grass")."""
        if word in self.plurals:
            return self.plurals[word]
        many = nouns.plural(word)
        if " " in many:
            return ""
        return many

    def is_many(self, word: str) -> bool:
        """Whether a noun is a plural."""
        return word in self.singulars or nouns.is_plural(word)


def _folded(values: Any) -> frozenset[str]:
    return frozenset(str(value).casefold() for value in values)


def _relations(listed: list[dict[str, Any]]) -> dict[tuple[str, ...], Relation]:
    relations: dict[tuple[str, ...], Relation] = {}
    for entry in listed:
        for first, second in entry["phrases"]:
            both = ((first, second),) if entry.get("one_way") else ((first, second), (second, first))
            for phrase, opposite in both:
                words = tuple(phrase.split())
                relations.setdefault(words, Relation(words, opposite, entry["family"], entry.get("needs", "")))
    return relations


@lru_cache(maxsize=1)
def read_lexicon() -> Lexicon:
    """The shipped lexicon, read once."""
    raw: dict[str, Any] = read_json(FILE)
    names = ("prepositions", "symmetric", "compounds")
    phrases = {name: frozenset(tuple(phrase.split()) for phrase in raw[name]) for name in names}
    parts = (
        "colour_modifiers intensifiers determiners possessives many packs in_pairs stops finite vague pictures "
        "ing_nouns ed_nouns verbs nouns_like_verbs irregular_verbs also_nouns"
    )
    agreements = {form: (one, many) for one, many in raw["agreements"] for form in (one, many)}
    return Lexicon(
        family={word: family for family, words in raw["families"].items() for word in words},
        replacements={word: tuple(becomes) for word, becomes in raw["replacements"].items()},
        special={(entry["word"], entry["beside"]): tuple(entry["becomes"]) for entry in raw["special"]},
        heads={kind: frozenset(map(nouns.singular, words)) for kind, words in raw["heads"].items()},
        words={part: _folded(raw[part]) for part in parts.split()},
        numbers=tuple(raw["numbers"]),
        phrases=phrases,
        longest={name: max(map(len, found)) for name, found in phrases.items()},
        relations=_relations(raw["relations"]),
        singulars=dict(raw["singulars"]),
        plurals=dict(raw["plurals"]),
        agreements=agreements,
    )
