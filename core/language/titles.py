"""The title of a cluster as one says it: "Dogs in the snow", "Dark images of dogs", "Small objects", "Business,
mistaken for Sci/Tech"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.language.grammar import is_plural, plural, right_articles, spoken
from core.records import EVERYTHING

if TYPE_CHECKING:
    from core.language.describers import Describer

_BEFORE = frozenset({"object colour", "shape and size", "material", "pattern", "condition"})
"""Families whose phrases stand before the noun."""
_OF_PICTURES = frozenset({"quality", "style"})
"""Families that say what sort of image it is."""
_APART = frozenset({"count", "own"})
"""Families whose phrases stand by themselves."""
_KIND_OF = frozenset("size colour color shape type kind sort".split())
"""Last words of a column's name whose values stand before what is before them: "object_size" = "small"."""
MOST_LETTERS = 60
"""Of a class, a column or a value in a title; of two columns together twice as many."""
NO_CAUSE = "no common cause found"
_PEOPLE = frozenset(
    "adults babies boys children faces girls humans kids ladies men pedestrians people persons players toddlers women "
    "workers".split()
)
"""Of whom a color says what they wear or hold: "children with something black"."""
_PICTURES = {"image": "images", "clip": "videos", "text": "texts", "scan": "scans"}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a title speaks of."""

    scope: str
    """The class, or "all samples"."""
    modality: str
    """Of the samples; "" where there is nothing but rows."""

    @property
    def pictures(self) -> str:
        """What samples are called, such as "pictures"."""
        return _PICTURES.get(self.modality, "rows")

    @property
    def who(self) -> str:
        """The class, of images in the plural: "dogs"; "" of all samples."""
        return "" if self.scope == EVERYTHING else self.called(self.scope)

    def called(self, name: str) -> str:
        """Samples of a class as a title speaks of them."""
        told = spoken(name) if self.modality == "image" else " ".join(name.replace("_", " ").split())
        name = short(told or name)
        if not re.search(r"[^\W\d_]{2}", name):
            return f"class {name}".strip()
        return plural(name) if self.modality == "image" else name

    def with_describer(self, one: Describer) -> str:
        """The title of samples that a describer fits."""
        return capital(self.within(one))

    def within(self, one: Describer) -> str:
        """The same inside a sentence: only names have capitals."""
        if one.kind == "condition":
            return " ".join(self._where(one).split())
        if one.kind == "property" or one.family in _OF_PICTURES:
            return self._sort(right_articles(one.text))
        if one.family == "object colour" and _PEOPLE & {*self.who.casefold().split()[-1:]}:
            return f"{self.who} with something {one.text}"
        if one.family in _BEFORE:
            return f"{one.text} {self.who or 'things'}"
        apart = " " if self.modality == "image" and one.family not in _APART else ", "
        return f"{self.who}{apart}{one.text}" if self.who else self._alone(one.text)

    def mistaken_for(self, other: str) -> str:
        """The title of samples that are taken for another class."""
        apart = " " if self.modality == "image" else ", "
        return capital(f"{self.who or self.pictures}{apart}mistaken for {self.called(other)}")

    def mixed(self, other: str) -> str:
        """The title of samples that nothing tells from the rest but the class that they are taken for, and their
        loss."""
        who = self.who or self.pictures
        if not other:
            head = f"{who}, {self.pictures}" if self.who and self.modality != "image" else who
            return capital(f"{head} with the highest loss, {NO_CAUSE}")
        first = f"mixed {who}" if self.modality == "image" or not self.who else f"{who}, mixed"
        return capital(f"{first}: most often mistaken for {self.called(other)}")

    def _alone(self, said: str) -> str:
        """Of all samples what a phrase says: "in the snow", "texts about sport", "angry texts"."""
        if self.modality != "text":
            return said
        before = re.fullmatch(r"[\w-]+( (or|and) [\w-]+)?", said)
        return f"{said} {self.pictures}" if before else f"{self.pictures} {said}"

    def _sort(self, said: str) -> str:
        after = said.startswith(("with ", "on ", "in "))
        sort = f"{self.pictures} {said}" if after else f"{said} {self.pictures}"
        if not self.who:
            return sort
        if self.modality == "image":
            return f"{self.pictures} of {self.who} {said}" if after else f"{sort} of {self.who}"
        return f"{self.who}, {sort}"

    def _where(self, one: Describer) -> str:
        head = self.who or self.pictures
        if len(one.tests) > 1:
            said = re.sub(r" (at most|at least) ", r" is \1 ", one.text.replace("_", " ").replace(" = ", " is "))
            return f"{head} where {short(said, 2 * MOST_LETTERS)}"
        if len(one.tests) != 1 or one.tests[0][1] != "=":
            said = short(one.text.replace("_", " "))
            head = f"{self.who}, {self.pictures}" if self.who and self.modality != "image" else head
            return f"{head} with {'a ' if said.startswith(('low ', 'high ')) else ''}{said}"
        column, _, of_column = one.tests[0]
        name = short(column.replace("_", " "))
        value = _value(of_column)
        *before, last = name.split() or [""]
        if before and last.casefold() in _KIND_OF and value.isalpha() and not is_plural(value):
            thing = " ".join(before)
            return f"{value} {self.who if thing == 'object' and self.who else plural(thing)}"
        if value.casefold() in ("true", "false", "yes", "no"):
            marked = "marked" if value.casefold() in ("true", "yes") else "not marked"
            return f"{head} {marked} {re.sub('^is (?=[^ ])', '', name)}"
        return f"{head} where {name} is {value}"


def _value(value: str | float | None) -> str:
    """A value as it is, numbers to twelve figures: an id that is rounded is another."""
    return f"{value:.12g}" if isinstance(value, float) else short(str(value)) or "empty"


def short(said: str, most: int = MOST_LETTERS) -> str:
    """In one line, and cut where it is longer."""
    said = " ".join(said.split())
    return said if len(said) <= most else f"{said[: most - 1].rstrip()}…"


def capital(said: str) -> str:
    """With a capital in front, but of names that have theirs behind, such as "iPhones"."""
    said = " ".join(said.split())
    return said if said[1:2].isupper() else said[:1].upper() + said[1:]
