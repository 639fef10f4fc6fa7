"""Which rows stay together in a permutation: the groups that are given, and classes too small to be centred."""

from __future__ import annotations

import numpy as np

from core.records import I64, SampleSet
from core.statistics.groups import joined

CENTRED_CLASS = 5
"""A pooled class with at least so many rows still has its own mean taken out, and its rows are exchanged among
themselves. Of a smaller one the rows stay together and are exchanged with those of other such classes."""
MIN_GROUPS = 20
"""With fewer groups nothing can be permuted, and no p is given."""


def with_tiny_classes(
    labels: I64 | None, groups: I64 | None, class_of_label: I64, n_blocks: int, notes: list[str]
) -> I64 | None:
    """The groups, and of classes that are pooled and have fewer than CENTRED_CLASS rows each as a group: its rows may
    all fail for what the class is. Left out, and said, where that would join most groups with each other."""
    if labels is None:
        return groups
    sizes, n = np.bincount(labels, minlength=len(class_of_label)), len(labels)
    alone = np.bincount(class_of_label[sizes > 0], minlength=n_blocks) == 1
    tiny = (sizes > 1) & (sizes < CENTRED_CLASS) & ~alone[class_of_label]
    rows = np.flatnonzero(tiny[labels])
    if not len(rows):
        return groups
    classes = joined(n, rows, labels[rows])
    if groups is None:
        return classes
    number = np.unique(groups, return_inverse=True)[1]
    both = joined(n, np.r_[np.arange(n), rows], np.r_[number, number.max() + 1 + labels[rows]])
    if 2 * len(np.unique(both)) >= min(number.max() + 1, classes.max() + 1):
        return both
    notes.append(
        f"Groups hold rows of several of the {tiny.sum()} classes of fewer than {CENTRED_CLASS} rows, so what those "
        "classes are is not taken out: it may show up as a cluster."
    )
    return groups


def say_groups(samples: SampleSet, groups: I64, blocks: I64, notes: list[str]) -> int:
    """How many groups there are; what is assumed of them is added to `notes`."""
    name = "small class" if samples.groups is None else samples.group_name or "group"
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    n_groups = len(first)
    if n_groups < MIN_GROUPS:
        notes.append(
            f"There are {n_groups} groups ({name}), fewer than the {MIN_GROUPS} that a permutation test needs: "
            "everything below is description, without a p."
        )
    if n_groups < len(samples):
        notes.append(f"Rows are kept together and permuted by {name}: {n_groups:,} groups for {len(samples):,} rows.")
    if (blocks[first][number] != blocks).any():
        notes.append(
            "Groups cross classes: a group passes on how its rows rank in their classes, and each class keeps its own "
            "losses. So what a group does to its rows is taken to be alike in all of its classes."
        )
    return n_groups
