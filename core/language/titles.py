"""The title of a cluster in words: "Dogs in the snow", "Dark images of dogs", "Small objects", "Business, mistaken for
Sci/Tech"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.language.grammar import is_plural, plural, right_articles, spoken
from core.records import EVERYTHING

if TYPE_CHECKING:
    from core.language.describers import Describer

_BEFORE = frozenset({"object colour", "shape and size", "material", "pattern", "condition"})
"""Families whose phrases go before the noun."""
_OF_IMAGES = frozenset({"quality", "style"})
"""Families that describe the kind of image."""
_APART = frozenset({"count", "own"})
"""Families whose phrases stand alone."""
_KIND_OF = frozenset("size colour color shape type kind sort".split())
"""Last words of a column's name whose values go before the words before them: "object_size" = "small"."""
MAX_LETTERS = 60
"""Of a class, a column or a value in a title; of two columns together twice as many."""
NO_CAUSE = "no common cause found"
_PEOPLE = frozenset(
    "adults babies boys children faces girls humans kids ladies men pedestrians people persons players toddlers women "
    "workers".split()
)
"""For people a color describes what they wear or hold: "children with something black"."""
_SAMPLES = {"image": "images", "clip": "videos", "text": "texts", "scan": "scans"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a title is about."""

    scope: str
    """The class, or "all samples"."""
    modality: str
    """Of the samples; "" if there are only rows."""

    @property
    def samples(self) -> str:
        """The word for samples: "images"."""
        return _SAMPLES.get(self.modality, "rows")

    @property
    def who(self) -> str:
        """The class, for images in the plural: "dogs"; "" for all samples."""
        if self.scope == EVERYTHING:
            return ""
        return self.called(self.scope)

    def called(self, name: str) -> str:
        """Samples of a class, as a title calls them."""
        text = " ".join(name.replace("_", " ").split())
        if self.modality == "image":
            text = spoken(name)
        name = short(text or name)
        if not re.search(r"[^\W\d_]{2}", name):
            return f"class {name}".strip()
        if self.modality == "image":
            return plural(name)
        return name

    def with_describer(self, described: Describer) -> str:
        """The title of samples that a describer fits."""
        return capital(self.within(described))

    def within(self, described: Describer) -> str:
        """The same inside a sentence: only names have capitals."""
        text = described.text
        if described.kind == "condition":
            return " ".join(self._with_condition(described).split())
        if described.kind == "property" or described.family in _OF_IMAGES:
            return self._kind_of_image(right_articles(text))
        if described.family == "object colour" and _PEOPLE & {*self.who.casefold().split()[-1:]}:
            return f"{self.who} with something {text}"
        if described.family in _BEFORE:
            return f"{text} {self.who or 'things'}"
        if not self.who:
            return self._alone(text)
        if self.modality == "image" and described.family not in _APART:
            return f"{self.who} {text}"
        return f"{self.who}, {text}"

    def mistaken_for(self, other: str) -> str:
        """The title of samples that are mistaken for another class."""
        apart = " " if self.modality == "image" else ", "
        return capital(f"{self.who or self.samples}{apart}mistaken for {self.called(other)}")

    def mixed(self, other: str) -> str:
        """The title of samples that share nothing but the class that they are mistaken for, and their loss."""
        who = self.who or self.samples
        if not other:
            return capital(f"{self._who_of_samples()} with the highest loss, {NO_CAUSE}")
        if self.modality == "image" or not self.who:
            return capital(f"mixed {who}: most often mistaken for {self.called(other)}")
        return capital(f"{who}, mixed: most often mistaken for {self.called(other)}")

    def _who_of_samples(self) -> str:
        """The class with the word for samples, if they are not images: "business, texts"."""
        if self.who and self.modality != "image":
            return f"{self.who}, {self.samples}"
        return self.who or self.samples

    def _alone(self, text: str) -> str:
        """What a phrase says of all samples: "in the snow", "texts about sport", "angry texts"."""
        if self.modality != "text":
            return text
        if re.fullmatch(r"[\w-]+( (or|and) [\w-]+)?", text):
            return f"{text} {self.samples}"
        return f"{self.samples} {text}"

    def _kind_of_image(self, text: str) -> str:
        after = text.startswith(("with ", "on ", "in "))
        kind = f"{self.samples} {text}" if after else f"{text} {self.samples}"
        if not self.who:
            return kind
        if self.modality != "image":
            return f"{self.who}, {kind}"
        if after:
            return f"{self.samples} of {self.who} {text}"
        return f"{kind} of {self.who}"

    def _with_condition(self, described: Describer) -> str:
        head = self.who or self.samples
        tests = described.tests
        text = described.text.replace("_", " ")
        if len(tests) > 1:
            text = re.sub(r" (at most|at least|(on|at) or (before|after)) ", r" is \1 ", text.replace(" = ", " is "))
            return f"{head} where {short(text, 2 * MAX_LETTERS)}"
        if len(tests) != 1 or tests[0][1] != "=":
            text = short(text)
            if text.startswith(("low ", "high ", "late ")):
                text = f"a {text}"
            elif text.startswith("early "):
                text = f"an {text}"
            return f"{self._who_of_samples()} with {text}"
        column, _, value = tests[0]
        name = short(column.replace("_", " "))
        value = _value(value)
        *before, last = name.split() or [""]
        if before and last.casefold() in _KIND_OF and value.isalpha() and not is_plural(value):
            noun = " ".join(before)
            if noun == "object" and self.who:
                return f"{value} {self.who}"
            return f"{value} {plural(noun)}"
        if value.casefold() in ("true", "false", "yes", "no"):
            marked = "marked" if value.casefold() in ("true", "yes") else "not marked"
            return f"{head} {marked} {re.sub('^is (?=[^ ])', '', name)}"
        return f"{self._who_of_samples()} with {name}: {value}"


def _value(value: str | float | None) -> str:
    """A value as it is, numbers to twelve figures: a rounded id is another id."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return short(str(value)) or "empty"


def short(text: str, most: int = MAX_LETTERS) -> str:
    """The text on one line, cut if it is longer."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rstrip()}…"


def capital(text: str) -> str:
    """The text with an initial capital, except for names with a capital inside: "iPhones"."""
    text = " ".join(text.split())
    if text[1:2].isupper():
        return text
    return text[:1].upper() + text[1:]
