"""The things that a caption names, with their attributes and counts: read by position and word lists, without a tagger.

A thing begins with an article, a number, an attribute, or a bare word where a noun may stand (first of all, or after a
preposition, a verb or "and"); it ends before a preposition, a verb, a conjunction or a punctuation mark. The last word
before another article is the verb ("a woman prepares | a pizza"). What does not fit is left out, so that captions are
misread by omission rather than by invention.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

from core.language import grammar as nouns
from core.systems.composition.captions.lexicon import Lexicon, read_lexicon
from core.systems.composition.captions.records import Attribute, NounPhrase, ParsedCaption, Token

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_SAYS = frozenset("is are was were painted looks look colored coloured being".split())
"""Verbs by which an attribute is said of the thing before them."""


@lru_cache(maxsize=256)
def read_caption(text: str) -> ParsedCaption:
    """The things of a caption, in order.

    >>> reading = read_caption("A small red cube and two blue balls on a table.")
    >>> [(thing.head, [a.word for a in thing.attributes], thing.count) for thing in reading.things]
    [('cube', ['small', 'red'], None), ('balls', ['blue'], 2), ('table', [], None)]
    """
    matches = list(_WORD.finditer(text))
    ends = [match.end() for match in matches]
    starts = [match.start() for match in matches[1:]] + [len(text)]
    tokens = tuple(
        Token(m[0], m.start(), m.end(), bool(text[end:start].strip())) for m, end, start in zip(matches, ends, starts)
    )
    return ParsedCaption(text, tokens, _Parser(tokens, read_lexicon()).things())


def phrase_at(words: list[str], at: int, phrases: Container[tuple[str, ...]], longest: int) -> int:
    """Length of the longest phrase that begins at this word; 0 for none."""
    return next(
        (size for size in range(min(longest, len(words) - at), 0, -1) if tuple(words[at : at + size]) in phrases), 0
    )


class _Parser:
    def __init__(self, tokens: tuple[Token, ...], lexicon: Lexicon) -> None:
        self.tokens = tokens
        self.lexicon = lexicon
        self.words = [token.word for token in tokens]
        self.fixed = self._compounds()

    def _compounds(self) -> list[bool]:
        """Words that belong to a fixed name ("orange juice") and so are not attributes."""
        fixed = [False] * len(self.words)
        for at in range(len(self.words)):
            for k in range(
                phrase_at(self.words, at, self.lexicon.phrases["compounds"], self.lexicon.longest["compounds"])
            ):
                fixed[at + k] = True
        return fixed

    def things(self) -> tuple[NounPhrase, ...]:
        nouns_read: list[NounPhrase] = []
        # bare: a noun may stand here without an article
        at = 0
        bare = True
        while at < len(self.words):
            size = self._preposition(at)
            if size:
                at = at + size
                bare = True
                continue
            noun = self._thing(at, bare, nouns_read[-1] if nouns_read else None)
            if noun is None:
                # after a finite verb or a conjunction a bare noun may stand, after "he" or "away" none
                bare = (
                    self.words[at] in ("and", "or", "but", "while", "as", "where")
                    or self._is_verb_form(self.words[at])
                    or self.tokens[at].closed
                )
                at += 1
                continue
            nouns_read.append(noun)
            at = noun.stop
            bare = self.tokens[noun.stop - 1].closed
        return tuple(nouns_read)

    # ---- what a word may be

    def _preposition(self, at: int) -> int:
        return phrase_at(self.words, at, self.lexicon.phrases["prepositions"], self.lexicon.longest["prepositions"])

    def _is(self, at: int, part: str) -> bool:
        return self.words[at] in self.lexicon.words[part]

    def _attribute(self, at: int) -> str:
        """The family of an attribute; "" for other words and within fixed names."""
        if self.fixed[at]:
            return ""
        return self.lexicon.family.get(self.words[at], "")

    def _is_verb_form(self, word: str) -> bool:
        """-ing, -ed and the listed past forms, save the nouns that look like them."""
        parts = self.lexicon.words
        if word in parts["irregular_verbs"]:
            return True
        if word.endswith("ing"):
            return word not in parts["ing_nouns"] and len(word) > 4
        return word.endswith("ed") and word not in parts["ed_nouns"] and len(word) > 4

    def _stops(self, at: int) -> bool:
        return self._is(at, "stops") or self._preposition(at) > 0 or self._is_marked(at)

    def _is_marked(self, at: int) -> bool:
        """Whether the word is an article, a number or the like, which a thing may begin with."""
        return self._is(at, "determiners") or self.lexicon.value(self.words[at]) is not None

    def _stem(self, word: str) -> str:
        """The listed verb of which the word is the form of one ("holds"); "" for others."""
        stems = [word.removesuffix(end) for end in ("es", "s") if word.endswith(end)]
        return next((stem for stem in stems if stem in self.lexicon.words["verbs"]), "")

    def _ends_noun(self, at: int, heads: list[int], first: str) -> bool:
        """Whether the word is a verb after the nouns that were read."""
        word = self.words[at]
        parts = self.lexicon.words
        if self._is_verb_form(word):
            return True
        many = self.lexicon.is_many(self.words[heads[-1]])
        if word in parts["verbs"]:
            return many or word not in parts["nouns_like_verbs"]
        stem = self._stem(word)
        # no plural follows "a", so that "a man watches" has a verb
        return (
            bool(stem)
            and not many
            and (stem not in parts["nouns_like_verbs"] or first in ("a", "an") or self._opens(at + 1))
        )

    def _opens(self, at: int) -> bool:
        """Whether a thing with an article, a number, an attribute or a preposition in front begins here."""
        return at < len(self.words) and (self._preposition(at) > 0 or self._is_marked(at) or bool(self._attribute(at)))

    # ---- a thing

    def _thing(self, start: int, bare: bool, before: NounPhrase | None) -> NounPhrase | None:
        if start and self.words[start] == "that" and self._is_verb(start + 1):
            return None  # "a bathroom that features"
        determiner, count_at, at = self._opening(start)
        marked = at > start
        attributes, at = self._attributes(at)
        if not (marked or attributes) and (not bare or (start and self._is_clause(at))):
            return None
        heads, at = self._heads(at, start, bool(marked or attributes))
        if not heads and not attributes:
            return None
        if heads and at < len(self.words) and len(heads) > 1 and self._verb_is_last(at, heads):
            heads, at = heads[:-1], heads[-1]
        if not heads:
            return self._alone(start, at, determiner, attributes, before)
        count = None
        if count_at >= 0:
            count = self.lexicon.value(self.words[count_at])
        head = self.words[heads[-1]]
        many = (count or 0) > 1 or determiner in self.lexicon.words["many"] or self.lexicon.is_many(head)
        return NounPhrase(start, at, determiner, count, count_at, tuple(attributes), tuple(heads), head, many)

    def _is_verb(self, at: int) -> bool:
        """Whether a listed verb, or its form of one, stands here."""
        return at < len(self.words) and (bool(self._stem(self.words[at])) or self._is(at, "verbs"))

    def _is_clause(self, at: int) -> bool:
        """Whether a bare word is the verb of what came before: "ready to | eat a pizza", "and | looks at"."""
        if at >= len(self.words):
            return False
        return (self.words[at - 1] == "to" and self._is(at, "verbs")) or (
            bool(self._stem(self.words[at])) and self._opens(at + 1)
        )

    def _opening(self, start: int) -> tuple[str, int, int]:
        """The first determiner of a thing or "", the place of its number or -1, and where its attributes may begin."""
        at = start
        determiner = ""
        while at < len(self.words) and self._is(at, "determiners") and not self._closed(at, start):
            determiner = determiner or self.words[at]
            at = at + 1
        if at < len(self.words) and not self._closed(at, start) and self.lexicon.value(self.words[at]) is not None:
            return determiner, at, at + 1
        return determiner, -1, at

    def _closed(self, at: int, start: int) -> bool:
        """Whether a punctuation mark stands between the thing's start and this word."""
        return any(token.closed for token in self.tokens[start:at])

    def _attributes(self, at: int) -> tuple[list[Attribute], int]:
        """Attributes in a row, with "and", commas, modifiers and other words that may stand among them."""
        attributes: list[Attribute] = []
        while at < len(self.words):
            modified = (
                self._is(at, "colour_modifiers") and at + 1 < len(self.words) and self._attribute(at + 1) == "colour"
            )
            word_at = at + int(modified)
            if family := self._attribute(word_at):
                attributes.append(Attribute(at, word_at, self.words[word_at], family))
                at = word_at + 1
            elif self._joins(attributes, at) or (self._is(at, "intensifiers") and not self.fixed[at]):
                at += 1
            else:
                break
        return attributes, at

    def _joins(self, attributes: list[Attribute], at: int) -> bool:
        """Whether "and" goes on with the same thing: "red and white plane", and not "in red and small dogs"."""
        if not attributes or self.words[at] not in ("and", "or") or at + 1 == len(self.words):
            return False
        modified = self._is(at + 1, "colour_modifiers") and at + 2 < len(self.words)
        return self._attribute(at + 2 if modified else at + 1) == attributes[-1].family

    def _heads(self, at: int, start: int, marked: bool) -> tuple[list[int], int]:
        """Nouns, with participles and unlisted adjectives in front, which are counted to the nouns save for the
        participles."""
        heads: list[int] = []
        while at < len(self.words) and not self._stops(at):
            if at > start and self.tokens[at - 1].closed and (heads or not self._attribute(at - 1)):
                break
            word = self.words[at]
            if heads and word.endswith("ed") and self._is_verb_form(word) and self._noun_follows(at):
                at += 1  # "a wall mounted sink"
                continue
            if heads and self._ends_noun(at, heads, self.words[start]):
                break
            if heads and self._attribute(at) and self._attribute(at) != "material":
                if at + 1 < len(self.words) and not self._stops(at + 1) and not self.tokens[at].closed:
                    break
                if self._attribute(at) != "colour":
                    break
            if not heads and self._is_verb_form(word):
                if not marked or at + 1 >= len(self.words) or self._stops(at + 1) or self.tokens[at].closed:
                    break
            elif word.endswith("ly") and len(word) > 5 and word not in ("family", "jelly", "assembly", "butterfly"):
                if heads:
                    break
            else:
                heads.append(at)
            at += 1
        return heads, at

    def _noun_follows(self, at: int) -> bool:
        if at + 1 >= len(self.words) or self.tokens[at].closed or self._stops(at + 1) or self._attribute(at + 1):
            return False
        return not self._is_verb_form(self.words[at + 1]) and not self.words[at + 1].endswith("ly")

    def _verb_is_last(self, at: int, heads: list[int]) -> bool:
        """Whether the last noun read is rather the verb: another thing begins right after it."""
        if self.tokens[at - 1].closed or heads[-1] != at - 1 or self._preposition(at) or self.words[at] == "that":
            return False
        return self._is_marked(at) or bool(self._attribute(at))

    def _alone(
        self, start: int, at: int, determiner: str, attributes: list[Attribute], before: NounPhrase | None
    ) -> NounPhrase | None:
        """An attribute without noun: a noun after all ("an orange", "glass"), or said of the thing before ("the car is
        red")."""
        last = attributes[-1]
        verb = ""
        if start:
            verb = self.words[start - 1]
        predicated = before is not None and verb in _SAYS
        if predicated and not (at < len(self.words) and self.words[at] == "of"):
            return NounPhrase(start, last.stop, determiner, None, -1, tuple(attributes), (), "", False)
        if last.word in self.lexicon.words["also_nouns"]:
            return NounPhrase(
                start, last.stop, determiner, None, -1, tuple(attributes[:-1]), (last.at,), last.word, False
            )
        if last.family == "colour" and verb == "in" and not determiner:
            return NounPhrase(start, last.stop, "", None, -1, tuple(attributes), (), "", False)
        return None


def described_things(text: str) -> tuple[tuple[str, str, str], ...]:
    """(attribute, its family, singular noun phrase) of everything a caption describes, in order.

    >>> described_things("two small red cubes and a blue ball")
    (('small', 'size', 'cube'), ('red', 'colour', 'cube'), ('blue', 'colour', 'ball'))
    """
    reading = read_caption(text)
    lexicon = read_lexicon()
    described: list[tuple[str, str, str]] = []
    for noun in reading.things:
        if noun.heads:
            words = [reading.tokens[at].word for at in noun.heads]
            words[-1] = lexicon.one_of(words[-1]) or words[-1] if nouns.is_plural(words[-1]) else words[-1]
            described += [(a.word, a.family, " ".join(words)) for a in noun.attributes]
    return tuple(described)
