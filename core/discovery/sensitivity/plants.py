"""Sites of planted patterns: groups like the data's own, compact in the embedding or alike in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.discovery.design import Design
from core.discovery.proposals import Proposals
from core.discovery.search.family import MIN_CANDIDATE_ROWS
from core.records import F64, I64
from core.statistics.groups import size_of_group
from core.statistics.tops import top_positions

PLANT_SHARES = (0.02, 0.05, 0.1, 0.2)
"""Sizes of patterns as shares of the typical class and of all samples; MIN_CANDIDATE_ROWS rows where that is more. They
span what a slice can hold; conventions."""
MAX_SIZE_RATIO = 1.25
"""A class whose size is within this factor of the typical one may hold a plant. A convention."""
MAX_PLANTED_CLASSES = 4
MAX_GROUP_SHARE = 0.1
"""Nothing is planted in a group that holds a larger share of a scope's rows: its rows would attract most neighborhoods,
and a pattern inside one group cannot be confirmed."""


@dataclass(frozen=True, slots=True, eq=False)
class PlantingSite:
    """Where patterns of a kind are planted: in all samples, or in classes of about the typical size."""

    scopes: tuple[int, ...]
    """Numbers of the design's scopes, of which each plant takes one."""
    typical: int
    """Rows of the typical one."""
    sizes: tuple[tuple[float, int], ...]
    """(share of the typical scope, rows)"""


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """One plant before its size and strength are chosen: the same rows and draws serve all of them, so that larger and
    stronger ones hold the smaller and weaker."""

    order: I64
    """(s,) rows, those nearest to the middle (or end) of the pattern first; a pattern takes as many as its size."""
    shuffled: I64
    """(n,) the row whose outcome each row takes: a permutation of all."""
    scores: F64
    """(n, m) measures of failure, so shuffled."""
    draws: F64
    """(2, s) uniform"""


def places_of(design: Design, rng: np.random.Generator) -> tuple[PlantingSite | None, PlantingSite]:
    """The classes (or superclasses, where those are searched) of about the median size, None without any; and all
    samples."""
    everything = PlantingSite((0,), len(design.scopes[0].rows), _sizes(len(design.scopes[0].rows)))
    counts = np.array([len(scope.rows) for scope in design.scopes[1:]], dtype=np.int64)
    if not len(counts):
        return None, everything
    typical, chosen = alike_in_size(counts, rng)
    return PlantingSite(tuple((chosen + 1).tolist()), typical, _sizes(typical)), everything


def alike_in_size(counts: I64, rng: np.random.Generator) -> tuple[int, I64]:
    """The median of the counts, and the places of up to MAX_PLANTED_CLASSES at random of those that are about as
    large."""
    typical = int(np.sort(counts)[len(counts) // 2])
    near = np.flatnonzero(np.maximum(counts / typical, typical / counts) <= MAX_SIZE_RATIO)
    return typical, np.sort(rng.permutation(near)[:MAX_PLANTED_CLASSES])


def _sizes(n: int) -> tuple[tuple[float, int], ...]:
    """Up to five sizes, each at least a quarter larger than the one before; the first is that of the smallest candidate
    there is."""
    sizes = [(MIN_CANDIDATE_ROWS / n, MIN_CANDIDATE_ROWS)]
    for share in PLANT_SHARES:
        if round(share * n) >= 1.25 * sizes[-1][1]:
            sizes.append((share, round(share * n)))
        elif round(share * n) >= MIN_CANDIDATE_ROWS:
            sizes[-1] = (share, round(share * n))
    return tuple(sizes)


def plantable(rows: I64, groups: I64 | None, most: int) -> I64:
    """The rows of a scope without those of groups larger than `MAX_GROUP_SHARE` of the scope (or `MIN_CANDIDATE_ROWS`);
    all where fewer than `most` would be left.

    Args:
        groups: (n,) of all rows; None where each is a group by itself.
    """
    if groups is None:
        return rows
    open_rows = rows[size_of_group(groups[rows]) <= max(MAX_GROUP_SHARE * len(rows), MIN_CANDIDATE_ROWS)]
    if len(open_rows) < most:
        return rows
    return open_rows


def draw_plants(
    proposals: Proposals, places: Sequence[I64], most: int, bases: I64, scores: F64, rng: np.random.Generator
) -> list[Plant]:
    """One plant for each column of `bases`, of three kinds in turns: a neighborhood, the end of a direction in which
    the rows spread, and the rows most like a phrase, or without words the end of any direction.

    Args:
        places: the rows of each scope where plants may lie, in turns.
        most: rows of the largest pattern.
        bases: (n, plants) permutations. scores: (n, m) measures of failure.
    """
    features = proposals.features.rows
    phrases = proposals.phrase_scores
    plants: list[Plant] = []
    squares = np.einsum("nr,nr->n", features, features)
    for number, shuffled in enumerate(bases.T):
        rows = np.sort(places[number // 3 % len(places)])
        if number % 3 == 0:
            centre = rows[rng.integers(len(rows))]
            along = 2 * (features @ features[centre]) - squares
            along[centre] = np.inf
        elif number % 3 == 1:
            weights = np.zeros(len(features), np.float32)
            weights[rows] = rng.normal(size=len(rows))
            along = features @ (weights @ features)
        elif phrases is not None:
            along = phrases[:, int(rng.integers(phrases.shape[1]))]
        else:
            # harder to find, as what phrases pick is: without it 0.8 was promised where 0.65 was found
            along = features @ rng.normal(size=features.shape[1]).astype(np.float32)
        order = top_positions(np.asarray(along[rows][None], np.float32), min(most, len(rows)))[0]
        permutation = np.ascontiguousarray(shuffled)
        plants.append(Plant(rows[order], permutation, scores[permutation], rng.random((2, min(most, len(rows))))))
    return plants
