"""Superclasses: groups of related classes, formed from the texts of their names, without the losses.

A class of fifty rows is too small to search on its own, and a thousand classes are too many. "Dogs in the dark" is a
failure of thirty classes that no single one of them shows. So with more than `MAX_SINGLE_CLASSES` classes the search
runs inside superclasses (docs/decisions/long-tails.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import ClusterNode, linkage, to_tree
from scipy.spatial.distance import squareform

from core.errors import InvalidInput
from core.records import F32, F64, I64

if TYPE_CHECKING:
    from core.encoders import Encoder

MAX_NODE_SHARE = 1.25
"""A tree node is split while it holds more rows than this times the mean rows of a superclass. A convention, like the
two shares below; they keep superclasses of similar size."""
MIN_SUPERCLASS_SHARE = 0.5
"""A group with fewer rows than this times the mean is merged into the most similar one."""
MAX_MERGED_SHARE = 2.0
"""A merger may hold this times the mean, unless no other group fits."""


@dataclass(frozen=True, slots=True, eq=False)
class Superclasses:
    """of_class: (k,) superclass of each class, -1 for a class without rows. names: a name per superclass."""

    of_class: I64
    names: tuple[str, ...]
    note: str

    def __len__(self) -> int:
        return len(self.names)


def group_classes(
    class_names: Sequence[str], counts: I64, *, texts: F32 | None = None, means: F32 | None = None
) -> Superclasses:
    """Group classes into about sqrt(k) superclasses, balanced by rows.

    Average linkage on the cosine of the centered vectors gives a tree of classes. From the root downwards a node is
    split while it holds more than MAX_NODE_SHARE times the mean rows of a superclass. What is then left with fewer than
    MIN_SUPERCLASS_SHARE times the mean joins the superclass of the highest average cosine, smallest first. With sqrt(k)
    superclasses both the number of superclasses and the number of classes in one grow slowly: 14 of about 14 at 200
    classes, 32 of about 31 at 1,000.

    Args:
        class_names: k names.
        counts: (k,) rows of each class; classes without rows are in no superclass.
        texts: (k, d) vectors of the names, from an encoder's text tower.
        means: (k, d) mean embedding of each class's rows, used without text vectors; the note names the choice.

    Raises:
        InvalidInput: neither is given, or the vectors are not one per class.
    """
    of_classes = means if texts is None else texts
    n_vectors = 0 if of_classes is None else len(of_classes)
    if of_classes is None or n_vectors != len(class_names):
        raise InvalidInput(
            f"Superclasses need one vector per class: got {n_vectors:,} for {len(class_names):,} classes. "
            "Use vectors of the names, or the mean embedding of each class."
        )
    present = np.flatnonzero(counts > 0)
    vectors = of_classes[present].astype(np.float64)
    vectors -= vectors.mean(0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    rows = counts[present].astype(np.float64)
    groups = _merge_small(_cut(vectors, rows), vectors, rows)
    of_class = np.full(len(class_names), -1, np.int64)
    names: list[str] = []
    for number, group in enumerate(groups):
        of_class[present[group]] = number
        names.append(_name(group, vectors, [str(class_names[present[g]]) for g in group]))
    return Superclasses(of_class, tuple(names), _note(len(present), len(groups), of_texts=texts is not None))


def _note(n_classes: int, n_groups: int, *, of_texts: bool) -> str:
    source = "the text vectors of their names"
    if not of_texts:
        source = "the mean embeddings of their rows, without text vectors of the names"
    return f"Grouped {n_classes:,} classes into {n_groups} superclasses by {source}. Errata searched inside these."


def name_vectors(encoder: Encoder, class_names: Sequence[str], cache: Path | None = None) -> F32 | None:
    """(k, d) text vectors of the names; None where most names are not words ("17", "n02084071"), whose vectors carry no
    meaning."""
    from core.embeddings.texts import encode_texts  # loads the vocabulary

    if sum(re.search(r"[^\W\d_]{3}", name) is not None for name in class_names) * 2 < len(class_names):
        return None
    return encode_texts(encoder, [f"a photo of a {name.replace('_', ' ')}" for name in class_names], cache)


def class_means(vectors: F32, labels: I64, n_classes: int) -> F32:
    """(k, d) mean of the rows of each class, zeros for a class without rows."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.zeros((n_classes, vectors.shape[1]))
    present = np.flatnonzero(counts)
    sums[present] = np.add.reduceat(
        vectors[order].astype(np.float64), np.r_[0, np.cumsum(counts)[:-1]][present], axis=0
    )
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)


def _cut(vectors: F64, rows: F64) -> list[list[int]]:
    """Groups of classes: the highest nodes of the tree that hold few enough rows."""
    if len(vectors) == 1:
        return [[0]]
    distances = np.clip(1 - vectors @ vectors.T, 0, 2)
    np.fill_diagonal(distances, 0)
    most = MAX_NODE_SHARE * rows.sum() / max(1, round(len(vectors) ** 0.5))
    waiting: list[ClusterNode] = [to_tree(linkage(squareform(distances, checks=False), "average"))]  # type: ignore[list-item]
    groups: list[list[int]] = []
    while waiting:
        node = waiting.pop()
        leaves = [int(leaf) for leaf in node.pre_order()]
        if node.is_leaf() or rows[leaves].sum() <= most:
            groups.append(leaves)
        else:
            waiting += [node.get_right(), node.get_left()]  # type: ignore[list-item]
    return groups


def _merge_small(groups: list[list[int]], vectors: F64, rows: F64) -> list[list[int]]:
    """Merge small groups into the group of highest average cosine that stays small enough, else into the nearest."""
    mean_rows = rows.sum() / max(1, round(len(vectors) ** 0.5))
    groups = list(groups)
    while len(groups) > 1:
        sizes = np.array([rows[g].sum() for g in groups])
        smallest = int(sizes.argmin())
        if sizes[smallest] >= MIN_SUPERCLASS_SHARE * mean_rows:
            break
        means = np.stack([vectors[g].mean(0) for g in groups])
        likeness = means @ means[smallest]  # the average cosine over pairs of members
        likeness[smallest] = -np.inf
        fits = sizes + sizes[smallest] <= MAX_MERGED_SHARE * mean_rows
        fits[smallest] = False
        if fits.any():
            likeness = np.where(fits, likeness, -np.inf)
        nearest = int(likeness.argmax())
        merged = groups[nearest] + groups[smallest]
        groups = [g for i, g in enumerate(groups) if i not in (nearest, smallest)] + [merged]
    return sorted((sorted(g) for g in groups), key=lambda g: g[0])


def _name(group: list[int], vectors: F64, names: list[str]) -> str:
    """The two most central members, and how many more there are."""
    central = vectors[group] @ vectors[group].mean(0)
    first = [names[i] for i in np.argsort(-central, kind="stable")[:2]]
    if len(group) <= 2:
        return " and ".join(first)
    return f"{first[0]}, {first[1]} and {len(group) - 2} more"
