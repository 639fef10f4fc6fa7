"""Builds the family of candidates for one data set: slices, k-means parts, conditions and phrases."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

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
"""Penalties of the class heads that cut slices. All are in the family, so none is chosen by looking at losses. One
penalty alone was better in one of three worlds and far worse in another (docs/decisions/search-inside-the-null.md)."""
OVERALL_PENALTIES = (30.0, 300.0)
"""Penalties of the head of all samples, likewise all in the family."""
CLASS_HEAD_SHARE = 2.0
"""`share` of the class heads: how far they may depart from the shared head. A convention, the same as in the
ensemble."""
PARTS_OVERALL = (6, 12, 24)
PARTS_IN_CLASS = (3, 6)
"""Numbers of k-means parts of all samples, and of each other scope. Conventions; all parts are in the family."""
MIN_PART_ROWS = 20
"""Rows that a k-means part must have on average, twice the least of a candidate, or the partition is not made."""
PHRASE_DEPTHS = (0.05, 0.1, 0.2, 0.35)
"""Shares of a scope taken as matching a phrase. Conventions; all are in the family."""
MAX_PHRASE_CELLS = 300_000_000
"""Rows times phrases times depths stay below this over all scopes, which bounds memory; the shallowest depths are
dropped first."""
MAX_KMEANS_ROWS = 20_000
"""Rows drawn from a scope to fit its k-means centers, which bounds time; the others join the nearest center."""
SUFFICIENT_CONDITION_ROWS = 30
"""A condition that this many rows meet is tested in a data set of any size; in a smaller data set a hundredth of the
rows suffices. A convention."""
MAX_CONDITION_CELLS = 30_000_000
"""Rows times conditions stay below this, which bounds memory and time."""


@dataclass(frozen=True, slots=True)
class PhraseSlice:
    """The rows of a scope that match a phrase best."""

    phrase: int
    """Index into the words' phrases."""
    depth: float


@dataclass(frozen=True, slots=True, eq=False)
class KMeansPart:
    """A k-means part of the features within one scope: the (k, r) centers of the partition, and the part's index."""

    centres: F32
    which: int


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """The family, and the lists that its tags index."""

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
    """All candidates of the search, fixed before the losses are read.

    Args:
        columns: metadata and measured properties for conditions.
        words: phrases that samples may match.
        more: conditions beside those on columns.
    """
    regions: list[Region] = []
    parts = _parts(features, design, regions, seed)
    conditions, notes = _conditions(columns, design, regions, more)
    scores = None
    phrases: list[PhraseSlice] = []
    if words is not None:
        scores = phrase_scores(words.joint.vectors, words.directions, design.centring_stratum)
        phrases = _phrases(scores, design, regions)
    smoothers, rows = _smoothers(features, design)
    family = Family(len(design.blocks), design.scopes, smoothers, regions, design.groups, rows)
    return Proposals(design, features, family, tuple(parts), conditions, notes, tuple(phrases), words, scores)


def _smoothers(features: Features, design: Design) -> tuple[list[tuple[Smoother, Sequence[int]]], HeadRows | None]:
    """For each penalty the heads that cut slices of all samples and of the other scopes; and the rows that they share,
    where each row is left out of its own prediction."""
    layout = None
    if can_leave_out(design.groups):
        layout = HeadRows.of(features.rows, design.blocks, design.head_group)

    def heads(penalty: float, share: float) -> Smoother:
        if layout is not None:
            return LeaveOutSmoother(layout, design.groups, penalty=penalty, share=share)
        heads_of_rows = design.head_group
        return HeadSmoother(
            features.rows, design.blocks, design.folds, penalty=penalty, share=share, heads=heads_of_rows
        )

    smoothers: list[tuple[Smoother, Sequence[int]]] = [(heads(penalty, 0), [0]) for penalty in OVERALL_PENALTIES]
    if len(design.scopes) > 1:
        smoothers += [(heads(penalty, CLASS_HEAD_SHARE), range(1, len(design.scopes))) for penalty in PENALTIES]
    return smoothers, layout


def _conditions(
    columns: Sequence[Column], design: Design, regions: list[Region], more: Sequence[Condition]
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions, and notes on those that were skipped; their rows in each scope are added to `regions`."""
    conditions, notes = column_conditions(columns, design)
    conditions = (*conditions, *(c for c in more if enough_rows(c.mask)))
    for tag, condition in enumerate(conditions):
        for number, scope in enumerate(design.scopes):
            rows = rows_within(condition.mask, scope)
            if rows is not None:
                regions.append(Region("condition", number, rows, tag))
    return conditions, notes


def column_conditions(columns: Sequence[Column], design: Design) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The tested conditions on columns, and notes on those that were skipped; the same whenever they are built."""
    n = len(design.blocks)
    n_scopes = len(design.scopes)
    if design.superclasses is not None:
        n_scopes = 2  # a row lies in all samples and in its superclass
    most = max(50, MAX_CONDITION_CELLS // (n * n_scopes))
    return build_conditions(columns_to_test(columns), smallest=fewest_rows(n), most=min(1500, most))


def rows_within(mask: Bool, scope: Scope) -> I64 | None:
    """The rows of a scope that meet a condition; None where too few meet it or too few do not."""
    rows = scope.rows[mask[scope.rows]]
    if MIN_CANDIDATE_ROWS <= len(rows) <= len(scope.rows) - MIN_CANDIDATE_ROWS:
        return rows
    return None


def fewest_rows(n: int) -> int:
    """Rows of n that must meet a condition at least, and as many must not."""
    return max(MIN_CANDIDATE_ROWS, min(round(0.01 * n), SUFFICIENT_CONDITION_ROWS))


def enough_rows(masks: Bool) -> Bool:
    """(...) whether enough rows meet each of (n, ...) conditions, and enough do not."""
    counts = masks.sum(0)
    smallest = fewest_rows(len(masks))
    return (smallest <= counts) & (counts <= len(masks) - smallest)


def _phrases(scores: F32, design: Design, regions: list[Region]) -> list[PhraseSlice]:
    """The phrase slices; their rows in each scope are added to `regions`."""
    slices: list[PhraseSlice] = []
    for number, scope in enumerate(design.scopes):
        order = scope.rows[np.argsort(-scores[scope.rows], axis=0, kind="stable")]  # (rows of the scope, P)
        for depth, size in phrase_sizes(len(order), scores.size, len(design.scopes)):
            for phrase in range(scores.shape[1]):
                regions.append(Region("phrase", number, np.sort(order[:size, phrase]), len(slices)))
                slices.append(PhraseSlice(phrase, depth))
    return slices


def phrase_sizes(n: int, cells: int, n_scopes: int) -> list[tuple[float, int]]:
    """The (depth, rows) pairs at which a phrase is tested in a scope of n rows.

    Args:
        cells: rows times phrases of the whole data set.
    """
    affordable = MAX_PHRASE_CELLS // max(1, cells * (2 if n_scopes > 1 else 1))
    sizes = [(depth, round(depth * n)) for depth in PHRASE_DEPTHS[-max(1, affordable) :]]
    return [(depth, size) for depth, size in sizes if size >= MIN_CANDIDATE_ROWS]


def _parts(features: Features, design: Design, regions: list[Region], seed: int) -> list[KMeansPart]:
    """k-means parts of each scope, formed without the losses; their rows are added to `regions`."""
    from sklearn.cluster import KMeans  # type: ignore[import-untyped]  # a saved run opens without it

    parts: list[KMeansPart] = []
    for number, scope in enumerate(design.scopes):
        scope_features = rows_at(features.rows, scope.rows)
        some = scope_features[some_rows(len(scope_features), MAX_KMEANS_ROWS, seed)]
        counts = PARTS_OVERALL if number == 0 else PARTS_IN_CLASS
        for count in counts:
            if len(scope.rows) < count * MIN_PART_ROWS:
                continue
            with warnings.catch_warnings():
                # fewer distinct points than parts: those parts stay empty and are dropped below
                warnings.simplefilter("ignore")
                means = KMeans(count, n_init=1, random_state=seed).fit(some)  # type: ignore[arg-type]
            labels = means.labels_
            if len(some) < len(scope_features):
                labels = means.predict(scope_features)
            for which in range(count):
                inside = scope.rows[labels == which]
                if MIN_CANDIDATE_ROWS <= len(inside) <= len(scope.rows) - MIN_CANDIDATE_ROWS:
                    regions.append(Region("region", number, inside, len(parts)))
                    parts.append(KMeansPart(np.asarray(means.cluster_centers_, dtype=np.float32), which))
    return parts


def margin(rows: F32 | F64, part: KMeansPart) -> F64:
    """(m,) squared distance to the nearest other center minus that to the part's center; positive for members."""
    squared = ((part.centres**2).sum(1)[None] - 2 * rows @ part.centres.T).astype(np.float64)
    return np.delete(squared, part.which, axis=1).min(1) - squared[:, part.which]
