"""Task of a language model: classes with descriptions and words, patterns, and labeled texts."""

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
    """Task of k classes and n texts."""

    class_names: tuple[str, ...]
    described: tuple[tuple[str, ...], ...]
    """At least one text for each class."""
    words: tuple[str, ...]
    """Each class's word in a pattern."""
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
    """Read the task from a table of labeled texts.

    Args:
        descriptions, order: see `core.systems.common.class_descriptions.of_classes`. patterns: see `read_patterns`.
        words: see `read_words`; by default the term of each class in a published file, else its name.

    Raises:
        InvalidInput: the table has no texts or labels, or a file breaks its rule.
    """
    # small files first, so that their errors come before the table is read
    written = read_descriptions(descriptions)
    pattern_list = read_patterns(patterns)
    data = read_samples(table, roles=roles, progress=progress)
    samples = data.samples
    if samples.modality != "text" or samples.items is None or samples.labels is None:
        raise InvalidInput("A language model reads texts. Name the column of texts with --texts.")
    names = samples.class_names
    of_class, notes = of_classes(written, names, order)
    # a class without a description is described by its name
    described = tuple(texts or (name,) for texts, name in zip(of_class, spoken_names(names), strict=True))
    return DescribedTask(
        names,
        described,
        read_words(words, names, terms_of(written, of_class)),
        pattern_list,
        samples.ids,
        tuple(samples.items.read(row).decode() for row in range(len(samples))),
        samples.labels,
        samples.groups,
        (*data.notes, *notes),
    )
