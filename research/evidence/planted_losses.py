"""Anybody's losses, shuffled so that there is nothing to find, or with a failing region planted among them."""

from __future__ import annotations

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool


def shuffle_within(labels: I64 | None, groups: I64 | None, rng: np.random.Generator, *, n: int | None = None) -> I64:
    """(n,) row numbers: `losses[rows]` are losses that say nothing about the embedding and keep what is not
    exchangeable.

    Each row takes the loss of a row of its own class. With groups, the groups are laid out anew in one random order,
    the same for every class, and the losses are dealt to the rows in that order: a group's losses stay neighbors.
    Groups of unequal size cannot keep all of them, so that a block may run on into the next group.

    Args:
        labels: (n,) class of each row, or None for one class.
        groups: (n,) group of each row, or None for independent rows.
        n: how many rows, needed only where both are None.

    Raises:
        InvalidInput: neither labels, groups nor n say how many rows there are.
    """
    known = labels if labels is not None else groups
    if known is None and n is None:
        raise InvalidInput(
            "shuffle_within needs labels, groups or n to know how many rows to shuffle: got none of them."
        )
    count = len(known) if known is not None else int(n or 0)
    classes = np.zeros(count, dtype=np.int64) if labels is None else labels
    if groups is None:
        home = away = rng.permutation(count)
        home = np.arange(count)
    else:
        numbers = np.unique(groups, return_inverse=True)[1]
        place = rng.permutation(int(numbers.max()) + 1)
        home = np.argsort(numbers, kind="stable")
        away = np.argsort(place[numbers], kind="stable")
    rows = np.empty(count, dtype=np.int64)
    for label in np.unique(classes):
        rows[home[classes[home] == label]] = away[classes[away] == label]
    return rows


def plant_region(
    embeddings: F32, losses: F64, labels: I64 | None, errors: Bool | None, *, size: int, failing: float = 0.5, seed: int
) -> tuple[F64, Bool | None, Bool]:
    """Make the `size` rows round a random one fail in a share `failing` of cases, by swapping losses inside one class.

    The rows lie in one class and nearest to its chosen row; passing ones swap their outcomes with failing ones of the
    same class elsewhere. So the losses of every class stay the same numbers, and only where they are has changed.

    Args:
        embeddings: (n, d) unit rows.
        losses: (n,); labels: (n,) or None for one class.
        errors: (n,), or None: then the worst tenth of each class counts as failing.
        size: rows of the region, at most a third of some class.
        failing: share of the region that fails afterwards (if fewer did so before), in (0, 1].

    Returns:
        (losses, errors or None, members): the changed copies and the (n,) mask of the region.

    Raises:
        InvalidInput: no class has three times `size` rows with enough failures, or `failing` is out of range.
    """
    if not 0 < failing <= 1 or size < 1:
        raise InvalidInput(
            f"A region needs size >= 1 and a failing share in (0, 1]: got size {size}, failing {failing}."
        )
    rng = np.random.default_rng([seed, 4])
    classes = np.zeros(len(losses), dtype=np.int64) if labels is None else labels
    fails = _worst_tenth(losses, classes) if errors is None else errors
    wanted = round(failing * size)
    rows = np.flatnonzero(classes == rng.choice(_able(classes, fails, size, wanted)))
    near = embeddings[rows] @ embeddings[rng.choice(rows)]
    members = np.zeros(len(losses), dtype=bool)
    members[rows[np.argsort(-near, kind="stable")[:size]]] = True
    elsewhere = rows[~members[rows] & fails[rows]]
    missing = max(0, wanted - int(fails[members].sum()))
    inside = rng.choice(np.flatnonzero(members & ~fails), missing, replace=False)
    outside = rng.choice(elsewhere, missing, replace=False)
    order = np.arange(len(losses))
    order[inside], order[outside] = outside, inside
    return losses[order], None if errors is None else errors[order], members


def _able(classes: I64, fails: Bool, size: int, wanted: int) -> list[int]:
    """The classes that have room for the region and failures to give it."""
    able = [c for c in np.unique(classes) if (classes == c).sum() >= 3 * size and fails[classes == c].sum() >= wanted]
    if not able:
        raise InvalidInput(
            f"To plant a region of {size} rows with {wanted} failures, a class must have {3 * size} rows and "
            f"{wanted} failures: none has. Lower size."
        )
    return able


def _worst_tenth(losses: F64, classes: I64) -> Bool:
    fails = np.zeros(len(losses), dtype=bool)
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        fails[rows[np.argsort(-losses[rows], kind="stable")[: max(1, len(rows) // 10)]]] = True
    return fails
