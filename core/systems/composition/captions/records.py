"""A caption in tokens, and the things that it names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the caption and where it stands."""

    text: str
    start: int
    end: int
    closed: bool
    """Whether a punctuation mark follows it."""

    @property
    def word(self) -> str:
        return self.text.casefold()


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a thing. Places are token numbers, `stop` exclusive."""

    start: int
    """Of its modifier, if it has one ("dark green")."""
    at: int
    word: str
    family: str

    @property
    def stop(self) -> int:
        return self.at + 1


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A noun phrase. Places are token numbers, `stop` exclusive."""

    start: int
    stop: int
    determiner: str
    """The article or other word in front, folded; "" without one."""
    count: int | None
    """Its value, where a number word or digits stand in front."""
    count_at: int
    """Place of that number; -1 without one."""
    attributes: tuple[Attribute, ...]
    heads: tuple[int, ...]
    """Places of the nouns; the last one is the thing itself. Empty for an attribute that stands alone ("the car is
    red")."""
    head: str
    """Its last noun, folded; "" without one."""
    many: bool


@dataclass(frozen=True, slots=True)
class ParsedCaption:
    """A caption in tokens, and its things in order."""

    text: str
    tokens: tuple[Token, ...]
    things: tuple[NounPhrase, ...]

    def between(self, first: NounPhrase, second: NounPhrase) -> tuple[str, ...]:
        """The words that stand between two things."""
        return tuple(token.word for token in self.tokens[first.stop : second.start])
