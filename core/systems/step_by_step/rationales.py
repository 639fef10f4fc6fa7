"""Texts with labels and reasons, the training data of "Distilling step-by-step" (Hsieh et al., Findings of ACL 2023,
arXiv 2305.02301)."""

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
"""With more different labels, answers count as free, like equations; a convention."""


@dataclass(frozen=True, slots=True)
class RationaleSet:
    """Texts with labels and reasons; every tuple has one entry for each text."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    rationales: tuple[str, ...]
    """"" without a reason."""
    classes: tuple[str, ...] = ()
    """In order; () if answers are free."""
    taught: tuple[str, ...] = ()
    """A large model's label of each text, which a student learns instead of `labels`; () without."""
    left_out: tuple[tuple[str, int], ...] = ()
    """(reason, number of rows) of the rows that were skipped."""

    def __len__(self) -> int:
        return len(self.texts)

    def keep(self, rows: I64 | Sequence[int]) -> RationaleSet:
        """Some rows, in that order; the classes stay."""
        indices = np.asarray(rows, np.int64).tolist()
        return replace(
            self,
            texts=tuple(self.texts[i] for i in indices),
            labels=tuple(self.labels[i] for i in indices),
            rationales=tuple(self.rationales[i] for i in indices),
            taught=tuple(self.taught[i] for i in indices) if self.taught else (),
        )

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels that a student learns."""
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
    """Read the texts, labels and reasons of a table.

    Rows without text or label are skipped and counted; a reason may be missing in some.

    Args:
        text, label, rationale: names of columns.
        teacher: column of a large model's labels, which are learned instead of `label`.
        classes: all labels; () takes those that occur, if they are at most 100.

    Raises:
        InvalidInput: the table cannot be read or lacks a column, no row has a reason, all rows have one label, or a
            label is not a class.
    """
    names = [text, label, rationale]
    if teacher is not None:
        names.append(teacher)
    content = read_table(table, as_text=tuple(names), progress=progress)
    columns: list[list[str]] = []
    for name in names:
        if name not in content.frame.columns:
            raise InvalidInput(
                f"{content.name} has no column {name[:60]!r}. It has {quoted(*content.frame.columns)}. Name another."
            )
        columns.append([" ".join((cell or "").split()) for cell in texts_of(content.frame[name])])
    taught = columns[3] if teacher else ()
    rows = gather(content.name, *columns[:3], taught=taught, classes=classes, what=rationale)
    if max(len(set(rows.labels)), len(set(rows.targets))) < 2:
        raise InvalidInput(
            f"{content.name}: every row has the label {rows.labels[0][:60]!r}. Name another column of labels, or add "
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
    """Check and gather the rows that have text and label.

    Args:
        classes: as of `read_rationales`; None for free answers.
        what: name of the reasons in messages.

    Raises:
        InvalidInput: no row is left or has a reason, or a label is not a class.
    """
    skipped: Counter[str] = Counter()
    rows: list[int] = []
    for i, text in enumerate(texts):
        if not text:
            skipped["without a text"] += 1
        elif not labels[i]:
            skipped["without a label"] += 1
        elif taught and not taught[i]:
            skipped["without the large model's label"] += 1
        else:
            rows.append(i)
    if not rows:
        raise InvalidInput(f"{name} has no row with both a text and a label. Name other columns.")
    if not any(rationales[i] for i in rows):
        raise InvalidInput(
            f"{name}: the column of reasons {what!r} is empty in every row with a text and a label. "
            "Name another column, or fill it."
        )
    known = tuple(classes or ())
    if classes is not None and not known:
        distinct = sorted({label for label in labels if label})
        known = tuple(distinct) if len(distinct) <= MAX_CLASSES else ()
    if known:
        for i in rows:
            for label in (labels[i], taught[i]) if taught else (labels[i],):
                if label not in known:
                    raise InvalidInput(
                        f"{name}, row {i}: the label {label[:60]!r} is not a class ({quoted(*known)}). "
                        "Fix it, or name all classes."
                    )
    reasons = ("without a text", "without a label", "without the large model's label")
    left_out = tuple((reason, skipped[reason]) for reason in reasons if skipped[reason])
    every = RationaleSet(name, tuple(texts), tuple(labels), tuple(rationales), known, tuple(taught), left_out)
    return every.keep(rows)


def subsample(labels: Sequence[str], n: int, seed: int) -> I64:
    """Indices of n of the labels, ascending, stratified by class: every class stays, in about its share.

    With one seed, the rows of a smaller n are among those of a larger n.

    Raises:
        InvalidInput: n exceeds the number of labels, or is below the number of classes.
    """
    counts = Counter(labels)
    if not len(counts) <= n <= len(labels):
        raise InvalidInput(
            f"--learn-from must be {len(counts):,} (one per class) to {len(labels):,}: got {n:,}. Change it."
        )
    order = np.random.default_rng([seed, 11]).permutation(len(labels))
    seen: Counter[str] = Counter()
    position = np.empty(len(labels))
    for i in map(int, order):
        position[i] = seen[labels[i]] / counts[labels[i]]  # the first row of each class is at 0
        seen[labels[i]] += 1
    return np.sort(order[np.argsort(position[order], kind="stable")][:n]).astype(np.int64)
