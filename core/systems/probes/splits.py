"""Splits into training and scored rows. No row is scored by a probe that learned from it or from a row of its group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import InvalidInput
from core.records import I64, SampleSet

VALIDATION = 4
"""Validation rows a class beside shots: min(shots, 4), as in CoOp's protocol (Zhou et al. 2022, arXiv 2109.01134)."""
VALIDATION_NAMES = ("val", "valid", "validation", "dev")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows of the samples."""

    train: I64
    """Source of shots, validation rows and an unlabeled pool; may be empty."""
    test: I64
    validation: I64 | None = None
    """Source of validation rows; None draws them from `train`, apart from the shots."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Folds whose test rows do not overlap."""

    folds: tuple[Fold, ...]
    sentence: str
    """One sentence for the user."""
    excluded: tuple[tuple[int, str], ...] = ()
    """(row, reason) of the rows that no fold scores."""


def score_every_row(n: int) -> Split:
    """A split that scores all n rows at once and learns from none."""
    empty = np.empty(0, np.int64)
    return Split((Fold(empty, np.arange(n, dtype=np.int64)),), "It used no labeled sample and scored every sample.")


def halves(labels: I64, groups: I64 | None, seed: int) -> Split:
    """Two halves with balanced classes, each scored by a probe that may learn from the other; a group stays in one
    half.

    Raises:
        InvalidInput: all rows are in one group.
    """
    rng = np.random.default_rng(seed)
    n = len(labels)
    inverse = np.arange(n)
    if groups is not None:
        inverse = np.unique(groups, return_inverse=True)[1]
    members = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    if len(members) < 2:
        raise InvalidInput(
            f"A probe needs at least two groups, to train on one and score another: all {n:,} rows are one group. "
            "Use another group column, or none."
        )
    half = np.zeros(n, np.int64)
    counts = np.zeros((2, int(labels.max()) + 1))
    order = rng.permutation(len(members))
    # large groups first: they are hardest to balance
    order = order[np.argsort([-len(members[g]) for g in order], kind="stable")]
    for g in order:
        # to the half with fewer rows of the group's classes
        class_counts = np.bincount(labels[members[g]], minlength=counts.shape[1])
        side = int(np.argmin([(counts[0] * class_counts).sum(), (counts[1] * class_counts).sum()]))
        half[members[g]] = side
        counts[side] += class_counts
    rows = [np.flatnonzero(half == s).astype(np.int64) for s in (0, 1)]
    sentence = "Two halves: each sample was scored by a probe that saw only samples of the other half."
    return Split((Fold(rows[1], rows[0]), Fold(rows[0], rows[1])), sentence)


def by_column(samples: SampleSet, train: str = "train", test: str = "test") -> Split:
    """A split by the split column, whatever the case: `train` rows are trained on, `test` rows are scored, "val" rows
    choose settings, and other rows are left out.

    Raises:
        InvalidInput: the samples have no split column, or one of the two parts is empty.
    """
    if samples.splits is None:
        raise InvalidInput(
            "The samples have no split column. Name one with --split-column, or use two halves (without --split)."
        )
    names = [str(name) for name in samples.splits.tolist()]
    folded = np.array([name.lower() for name in names], dtype=object)
    parts = [np.flatnonzero(folded == name.lower()).astype(np.int64) for name in (train, test)]
    if not all(len(p) for p in parts):
        raise InvalidInput(
            f"The split column needs values {train!r} and {test!r}: it has {', '.join(sorted(set(names))[:8])}. "
            "Rename its values, or use two halves (without --split)."
        )
    left = np.setdiff1d(np.arange(len(samples)), parts[1])
    reasons = tuple((int(row), f"it is in the part {names[row]!r}, and only {test!r} is scored") for row in left)
    validation = np.flatnonzero(np.isin(folded, VALIDATION_NAMES)).astype(np.int64)
    validation = validation[~np.isin(validation, np.concatenate(parts))]
    fold = Fold(parts[0], parts[1], validation if len(validation) else None)
    return Split((fold,), f"Trained on the part {train!r}, scored on the part {test!r}.", reasons)


def apart(split: Split, groups: I64 | None) -> Split:
    """The split without training and validation rows that are scored as well, or share a group with a scored row."""
    dropped = 0

    def groups_of(rows: I64) -> I64:
        return rows if groups is None else groups[rows]

    folds: list[Fold] = []
    for fold in split.folds:
        sources = [fold.train]
        if fold.validation is not None:
            sources.append(fold.validation)
        trimmed = [rows[~np.isin(groups_of(rows), groups_of(fold.test))] for rows in sources]
        dropped += sum(map(len, sources)) - sum(map(len, trimmed))
        folds.append(Fold(trimmed[0], fold.test, *trimmed[1:]))
    if not dropped:
        return split
    note = f"{dropped:,} samples were left out of training, because they or their group are scored."
    return replace(split, folds=tuple(folds), sentence=f"{split.sentence} {note}")


def draw(
    labels: I64,
    rows: I64,
    names: Sequence[str],
    shots: int,
    validation: int,
    seed: int,
    *,
    fewer: bool = False,
    checked: I64 | None = None,
    groups: I64 | None = None,
) -> tuple[I64, I64]:
    """Shots and validation rows of each class among `rows`, without overlap and without validation rows from the group
    of a shot; the same seed draws nested shots for growing numbers.

    Args:
        labels: (n,) class of every sample.
        rows: those to draw from.
        names: k class names.
        shots, validation: rows a class.
        fewer: accept classes with fewer rows.
        checked: rows to draw the validation rows from; None draws them from `rows`, apart from the shots.
        groups: (n,) group of every sample, where they come in groups.

    Raises:
        InvalidInput: a class offers fewer than `shots` and `fewer` is False, or no class offers any.
    """
    orders = [np.random.default_rng([seed, c]).permutation(rows[labels[rows] == c]) for c in range(len(names))]
    short = [(len(class_rows), name) for class_rows, name in zip(orders, names) if len(class_rows) < shots]
    if short and not fewer:
        fewest, name = min(short)
        have = "has" if len(short) == 1 else "have"
        fix = f"Lower shots to {fewest}" if fewest else "Remove these classes"
        raise InvalidInput(
            f"{len(short)} of {len(names)} classes {have} fewer than {shots} shots besides the scored samples: "
            f"{name!r} has {fewest}. {fix}, add samples, or accept fewer (the setting fewer)."
        )
    drawn = np.concatenate([class_rows[:shots] for class_rows in orders])
    if shots and not len(drawn):
        raise InvalidInput("No class has a shot besides the scored samples. Add labeled samples.")
    group_of = np.arange(len(labels)) if groups is None else groups
    validation_rows: list[I64] = []
    for c, class_rows in enumerate(orders):
        if checked is not None:
            class_rows = np.random.default_rng([seed, c, 1]).permutation(checked[labels[checked] == c])
        validation_rows.append(class_rows[~np.isin(group_of[class_rows], group_of[drawn])][:validation])
    return drawn.astype(np.int64), np.concatenate(validation_rows).astype(np.int64)
