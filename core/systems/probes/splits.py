"""Which rows are trained on and which are scored. No row is scored by a probe that learned from it, or from a row of
its group."""

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
    """Shots, validation rows and an unlabeled pool come from these; may be empty."""
    test: I64
    validation: I64 | None = None
    """Rows from which validation rows are drawn; None: from `train`, beside the shots."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Folds whose test rows do not overlap."""

    folds: tuple[Fold, ...]
    said: str
    """One sentence for the user."""
    excluded: tuple[tuple[int, str], ...] = ()
    """(row, reason) of the rows that no fold scores."""


def score_every_row(n: int) -> Split:
    """All n rows are scored at once; nothing is learned from them."""
    none = np.empty(0, np.int64)
    return Split((Fold(none, np.arange(n, dtype=np.int64)),), "No labeled sample was used; every sample is scored.")


def halves(labels: I64, groups: I64 | None, seed: int) -> Split:
    """Two halves by class, each scored by a probe that may learn from the other; the rows of a group stay in one half.

    Raises:
        InvalidInput: all rows are of one group.
    """
    rng = np.random.default_rng(seed)
    n = len(labels)
    inverse = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    members = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    if len(members) < 2:
        raise InvalidInput(
            f"All {n:,} rows are one group, so none can be trained on while others are scored. "
            "Name another group column, or none."
        )
    half = np.zeros(n, np.int64)
    counts = np.zeros((2, int(labels.max()) + 1))
    order = rng.permutation(len(members))
    # large groups first: they are hardest to balance
    order = order[np.argsort([-len(members[g]) for g in order], kind="stable")]
    for g in order:
        own = np.bincount(labels[members[g]], minlength=counts.shape[1])
        side = int(np.argmin([(counts[0] * own).sum(), (counts[1] * own).sum()]))
        half[members[g]] = side
        counts[side] += own
    rows = [np.flatnonzero(half == s).astype(np.int64) for s in (0, 1)]
    said = "Two halves: each sample is scored by a probe that saw only samples of the other half."
    return Split((Fold(rows[1], rows[0]), Fold(rows[0], rows[1])), said)


def by_column(samples: SampleSet, train: str = "train", test: str = "test") -> Split:
    """Rows whose split column says `train` are trained on, those that say `test` are scored, whatever the case; "val"
    rows choose settings.

    Other rows are left out.

    Raises:
        InvalidInput: there is no such column, or one of the two parts is empty.
    """
    if samples.splits is None:
        raise InvalidInput(
            "The samples have no split column. Name one with --split-column, "
            "or let each half be scored by what learned from the other."
        )
    said = [str(name) for name in samples.splits.tolist()]
    folded = np.array([name.lower() for name in said], dtype=object)
    parts = [np.flatnonzero(folded == name.lower()).astype(np.int64) for name in (train, test)]
    if not all(len(p) for p in parts):
        raise InvalidInput(
            f"The split column needs rows that say {train!r} and rows that say {test!r}: "
            f"it says {', '.join(sorted(set(said))[:8])}."
        )
    left = np.setdiff1d(np.arange(len(samples)), parts[1])
    reasons = tuple((int(row), f"it is in the part {said[row]!r}, and only {test!r} is scored") for row in left)
    validation = np.flatnonzero(np.isin(folded, VALIDATION_NAMES)).astype(np.int64)
    validation = validation[~np.isin(validation, np.concatenate(parts))]
    fold = Fold(parts[0], parts[1], validation if len(validation) else None)
    return Split((fold,), f"Trained on the part {train!r}, scored on the part {test!r}.", reasons)


def apart(split: Split, groups: I64 | None) -> Split:
    """The split without the training and validation rows that are scored as well, or share a group with a row that
    is."""
    dropped = 0

    def trimmed(fold: Fold, rows: I64) -> I64:
        nonlocal dropped
        theirs = rows if groups is None else groups[rows]
        kept = rows[~np.isin(theirs, fold.test if groups is None else groups[fold.test])]
        dropped += len(rows) - len(kept)
        return kept

    folds = tuple(
        Fold(trimmed(f, f.train), f.test, None if f.validation is None else trimmed(f, f.validation))
        for f in split.folds
    )
    if not dropped:
        return split
    more = f"{dropped:,} samples of it are left out of training, since they or their group are scored."
    return replace(split, folds=folds, said=f"{split.said} {more}")


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
    """Shots and validation rows of each class among `rows`, drawn without overlap, and no validation row from the group
    of a shot; the same seed draws nested shots for growing numbers.

    Args:
        labels: (n,) class of every sample.
        rows: those to draw from.
        names: k class names.
        shots, validation: rows a class.
        fewer: take what there is of a class that offers less.
        checked: rows to draw the validation rows from; None: from `rows`, beside the shots.
        groups: (n,) group of every sample, where they come in groups.

    Raises:
        InvalidInput: a class offers fewer than `shots` and `fewer` is False, or none offers any.
    """
    orders = [np.random.default_rng([seed, c]).permutation(rows[labels[rows] == c]) for c in range(len(names))]
    short = [(len(own), name) for own, name in zip(orders, names) if len(own) < shots]
    if short and not fewer:
        least, name = min(short)
        way = f"Lower shots to {least}" if least else "Leave such classes out"
        raise InvalidInput(
            f"{shots} shots a class were asked, and {len(short)} of {len(names)} classes offer fewer beside the "
            f"samples that are scored: {name!r} has {least}. {way}, bring more, or take what there is "
            "(the setting fewer)."
        )
    drawn = np.concatenate([own[:shots] for own in orders])
    if shots and not len(drawn):
        raise InvalidInput("No class offers a single shot. Bring labeled samples beside those that are scored.")
    of = np.arange(len(labels)) if groups is None else groups
    found: list[I64] = []
    for c, own in enumerate(orders):
        if checked is not None:
            own = np.random.default_rng([seed, c, 1]).permutation(checked[labels[checked] == c])
        found.append(own[~np.isin(of[own], of[drawn])][:validation])
    return drawn.astype(np.int64), np.concatenate(found).astype(np.int64)
