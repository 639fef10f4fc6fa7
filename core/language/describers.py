"""What may describe a cluster: phrases, measured properties, columns. Each has a name and a score for every sample, and
all are compared with a cluster by the same measure (`core.language.title_model`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from core.data.images.tint import HUES
from core.language.grammar import words_in
from core.language.readings import READINGS, Reading
from core.language.vocabulary import read_vocabulary
from core.records import F32, F64, I64, Bool, Column, Insight, Words

USUAL_AUROC = 0.65
"""AUROC assumed for a phrase whose competence was not measured."""
MIN_NUMBERS = 5
MAX_VALUES = 40
"""Different numbers from which a column has a low and a high end, and values of a column that are used."""


@dataclass(frozen=True, slots=True, eq=False)
class Describer:
    """Something that samples may have in common."""

    text: str
    """For example "in the snow", "dark" or "weather = snow"."""
    kind: Literal["phrase", "property", "condition"]
    scores: F64
    """(m,) of the rows in question: higher is more of it."""
    direction: F32 | None = None
    """(d,) of a phrase, in the space shared with texts."""
    known: float = 1.0
    """For a phrase, the AUROC with which the encoder separates samples that show it."""
    spoken: float = np.nan
    """For a phrase, captioned samples in 1,000 that mention it; nan if unknown."""
    family: str = ""
    """For a phrase, its attribute family."""
    tests: tuple[tuple[str, str, str | float | None], ...] = ()
    """For a property or a condition, what it requires of which column, as in `Insight.tests`."""

    def keep(self, rows: Bool) -> Describer:
        """The same over some of the rows."""
        return replace(self, scores=self.scores[rows])


def describers_of(
    columns: Sequence[Column], conditions: Sequence[Insight], words: Words | None, rows: I64
) -> list[Describer]:
    """All that may describe some of the `rows`, without phrases that name a measured property.

    Args:
        columns: of all samples.
        conditions: findings; those that a single column describes are left to that column.
    """
    properties = properties_of(columns, rows)
    describers = [*properties]
    for column in columns:
        if not column.measured:
            describers += _of_column(column, rows)
    measured = {column.name for column in columns if column.measured}
    for i in conditions:
        if _adds_to_columns(i, measured):
            describers.append(Describer(i.text, "condition", i.mask[rows].astype(np.float64), tests=i.tests))
    if words is None:
        return describers
    competence = words.competence
    phrases = [i for i in unspoken(words.phrases, properties) if _may_describe(words, i)]
    scores = (words.joint.vectors[rows] @ words.directions[phrases].T).astype(np.float64)
    for column, phrase in enumerate(phrases):
        known = USUAL_AUROC
        spoken = np.nan
        if competence is not None:
            spoken = float(competence.said[phrase])
            if competence.is_known(phrase):
                known = float(competence.auroc[phrase])
        text = words.phrases[phrase]
        direction = words.directions[phrase]
        family = words.families[phrase]
        describers.append(Describer(text, "phrase", scores[:, column], direction, known, spoken, family))
    return describers


def unspoken(phrases: Sequence[str], properties: Sequence[Describer]) -> list[int]:
    """Positions of the phrases that do not name a measured property."""
    names = set[tuple[str, ...]]()
    for described in properties:
        names.update(words_in(name) for name in names_of(described))
    return [i for i, text in enumerate(phrases) if words_in(text) not in names]


def _adds_to_columns(condition: Insight, measured: set[str]) -> bool:
    """Whether a condition describes more than a single column does: two of the user's columns together, or a count in
    words; single columns and measured properties describe by themselves."""
    if len(condition.tests) > 1:
        return measured.isdisjoint(condition.columns)
    return not re.search(r" (=|at most|at least|(on|at) or (before|after)|is missing)", condition.text)


def _may_describe(words: Words, phrase: int) -> bool:
    """Whether some sample is like a phrase, and its competence was measured: a shipped phrase without a measure is one
    that captions never mention; a user's phrase is used as it is."""
    known = words.competence is None or words.competence.is_known(phrase)
    return words.is_shown(phrase) and (known or words.phrases[phrase] not in _shipped())


@cache
def _shipped() -> frozenset[str]:
    phrases = set[str]()
    for modality in ("image", "text"):
        phrases.update(phrase.text for phrase in read_vocabulary(None, modality).phrases)
    return frozenset(phrases)


def names_of(property_: Describer) -> tuple[str, ...]:
    """Every name of one end of a measured property, including phrases of the vocabulary."""
    ((column, sign, value),) = property_.tests
    return tuple(name.format(value) for name in READINGS[column].all_of(sign))


def properties_of(columns: Sequence[Column], rows: I64) -> list[Describer]:
    """The ends of measured properties that people can see."""
    by_name = {column.name: column for column in columns if column.measured}
    describers: list[Describer] = []
    for name, reading in READINGS.items():
        if name not in by_name:
            continue
        values = by_name[name].values[rows]
        if by_name[name].kind == "category":
            categories = HUES if name == "tint" else (name,)
            for category in categories:
                has = np.array([value == category for value in values], np.float64)
                tests = ((name, "=", category),)
                describers.append(Describer(reading.high.format(category), "property", has, tests=tests))
            continue
        numbers = _numbers(name, values.astype(np.float64), by_name, rows)
        for sign, title in (("<=", reading.low), (">=", reading.high)):
            if title:
                tests = ((name, sign, None),)
                describers.append(Describer(title, "property", _end(numbers, sign, reading), tests=tests))
    return describers


def _numbers(name: str, values: F64, by_name: dict[str, Column], rows: I64) -> F64:
    """The values; contrast as a share of the largest possible at an image's brightness, since dark images have little
    and are called dark."""
    if name == "contrast" and "brightness" in by_name:
        level = by_name["brightness"].values[rows].astype(np.float64)
        return values / np.sqrt(np.maximum(level * (1 - level), 1e-4))
    return values


def _end(numbers: F64, sign: str, reading: Reading) -> F64:
    """Scores that are higher for more of that end; values that nobody sees, and missing ones, get the lowest."""
    known = np.isfinite(numbers)
    signed = -numbers
    if sign == ">=":
        signed = np.maximum(numbers, reading.least)
    lowest = 0.0
    if known.any():
        lowest = signed[known].min()
    return np.where(known, signed, lowest)


def _of_column(column: Column, rows: I64) -> Iterator[Describer]:
    """The most frequent values of a user's column; for a column of many numbers, its two ends."""
    from scipy.stats import rankdata  # not needed to start the page

    values = column.values[rows]
    if column.kind == "text":
        return
    if column.kind == "number":
        numbers = values.astype(np.float64)
        known = np.isfinite(numbers)
        if len(np.unique(numbers[known])) >= MIN_NUMBERS:
            ends = ("low", "high")
            if column.form in ("year", "date", "time"):
                ends = ("early", "late")
            for sign, end in zip(("<=", ">="), ends):
                scores = rankdata(_end(numbers, sign, Reading())) / len(numbers)  # whatever the unit
                yield Describer(f"{end} {column.name}", "condition", scores, tests=((column.name, sign, None),))
            return
    counts = Counter(value for value in values.tolist() if value is not None and value == value)
    for category, _ in counts.most_common(MAX_VALUES):
        has = np.array([value == category for value in values.tolist()], np.float64)
        yield Describer(f"{column.name} = {category}", "condition", has, tests=((column.name, "=", category),))
