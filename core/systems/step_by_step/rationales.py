"""Texts with labels and with reasons for them: what "Distilling step-by-step" learns from (Hsieh et al., Findings of
ACL 2023, arXiv 2305.02301)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.data.tables.cells import texts_of
from core.data.tables.read import read_table
from core.errors import InvalidInput, quoted
from core.records import I64, Progress, no_progress

MAX_CLASSES = 100
"""Of more different labels it is taken that answers are free, as equations are."""


@dataclass(frozen=True, slots=True)
class RationaleSet:
    """Texts in order, each with its label; all tuples have one entry a text."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    rationales: tuple[str, ...]
    """"" where there is none."""
    classes: tuple[str, ...] = ()
    """In order; () where answers are free."""
    taught: tuple[str, ...] = ()
    """A large model's label of each text, which a student learns in place of `labels`; () without."""
    left_out: tuple[tuple[str, int], ...] = ()
    """(reason, rows) of what was read and is not here."""

    def __len__(self) -> int:
        return len(self.texts)

    def keep(self, rows: I64 | Sequence[int]) -> RationaleSet:
        """Some rows, in that order; the classes stay."""
        at = np.asarray(rows, np.int64).tolist()
        names = ("texts", "labels", "rationales", *(["taught"] if self.taught else []))
        return replace(self, **{name: tuple(getattr(self, name)[i] for i in at) for name in names})

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels that a student is taught."""
        return self.taught or self.labels


def read_rationales(
    table: Path,
    *,
    text: str,
    label: str,
    rationale: str,
    teacher: str | None = None,
    classes: Sequence[str] = (),
    progress: Progress = no_progress,
) -> RationaleSet:
    """The texts, labels and reasons of a table. Rows without text or label are left out and counted; a reason may be
    missing in some.

    Args:
        text, label, rationale: names of columns.
        teacher: column of a large model's labels, which are taught in place of `label`.
        classes: the labels that there are; () takes those that occur, where they are at most 100.

    Raises:
        InvalidInput: the table cannot be read, lacks a column, has no reason at all or one label alone, or a label is
            no class.
    """
    named = [text, label, rationale, *([] if teacher is None else [teacher])]
    found = read_table(table, as_text=tuple(named), progress=progress)
    if absent := [name for name in named if name not in found.frame.columns]:
        raise InvalidInput(
            f"{found.name} has no column {absent[0][:60]!r}. It has {quoted(*found.frame.columns)}. Name another."
        )
    columns = [[" ".join((cell or "").split()) for cell in texts_of(found.frame[name])] for name in named]
    rows = gather(found.name, *columns[:3], taught=columns[3] if teacher else (), classes=classes, what=rationale)
    if max(len(set(rows.labels)), len(set(rows.targets))) < 2:
        raise InvalidInput(
            f"{found.name}: every row has the label {rows.labels[0][:60]!r}. Name another column of labels, or add "
            "rows with other labels."
        )
    return rows


def gather(
    name: str,
    texts: Sequence[str],
    labels: Sequence[str],
    rationales: Sequence[str],
    *,
    taught: Sequence[str] = (),
    classes: Sequence[str] | None = (),
    what: str = "rationale",
) -> RationaleSet:
    """A checked set of the rows that have text and label.

    Args:
        classes: as of `read_rationales`; None says that answers are free.
        what: how the reasons are called in messages.

    Raises:
        InvalidInput: nothing is left, no row has a reason, or a label is no class.
    """
    empty = {
        "without a text": [i for i, cell in enumerate(texts) if not cell],
        "without a label": [i for i, cell in enumerate(labels) if texts[i] and not cell],
        "without the large model's label": [i for i, cell in enumerate(taught) if texts[i] and labels[i] and not cell],
    }
    gone = {i for rows in empty.values() for i in rows}
    kept = [i for i in range(len(texts)) if i not in gone]
    if not kept:
        raise InvalidInput(f"{name} has no row with both a text and a label. Name other columns.")
    if not any(rationales[i] for i in kept):
        raise InvalidInput(
            f"{name}: the column of reasons {what!r} is empty in every row with a text and a label. "
            "Name another column, or fill it."
        )
    known = () if classes is None else _classes([cell for cell in labels if cell], classes)
    for i in () if not known else kept:
        for said in (labels[i], *([taught[i]] if taught else [])):
            if said not in known:
                raise InvalidInput(
                    f"{name}, row {i}: the label {said[:60]!r} is not a class ({quoted(*known)}). "
                    "Fix it, or name all classes."
                )
    left_out = tuple((reason, len(rows)) for reason, rows in empty.items() if rows)
    every = RationaleSet(name, tuple(texts), tuple(labels), tuple(rationales), known, tuple(taught), left_out)
    return every.keep(kept)


def _classes(labels: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    if named:
        return tuple(named)
    found = sorted(set(labels))
    return tuple(found) if len(found) <= MAX_CLASSES else ()


def subsample(labels: Sequence[str], n: int, seed: int) -> I64:
    """Rows of n of the labels, in order: every class stays, in about its share, and with one seed the rows of a smaller
    n are among those of a larger one.

    Raises:
        InvalidInput: n is more than there are labels, or less than there are classes.
    """
    counts = Counter(labels)
    if not len(counts) <= n <= len(labels):
        raise InvalidInput(
            f"The rows to learn from must be {len(counts):,} (one a class) to {len(labels):,}: got {n:,}."
        )
    order = np.random.default_rng([seed, 11]).permutation(len(labels))
    seen: Counter[str] = Counter()
    place = np.empty(len(labels))
    for i in map(int, order):
        place[i] = seen[labels[i]] / counts[labels[i]]  # the first of each class stands at 0
        seen[labels[i]] += 1
    return np.sort(order[np.argsort(place[order], kind="stable")][:n]).astype(np.int64)
