"""What may describe a cluster: phrases, measured properties, columns. Each is a name with a score for every sample, and
all are held against a cluster by the same measure (`core.language.title_model`)."""

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

USUAL = 0.65
"""AUROC that is taken of a phrase whose competence was not measured."""


FEW = 5
MOST_VALUES = 40
"""Different numbers from which a column has a low and a high end, and values of a column that are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Describer:
    """One thing that samples may have in common."""

    text: str
    """Such as "in the snow", "dark" or "weather = snow"."""
    kind: Literal["phrase", "property", "condition"]
    scores: F64
    """(m,) of the rows that are looked at: higher is more of it."""
    direction: F32 | None = None
    """(d,) of a phrase, in the space shared with texts."""
    known: float = 1.0
    """Of a phrase, the AUROC with which the encoder tells samples that show it."""
    said: float = np.nan
    """Of a phrase, in how many of 1,000 captioned samples it is mentioned; nan where that is not known."""
    family: str = ""
    """Of a phrase, its attribute family."""
    tests: tuple[tuple[str, str, str | float | None], ...] = ()
    """Of a property or a condition, what it asks of which column, as of `Insight.tests`."""

    def keep(self, rows: Bool) -> Describer:
        """The same over some of the rows."""
        return replace(self, scores=self.scores[rows])


def describers_of(
    columns: Sequence[Column], conditions: Sequence[Insight], words: Words | None, rows: I64
) -> list[Describer]:
    """All that may describe some of the `rows`. A phrase that a measured property speaks for is left to it.

    Args:
        columns: of all samples.
        conditions: findings, of which those count that no single column says.
    """
    properties = properties_of(columns, rows)
    own = (one for column in columns if not column.measured for one in _of_column(column, rows))
    measured = {column.name for column in columns if column.measured}
    said = (i for i in conditions if _says_it(i, measured))
    found = (Describer(i.text, "condition", i.mask[rows].astype(np.float64), tests=i.tests) for i in said)
    made = [*properties, *own, *found]
    if words is None:
        return made
    known = words.competence
    phrases = [i for i in unspoken(words.phrases, properties) if _may_describe(words, i)]
    scores = (words.joint.vectors[rows] @ words.directions[phrases].T).astype(np.float64)
    for place, phrase in enumerate(phrases):
        is_known = known is not None and known.is_known(phrase)
        made.append(
            Describer(
                words.phrases[phrase],
                "phrase",
                scores[:, place],
                words.directions[phrase],
                float(known.auroc[phrase]) if known is not None and is_known else USUAL,
                float(known.said[phrase]) if known is not None else np.nan,
                words.families[phrase],
            )
        )
    return made


def unspoken(phrases: Sequence[str], properties: Sequence[Describer]) -> list[int]:
    """The places of the phrases that no measured property speaks for."""
    spoken = {words_in(name) for one in properties for name in names_of(one)}
    return [place for place, text in enumerate(phrases) if words_in(text) not in spoken]


def _says_it(condition: Insight, measured: set[str]) -> bool:
    """Whether people would say a condition so: two columns of the user's own together, or a count in words; single
    columns and what was measured describe by themselves."""
    if len(condition.tests) > 1:
        return measured.isdisjoint(condition.columns)
    return not re.search(r" (=|at most|at least|is missing)", condition.text)


def _may_describe(words: Words, phrase: int) -> bool:
    """Whether some sample is like a phrase, and whether it was measured: one that ships and was not is nothing that
    captions say, one of the user's own is taken as it is."""
    known = words.competence is None or words.competence.is_known(phrase)
    return words.is_shown(phrase) and (known or words.phrases[phrase] not in _shipped())


@cache
def _shipped() -> frozenset[str]:
    return frozenset(one.text for modality in ("image", "text") for one in read_vocabulary(None, modality).phrases)


def names_of(property_: Describer) -> tuple[str, ...]:
    """Every name of a measured property's end, phrases of the vocabulary among them."""
    ((column, sign, value),) = property_.tests
    return tuple(name.format(value) for name in READINGS[column].all_of(sign))


def properties_of(columns: Sequence[Column], rows: I64) -> list[Describer]:
    """The ends of measured properties that people see as such."""
    by_name = {column.name: column for column in columns if column.measured}
    made: list[Describer] = []
    for name, reading in READINGS.items():
        if name not in by_name:
            continue
        values = by_name[name].values[rows]
        if by_name[name].kind == "category":
            for value in HUES if name == "tint" else (name,):
                has = np.array([one == value for one in values], np.float64)
                made.append(Describer(reading.high.format(value), "property", has, tests=((name, "=", value),)))
            continue
        numbers = _numbers(name, values.astype(np.float64), by_name, rows)
        for sign, title in (("<=", reading.low), (">=", reading.high)):
            if title:
                made.append(Describer(title, "property", _end(numbers, sign, reading), tests=((name, sign, None),)))
    return made


def _numbers(name: str, values: F64, by_name: dict[str, Column], rows: I64) -> F64:
    """The values; the contrast as a share of the most that an image of its brightness can have, since dark images
    have little and are called dark."""
    if name == "contrast" and "brightness" in by_name:
        level = by_name["brightness"].values[rows].astype(np.float64)
        return values / np.sqrt(np.maximum(level * (1 - level), 1e-4))
    return values


def _end(numbers: F64, sign: str, reading: Reading) -> F64:
    """Higher is more of that end; a value that nobody sees, or that is missing, is the least."""
    known = np.isfinite(numbers)
    signed = np.maximum(numbers, reading.least) if sign == ">=" else -numbers
    return np.where(known, signed, signed[known].min() if known.any() else 0.0)


def _of_column(column: Column, rows: I64) -> Iterator[Describer]:
    """The values of a column of the user's own, the most frequent ones; of one of many numbers its two ends."""
    from scipy.stats import rankdata  # not needed to start the page

    values = column.values[rows]
    if column.kind == "text":
        return
    if column.kind == "number":
        numbers = values.astype(np.float64)
        known = np.isfinite(numbers)
        if len(np.unique(numbers[known])) >= FEW:
            for sign, said in (("<=", "low"), (">=", "high")):
                scores = rankdata(_end(numbers, sign, Reading())) / len(numbers)  # whatever the unit
                yield Describer(f"{said} {column.name}", "condition", scores, tests=((column.name, sign, None),))
            return
    counts = Counter(value for value in values.tolist() if value is not None and value == value)
    for value, _ in counts.most_common(MOST_VALUES):
        has = np.array([one == value for one in values.tolist()], np.float64)
        yield Describer(f"{column.name} = {value}", "condition", has, tests=((column.name, "=", value),))
