"""Support sets: images of the classes, retrieved from a pool by the classes' texts or by folder names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64
from core.row_runs import row_runs
from core.systems.probes.base import Images
from core.systems.probes.few_shot.affinities import BLOCK_PAIRS, Rows

MIN_DUPLICATE_COSINE = 0.999
"""Pool images with a higher cosine count as one image."""
MIN_SAMPLE_COSINE = 0.9999
"""A pool image with a higher cosine to a sample is that sample: the same bytes have the same vector."""
MIN_PURITY = 0.5
"""Below this share a note names the class."""


@dataclass(frozen=True, slots=True, eq=False)
class SupportSet:
    """Images with the labels assigned to them."""

    images: Images
    source: str
    purity: F32
    """(k,) see `core.records.Support.purity`."""
    notes: tuple[str, ...] = ()


def support_of(
    pool: Images,
    vectors: F32,
    queries: Sequence[F32],
    names: Sequence[str],
    per_class: int,
    *,
    one_class: bool = False,
    by: str = "prompts",
) -> SupportSet:
    """A support set from a pool.

    Args:
        pool: with labels if its folders are classes. Otherwise the texts choose.
        vectors: (k, d) the classes' mean text vectors, which also measure the purity.
        queries: for each class (q, d) unit text vectors; ranks of several are merged.
        per_class: the most images a class.
        one_class: each image of an unlabeled pool may serve only the class with the nearest texts.
        by: name of the queries, for the sentence.

    Raises:
        InvalidInput: the pool is empty, or no class gets an image from it.

    Source: Udandarao et al. 2023 (arXiv 2211.16198), section 3.1; retrieval from LAION-5B becomes retrieval from the
    pool. Departures: the ranks of several queries are merged, not laid end to end; copies of an image count once;
    folders are matched by name, not by their order.
    """
    if not len(pool):
        raise InvalidInput(
            "The pool of images is empty, so there are no support images. Add images besides the scored ones."
        )
    if pool.labels is None:
        at, labels = retrieve(pool, vectors, queries, per_class, one_class=one_class)
        source = f"{per_class} a class at most, nearest to its {by}, from {len(pool):,} unlabeled images"
    else:
        at, labels = _by_folder(pool, pool.labels, vectors, per_class)
        source = f"{per_class} a class at most, from {len(pool):,} images in class folders"
    if not len(at):
        raise InvalidInput(
            "No class gets an image from the pool. Add images of the classes, or folders with their names."
        )
    images = replace(pool.keep(at), labels=labels)
    purity = purity_of(images.features, labels, vectors)
    return SupportSet(images, source, purity, _notes(labels, purity, names, per_class))


def retrieve(
    pool: Images, vectors: Rows, queries: Sequence[Rows], per_class: int, *, one_class: bool = False
) -> tuple[I64, I64]:
    """(positions in the pool, their classes): for each class the images nearest to its texts, best first, without
    near-duplicates.

    Several queries of a class are merged by the sum of 1 / (60 + rank) over them (Cormack et al. 2009, SIGIR), so that
    an image close to a single odd sentence does not come first.
    """
    features = pool.features.astype(np.float64)
    nearest_class = None
    if one_class:
        nearest_class = (features @ np.asarray(vectors, np.float64).T).argmax(1)
    positions: list[int] = []
    labels: list[int] = []
    for c, query in enumerate(queries):
        candidates = np.arange(len(pool))
        if nearest_class is not None:
            candidates = np.flatnonzero(nearest_class == c)
        if not len(candidates):
            continue
        scores = merged(features[candidates] @ np.asarray(query, np.float64).T)
        picked = distinct(pool, candidates[np.argsort(-scores, kind="stable")], per_class)
        positions += picked
        labels += [c] * len(picked)
    return np.array(positions, np.int64), np.array(labels, np.int64)


def merged(similarity: F64) -> F64:
    """(n,) one score for each image from its (n, q) similarity to several queries; larger is nearer."""
    if similarity.shape[1] == 1:
        return similarity[:, 0]
    ranks = np.argsort(np.argsort(-similarity, axis=0, kind="stable"), axis=0, kind="stable")
    return (1.0 / (61 + ranks)).sum(1) + 1e-9 * similarity.mean(1)  # ties in rank: by the mean cosine


def distinct(pool: Images, order: I64, most: int) -> list[int]:
    """The first `most` positions of `order` with a new id and a vector that is not a near-duplicate of an earlier
    one."""
    taken: list[int] = []
    ids: set[str] = set()
    vectors = np.empty((min(most, len(order)), pool.features.shape[1]), np.float32)
    for position in order.tolist():
        if len(taken) == most:
            break
        row = pool.features[position]
        if pool.ids[position] in ids:
            continue
        if taken and float((vectors[: len(taken)] @ row).max()) > MIN_DUPLICATE_COSINE:
            continue
        vectors[len(taken)] = row
        ids.add(pool.ids[position])
        taken.append(position)
    return taken


def _by_folder(pool: Images, labels: I64, vectors: F32, per_class: int) -> tuple[I64, I64]:
    """Images of each class's folder, nearest to its text first, so that generated images that miss their prompt come
    last."""
    positions: list[int] = []
    picked_labels: list[int] = []
    for c, vector in enumerate(vectors.astype(np.float64)):
        class_rows = np.flatnonzero(labels == c)
        cosines = pool.features[class_rows].astype(np.float64) @ vector
        picked = distinct(pool, class_rows[np.argsort(-cosines, kind="stable")], per_class)
        positions += picked
        picked_labels += [c] * len(picked)
    return np.array(positions, np.int64), np.array(picked_labels, np.int64)


def purity_of(features: Rows, labels: I64, vectors: Rows) -> F32:
    """(k,) share of a class's support images that zero-shot assigns to that class; nan for a class without any."""
    k = len(vectors)
    predicted = (features.astype(np.float64) @ vectors.astype(np.float64).T).argmax(1)
    counts = np.bincount(labels, minlength=k)
    right = np.bincount(labels[predicted == labels], minlength=k)
    return np.where(counts > 0, right / np.maximum(counts, 1), np.nan).astype(np.float32)


def without(pool: Images, others: Images | None) -> Images:
    """The pool without the rows of `others`: an image on which settings are chosen may not support itself."""
    if others is None or pool.rows is None or others.rows is None:
        return pool
    return pool.keep(np.flatnonzero(~np.isin(pool.rows, others.rows)).astype(np.int64))


def drop_samples(pool: Images, vectors: F32, *, above: float = MIN_SAMPLE_COSINE) -> tuple[Images, str]:
    """The pool without images that are also among the samples, and a note that counts them ("" for none).

    Args:
        vectors: (n, d) the samples as the same encoder sees them. Files with the same bytes have the same vector,
            whatever their names.
    """
    is_new = np.ones(len(pool), np.bool_)
    for rows in row_runs(len(pool), len(vectors), BLOCK_PAIRS):
        is_new[rows] = (pool.features[rows] @ vectors.T).max(1, initial=-1.0) <= above
    dropped = int((~is_new).sum())
    if not dropped:
        return pool, ""
    note = f"Removed {dropped:,} of the pool's {len(pool):,} images: they are also among the samples."
    return pool.keep(np.flatnonzero(is_new).astype(np.int64)), note


def _notes(labels: I64, purity: F32, names: Sequence[str], per_class: int) -> tuple[str, ...]:
    empty: list[str] = []
    short: list[str] = []
    impure: list[str] = []
    counts = np.bincount(labels, minlength=len(names))
    for name, n, share in zip(names, counts.tolist(), purity.tolist(), strict=True):
        if n == 0:
            empty.append(name)
        elif n < per_class:
            short.append(name)
        if share < MIN_PURITY:
            impure.append(name)
    notes: list[str] = []
    if empty:
        notes.append(f"The pool has no image for {first_names(empty)}. There, only the name counts.")
    if short:
        notes.append(f"The pool has fewer than {per_class} images for {first_names(short)}.")
    if impure:
        notes.append(
            f"Zero-shot assigns less than half of their support images to {first_names(impure)}. The pool may have "
            "few such images, or zero-shot may not know these classes."
        )
    return tuple(notes)


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first few names, quoted, and how many more there are."""
    shown = ", ".join(map(repr, names[:most]))
    if len(names) > most:
        shown += f" and {len(names) - most:,} more classes"
    return shown
