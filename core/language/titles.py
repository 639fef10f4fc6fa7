"""The title of a cluster as one says it: "Dogs in the snow", "Dark pictures of dogs", "Small objects", "Business,
mistaken for Sci/Tech"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.language.describers import Describer
from core.language.grammar import plural, right_articles, spoken
from core.records import EVERYTHING

_BEFORE = frozenset({"object colour", "shape and size", "material", "pattern", "condition"})
"""Families whose phrases stand before the noun."""
_OF_PICTURES = frozenset({"quality", "style"})
"""Families that say what sort of picture it is."""
_APART = frozenset({"count", "own"})
"""Families whose phrases stand by themselves."""
_KIND_OF = frozenset("size colour color shape type kind sort".split())
"""Last words of a column's name whose values stand before what is before them: "object_size" = "small"."""
NO_CAUSE = "no common cause found"
_PEOPLE = frozenset(
    "adults babies boys children faces girls humans kids ladies men pedestrians people persons players toddlers women "
    "workers".split()
)
"""Of whom a colour says what they wear or hold: "children with something black"."""
_PICTURES = {"image": "pictures", "clip": "videos", "text": "texts", "scan": "scans"}


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
        """The class, of pictures in the plural: "dogs"; "" of all samples."""
        return "" if self.scope == EVERYTHING else self.called(self.scope)

    def called(self, name: str) -> str:
        """Samples of a class as a title speaks of them."""
        name = spoken(name)
        if self.modality != "image":
            return name
        return plural(name) if re.search(r"[^\W\d_]{2}", name) else f"class {name}"

    def with_describer(self, one: Describer) -> str:
        """The title of samples that a describer fits."""
        if one.kind == "condition":
            return _capital(self._where(one))
        if one.kind == "property" or one.family in _OF_PICTURES:
            return _capital(self._sort(one.text))
        if one.family == "object colour" and _PEOPLE & {*self.who.casefold().split()[-1:]}:
            return _capital(f"{self.who} with something {one.text}")
        if one.family in _BEFORE:
            return _capital(f"{one.text} {self.who or 'things'}")
        apart = " " if self.modality == "image" and one.family not in _APART else ", "
        return _capital(f"{self.who}{apart}{one.text}" if self.who else self._alone(one.text))

    def mistaken_for(self, other: str) -> str:
        """The title of samples that are taken for another class."""
        apart = " " if self.modality == "image" else ", "
        return _capital(f"{self.who or self.pictures}{apart}mistaken for {self.called(other)}")

    def mixed(self, other: str) -> str:
        """The title of samples that nothing tells from the rest but the class that they are taken for, and their
        loss."""
        who = self.who or self.pictures
        if not other:
            head = f"{who}, {self.pictures}" if self.who and self.modality != "image" else who
            return _capital(f"{head} with the highest loss, {NO_CAUSE}")
        first = f"mixed {who}" if self.modality == "image" or not self.who else f"{who}, mixed"
        return _capital(f"{first}: most often mistaken for {self.called(other)}")

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
            return f"{head} where {said}"
        if len(one.tests) != 1 or one.tests[0][1] != "=":
            said = one.text.replace("_", " ")
            head = f"{self.who}, {self.pictures}" if self.who and self.modality != "image" else head
            return f"{head} with {'a ' if said.startswith(('low ', 'high ')) else ''}{said}"
        column, _, value = one.tests[0]
        *before, last = column.replace("_", " ").split() or [""]
        if before and last.casefold() in _KIND_OF and isinstance(value, str) and value.isalpha():
            thing = " ".join(before)
            return f"{value} {self.who if thing == 'object' and self.who else plural(thing)}"
        name = column.replace("_", " ")
        if str(value).casefold() in ("true", "false", "yes", "no"):
            return f"{head} {'' if str(value).casefold() in ('true', 'yes') else 'not '}marked {name}"
        return f"{head} where {name} is {f'{value:g}' if isinstance(value, float) else value}"


def _capital(said: str) -> str:
    said = " ".join(right_articles(said).split())
    return said[:1].upper() + said[1:]
