"""Builds the family of candidates for one data set: where slices are cut, k-means parts, conditions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans  # type: ignore[import-untyped]

from core.clusters import Part
from core.conditions import Condition, build_conditions
from core.layout import Layout
from core.records import I64, Column
from core.regressors import Features, HeadSmoother
from core.search import SMALLEST, Family, Region

PENALTIES = (3.0, 30.0, 300.0)
"""Of the heads that cut slices; all three are in the family, so none is chosen by looking."""
SHARE = 2.0
PARTS_OVERALL, PARTS_IN_CLASS = (6, 12, 24), (3, 6)
"""How many k-means parts each scope is cut into."""
SMALLEST_PART = 20
"""On average a k-means part has at least so many rows, or the cut is not made."""
CONDITION_CELLS = 30_000_000
"""Rows times conditions are kept below this, which bounds memory and time."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """The family, and what its tags point to."""

    family: Family
    parts: tuple[Part, ...]
    conditions: tuple[Condition, ...]
    notes: tuple[str, ...]


def propose(features: Features, layout: Layout, folds: I64, columns: Sequence[Column], seed: int) -> Proposals:
    """Everything that will be looked at, decided before any loss is.

    Args:
        columns: metadata and measured properties that may serve as conditions.
    """
    n = len(layout.blocks)
    scopes = layout.scopes
    smoothers: list[tuple[HeadSmoother, Sequence[int]]] = []
    for penalty in PENALTIES:
        smoothers.append((HeadSmoother(features.rows, layout.blocks, folds, penalty=penalty, share=0), [0]))
        if len(scopes) > 1:
            smoothers.append((HeadSmoother(features.rows, layout.blocks, folds, penalty=penalty, share=SHARE), range(1, len(scopes))))
    regions: list[Region] = []
    parts = _parts(features, layout, regions, seed)
    most = max(50, CONDITION_CELLS // (n * len(scopes)))
    conditions, notes = build_conditions(columns, smallest=max(SMALLEST, round(0.01 * n)), most=min(1500, most))
    for tag, condition in enumerate(conditions):
        for number, scope in enumerate(scopes):
            mask = condition.mask if number == 0 else condition.mask & (layout.blocks == scope.block)
            size = int(mask.sum())
            if SMALLEST <= size <= len(scope.rows) - SMALLEST:
                regions.append(Region("condition", number, np.flatnonzero(mask), tag))
    return Proposals(Family(n, scopes, smoothers, regions), tuple(parts), conditions, notes)


def _parts(features: Features, layout: Layout, regions: list[Region], seed: int) -> list[Part]:
    """k-means parts of each scope, added to `regions`; the loss is not looked at."""
    parts: list[Part] = []
    for number, scope in enumerate(layout.scopes):
        for count in PARTS_OVERALL if number == 0 else PARTS_IN_CLASS:
            if len(scope.rows) < count * SMALLEST_PART:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # fewer distinct points than parts: those parts stay empty and are dropped below
                means = KMeans(
                    count,
                    n_init=1,  # type: ignore[arg-type]
                    random_state=seed,
                ).fit(features.rows[scope.rows])
            for which in range(count):
                inside = scope.rows[means.labels_ == which]
                if SMALLEST <= len(inside) <= len(scope.rows) - SMALLEST:
                    regions.append(Region("region", number, inside, len(parts)))
                    parts.append(Part(np.asarray(means.cluster_centers_, dtype=np.float32), which))
    return parts
