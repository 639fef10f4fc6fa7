"""Builds the family of candidates for one data set: where slices are cut, k-means parts, conditions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.discovery.conditions import Condition, build_conditions, columns_to_test
from core.discovery.design import Design
from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import HeadSmoother, rows_at
from core.discovery.ridge.layout import HeadRows
from core.discovery.ridge.leave_out import LeaveOutSmoother, can_leave_out
from core.discovery.search.family import MIN_CANDIDATE_ROWS, Family, Region, Scope, Smoother
from core.language.directions import phrase_scores
from core.records import F32, F64, I64, Bool, Column, Words
from core.row_runs import some_rows

PENALTIES = (3.0, 30.0, 300.0)
OVERALL_PENALTIES = (30.0, 300.0)
"""Of the heads that cut slices: of the classes, and of all samples. All are in the family, so none is chosen by
looking."""
SHARE = 2.0
PARTS_OVERALL = (6, 12, 24)
PARTS_IN_CLASS = (3, 6)
"""How many k-means parts each scope is cut into."""
MIN_PART_ROWS = 20
"""On average a k-means part has at least so many rows, or the cut is not made."""
PHRASE_DEPTHS = (0.05, 0.1, 0.2, 0.35)
"""Shares of a scope that may be said to look like a phrase."""
PHRASE_CELLS = 300_000_000
"""Rows times phrases times depths are kept below this over all scopes; the shallowest depths go first."""
MOST_CLUSTERED = 20_000
"""Rows of a scope that its k-means centers are found among, drawn; the others join the nearest."""
ENOUGH_ROWS = 30
"""A condition that so many rows meet is tested in a data set of any size; in a smaller one from a hundredth of its
rows."""
CONDITION_CELLS = 30_000_000
"""Rows times conditions are kept below this, which bounds memory and time."""


@dataclass(frozen=True, slots=True)
class PhraseSlice:
    """The rows of a scope that look most like a phrase."""

    phrase: int
    """Index into the words' phrases."""
    depth: float


@dataclass(frozen=True, slots=True, eq=False)
class KMeansPart:
    """A k-means part of the features within one scope: centers (k, r) of the partition, and which one it is."""

    centres: F32
    which: int


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """The family, and what its tags point to."""

    design: Design
    features: Features
    family: Family
    parts: tuple[KMeansPart, ...]
    conditions: tuple[Condition, ...]
    notes: tuple[str, ...]
    phrases: tuple[PhraseSlice, ...] = ()
    words: Words | None = None
    phrase_scores: F32 | None = None
    """(n, P) of `core.language.directions.phrase_scores`."""


def propose(
    design: Design,
    features: Features,
    columns: Sequence[Column],
    seed: int,
    words: Words | None = None,
    more: Sequence[Condition] = (),
) -> Proposals:
    """Everything that will be looked at, decided before any loss is.

    Args:
        columns: metadata and measured properties that may serve as conditions.
        words: phrases that samples may look like.
        more: conditions beside those on columns.
    """
    regions: list[Region] = []
    parts = _parts(features, design, regions, seed)
    conditions, notes = _conditions(columns, design, regions, more)
    scores = None if words is None else phrase_scores(words.joint.vectors, words.directions, design.centring_stratum)
    phrases = [] if scores is None else _phrases(scores, design, regions)
    smoothers, rows = _smoothers(features, design)
    family = Family(len(design.blocks), design.scopes, smoothers, regions, design.groups, rows)
    return Proposals(design, features, family, tuple(parts), conditions, notes, tuple(phrases), words, scores)


def _smoothers(features: Features, design: Design) -> tuple[list[tuple[Smoother, Sequence[int]]], HeadRows | None]:
    """For each penalty the heads that cut slices of all samples, and those that cut the slices of the other scopes; and
    the rows that they share, where each leaves its own out."""
    layout = HeadRows.of(features.rows, design.blocks, design.head_group) if can_leave_out(design.groups) else None

    def heads(penalty: float, share: float) -> Smoother:
        if layout is not None:
            return LeaveOutSmoother(layout, design.groups, penalty=penalty, share=share)
        how: dict[str, Any] = {"penalty": penalty, "share": share, "heads": design.head_group}
        return HeadSmoother(features.rows, design.blocks, design.folds, **how)

    smoothers: list[tuple[Smoother, Sequence[int]]] = [(heads(penalty, 0), [0]) for penalty in OVERALL_PENALTIES]
    if len(design.scopes) > 1:
        smoothers += [(heads(penalty, SHARE), range(1, len(design.scopes))) for penalty in PENALTIES]
    return smoothers, layout


def _conditions(
    columns: Sequence[Column], design: Design, regions: list[Region], more: Sequence[Condition]
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions, with their rows in each scope added to `regions`, and notes on what was left out."""
    conditions, notes = column_conditions(columns, design)
    conditions = (*conditions, *(c for c in more if enough_rows(c.mask)))
    for tag, condition in enumerate(conditions):
        for number, scope in enumerate(design.scopes):
            rows = rows_within(condition.mask, scope)
            if rows is not None:
                regions.append(Region("condition", number, rows, tag))
    return conditions, notes


def column_conditions(columns: Sequence[Column], design: Design) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions on columns that are tested, and notes on what was left out: the same whenever they are built."""
    n = len(design.blocks)
    most = max(50, CONDITION_CELLS // (n * (2 if design.superclasses is not None else len(design.scopes))))
    return build_conditions(columns_to_test(columns), smallest=fewest_rows(n), most=min(1500, most))


def rows_within(mask: Bool, scope: Scope) -> I64 | None:
    """The rows of a scope that meet a condition; None where they are too few, or too few are left, to be tested."""
    rows = scope.rows[mask[scope.rows]]
    return rows if MIN_CANDIDATE_ROWS <= len(rows) <= len(scope.rows) - MIN_CANDIDATE_ROWS else None


def fewest_rows(n: int) -> int:
    """Of n rows, so many at least must meet a condition, and as many must not."""
    return max(MIN_CANDIDATE_ROWS, min(round(0.01 * n), ENOUGH_ROWS))


def enough_rows(masks: Bool) -> Bool:
    """Of (n, ...) conditions, (...) whether enough rows meet each and enough do not."""
    counts = masks.sum(0)
    smallest = fewest_rows(len(masks))
    return (smallest <= counts) & (counts <= len(masks) - smallest)


def _phrases(scores: F32, design: Design, regions: list[Region]) -> list[PhraseSlice]:
    """The rows that look most like each phrase in each scope, added to `regions`."""
    made: list[PhraseSlice] = []
    for number, scope in enumerate(design.scopes):
        order = scope.rows[np.argsort(-scores[scope.rows], axis=0, kind="stable")]  # (rows of the scope, P)
        for depth, size in phrase_sizes(len(order), scores.size, len(design.scopes)):
            for phrase in range(scores.shape[1]):
                regions.append(Region("phrase", number, np.sort(order[:size, phrase]), len(made)))
                made.append(PhraseSlice(phrase, depth))
    return made


def phrase_sizes(n: int, cells: int, n_scopes: int) -> list[tuple[float, int]]:
    """The depths at which a phrase is tested in a scope of n rows, and how many rows each holds.

    Args:
        cells: rows times phrases of the whole data set.
    """
    affordable = PHRASE_CELLS // max(1, cells * (2 if n_scopes > 1 else 1))
    sizes = [(depth, round(depth * n)) for depth in PHRASE_DEPTHS[-max(1, affordable) :]]
    return [(depth, size) for depth, size in sizes if size >= MIN_CANDIDATE_ROWS]


def _parts(features: Features, design: Design, regions: list[Region], seed: int) -> list[KMeansPart]:
    """k-means parts of each scope, added to `regions`; the loss is not looked at."""
    from sklearn.cluster import KMeans  # type: ignore[import-untyped]  # a saved run opens without it

    parts: list[KMeansPart] = []
    for number, scope in enumerate(design.scopes):
        own = rows_at(features.rows, scope.rows)
        some = own[some_rows(len(own), MOST_CLUSTERED, seed)]
        for count in PARTS_OVERALL if number == 0 else PARTS_IN_CLASS:
            if len(scope.rows) < count * MIN_PART_ROWS:
                continue
            with warnings.catch_warnings():
                # fewer distinct points than parts: those parts stay empty and are dropped below
                warnings.simplefilter("ignore")
                means = KMeans(count, n_init=1, random_state=seed).fit(some)  # type: ignore[arg-type]
            labels = means.labels_ if len(some) == len(own) else means.predict(own)
            for which in range(count):
                inside = scope.rows[labels == which]
                if MIN_CANDIDATE_ROWS <= len(inside) <= len(scope.rows) - MIN_CANDIDATE_ROWS:
                    regions.append(Region("region", number, inside, len(parts)))
                    parts.append(KMeansPart(np.asarray(means.cluster_centers_, dtype=np.float32), which))
    return parts


def margin(rows: F32 | F64, part: KMeansPart) -> F64:
    """(m,) how much nearer the part's center is than the nearest other one; positive for members."""
    squared = ((part.centres**2).sum(1)[None] - 2 * rows @ part.centres.T).astype(np.float64)
    own = squared[:, part.which]
    return np.delete(squared, part.which, axis=1).min(1) - own
