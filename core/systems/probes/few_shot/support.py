"""Support sets: images that stand for the classes, found in a pool by the classes' texts, or named by the folders they
lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64
from core.row_runs import row_runs
from core.systems.probes.base import Images
from core.systems.probes.few_shot.affinities import BLOCK, Rows

DUPLICATE = 0.999
"""Pool images with a higher cosine are one image."""
IN_FOLDERS = "in class folders"


@dataclass(frozen=True, slots=True, eq=False)
class SupportSet:
    """Images with the labels that they are taken for."""

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
        pool: with labels if its images lie in folders by class: then these are their classes. Otherwise the texts
            choose.
        vectors: (k, d) the classes' mean text vectors, which also judge the purity.
        queries: for each class (q, d) unit text vectors; several have their ranks merged.
        per_class: the most images a class.
        one_class: each image of an unlabeled pool may serve only the class whose texts are nearest to it.
        by: what the queries are, for the sentence.

    Raises:
        InvalidInput: the pool is empty, or no class gets an image of it.

    Source: Udandarao et al. 2023 (arXiv 2211.16198), section 3.1; retrieval from LAION-5B becomes retrieval from the
    pool. Departures: the ranks of several queries are merged, not laid end to end; copies of an image count once;
    folders are matched by name, not by their order.
    """
    if not len(pool):
        raise InvalidInput(
            "The pool of images is empty, so no support set can be made of it. "
            "Bring images beside those that are scored."
        )
    if pool.labels is None:
        at, labels = retrieve(pool, vectors, queries, per_class, one_class=one_class)
        source = f"{per_class} a class at most, nearest to its {by}, from {len(pool):,} unlabeled images"
    else:
        at, labels = _by_folder(pool, pool.labels, vectors, per_class)
        source = f"{per_class} a class at most, from {len(pool):,} images {IN_FOLDERS}"
    if not len(at):
        raise InvalidInput(
            "No class gets an image of the pool. Bring images of the classes, or folders with their names."
        )
    images = replace(pool.keep(at), labels=labels)
    purity = purity_of(images.features, labels, vectors)
    return SupportSet(images, source, purity, _notes(labels, purity, names, per_class))


def retrieve(
    pool: Images, vectors: Rows, queries: Sequence[Rows], per_class: int, *, one_class: bool = False
) -> tuple[I64, I64]:
    """(places in the pool, their classes): for each class the images nearest to its texts, best first, copies left out.

    Several queries of a class are merged by the sum of 1 / (60 + rank) over them (Cormack et al. 2009, SIGIR), so an
    image that one odd sentence draws near doesn't come first.
    """
    features = pool.features.astype(np.float64)
    owner = (features @ np.asarray(vectors, np.float64).T).argmax(1) if one_class else None
    found: list[int] = []
    labels: list[int] = []
    for c, query in enumerate(queries):
        candidates = np.arange(len(pool)) if owner is None else np.flatnonzero(owner == c)
        scores = merged(features[candidates] @ np.asarray(query, np.float64).T) if len(candidates) else np.empty(0)
        picked = distinct(pool, candidates[np.argsort(-scores, kind="stable")], per_class)
        found += picked
        labels += [c] * len(picked)
    return np.array(found, np.int64), np.array(labels, np.int64)


def merged(similarity: F64) -> F64:
    """(n,) one score for each image from its (n, q) similarity to several queries; larger is nearer."""
    if similarity.shape[1] == 1:
        return similarity[:, 0]
    ranks = np.argsort(np.argsort(-similarity, axis=0, kind="stable"), axis=0, kind="stable")
    return (1.0 / (61 + ranks)).sum(1) + 1e-9 * similarity.mean(1)  # equal ranks: by the mean cosine


def distinct(pool: Images, order: I64, most: int) -> list[int]:
    """The first `most` places of `order` whose id is new and whose vector is no near-copy of one already taken."""
    taken: list[int] = []
    ids: set[str] = set()
    vectors = np.empty((min(most, len(order)), pool.features.shape[1]), np.float32)
    for place in order.tolist():
        if len(taken) == most:
            break
        row = pool.features[place]
        if pool.ids[place] in ids or (taken and float((vectors[: len(taken)] @ row).max()) > DUPLICATE):
            continue
        vectors[len(taken)] = row
        ids.add(pool.ids[place])
        taken.append(place)
    return taken


def _by_folder(pool: Images, labels: I64, vectors: F32, per_class: int) -> tuple[I64, I64]:
    """Of each class's own folder the images nearest to its text; generated images that miss their prompt come last."""
    found: list[int] = []
    picked_labels: list[int] = []
    for c, vector in enumerate(vectors.astype(np.float64)):
        own = np.flatnonzero(labels == c)
        picked = distinct(
            pool, own[np.argsort(-(pool.features[own].astype(np.float64) @ vector), kind="stable")], per_class
        )
        found += picked
        picked_labels += [c] * len(picked)
    return np.array(found, np.int64), np.array(picked_labels, np.int64)


def purity_of(features: Rows, labels: I64, vectors: Rows) -> F32:
    """(k,) share of a class's support images that zero-shot takes for that class; nan for a class without any."""
    k = len(vectors)
    said = (features.astype(np.float64) @ vectors.astype(np.float64).T).argmax(1)
    counts = np.bincount(labels, minlength=k)
    right = np.bincount(labels[said == labels], minlength=k)
    return np.where(counts > 0, right / np.maximum(counts, 1), np.nan).astype(np.float32)


def without(pool: Images, others: Images | None) -> Images:
    """The pool without the rows of the samples that `others` holds: an image by which settings are chosen may not
    support itself."""
    if others is None or pool.rows is None or others.rows is None:
        return pool
    return pool.keep(np.flatnonzero(~np.isin(pool.rows, others.rows)).astype(np.int64))


def drop_samples(pool: Images, vectors: F32, *, above: float = 0.9999) -> tuple[Images, str]:
    """The pool without images that are also among the samples, and a sentence that counts them ("" if there are none).

    Args:
        vectors: (n, d) the samples as the same encoder sees them. A file of the same bytes has the same vector,
            whatever its name.
    """
    kept = np.ones(len(pool), np.bool_)
    for rows in row_runs(len(pool), len(vectors), BLOCK):
        kept[rows] = (pool.features[rows] @ vectors.T).max(1, initial=-1.0) <= above
    dropped = int((~kept).sum())
    if not dropped:
        return pool, ""
    said = f"{dropped:,} of the pool's {len(pool):,} images are also among the samples and were left out of it."
    return pool.keep(np.flatnonzero(kept).astype(np.int64)), said


def _notes(labels: I64, purity: F32, names: Sequence[str], per_class: int) -> tuple[str, ...]:
    counts = np.bincount(labels, minlength=len(names))
    notes: list[str] = []
    if empty := [name for name, n in zip(names, counts.tolist()) if not n]:
        notes.append(
            f"The pool gives no image to {_some(empty)}: only the name speaks for "
            f"{'it' if len(empty) == 1 else 'them'}."
        )
    if short := [name for name, n in zip(names, counts.tolist()) if 0 < n < per_class]:
        notes.append(f"The pool gives fewer than {per_class} images to {_some(short)}.")
    if odd := [name for name, share in zip(names, purity.tolist()) if share < 0.5]:
        notes.append(
            f"Zero-shot takes less than half of the support images of {_some(odd)} for that class: "
            "the pool may hold few images of "
            f"{'it' if len(odd) == 1 else 'them'}, or zero-shot not know {'it' if len(odd) == 1 else 'them'}."
        )
    return tuple(notes)


def _some(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more classes"
