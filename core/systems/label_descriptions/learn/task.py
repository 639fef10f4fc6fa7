"""What a language model is given: classes with their descriptions and words, patterns, and labeled texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.language.grammar import spoken_names
from core.records import I64, Progress, no_progress
from core.systems.common.class_descriptions import (
    Pattern,
    of_classes,
    read_descriptions,
    read_patterns,
    read_words,
    terms_of,
)
from core.systems.common.labelled import read_samples


@dataclass(frozen=True, slots=True, eq=False)
class DescribedTask:
    """k classes, n texts."""

    class_names: tuple[str, ...]
    described: tuple[tuple[str, ...], ...]
    """For each class at least one text."""
    words: tuple[str, ...]
    """For each class its word in a pattern."""
    patterns: tuple[Pattern, ...]
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    labels: I64
    """(n,)"""
    groups: I64 | None = None
    notes: tuple[str, ...] = ()


def read_task(
    table: Path,
    roles: Roles,
    descriptions: str,
    patterns: str = "topic",
    words: str = "",
    order: str = "",
    progress: Progress = no_progress,
) -> DescribedTask:
    """The task of a table with labeled texts.

    Args:
        descriptions, order: see `core.systems.common.class_descriptions.of_classes`. patterns: see `read_patterns`.
        words: see `read_words`; by default the term of each class in a published file, else its name.

    Raises:
        InvalidInput: the table has no texts or labels, or a file breaks its rule.
    """
    # before the table is read
    given = read_descriptions(descriptions)
    asked = read_patterns(patterns)
    audit = read_samples(table, roles=roles, progress=progress)
    samples = audit.samples
    if samples.modality != "text" or samples.items is None or samples.labels is None:
        raise InvalidInput("A language model reads texts: name the column of texts with --texts.")
    names = samples.class_names
    found, notes = of_classes(given, names, order)
    described = tuple(own or (name,) for own, name in zip(found, spoken_names(names), strict=True))
    return DescribedTask(
        names,
        described,
        read_words(words, names, terms_of(given, found)),
        asked,
        samples.ids,
        tuple(samples.items.read(row).decode() for row in range(len(samples))),
        samples.labels,
        samples.groups,
        (*audit.notes, *notes),
    )
