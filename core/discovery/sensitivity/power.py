"""How often a failure would have been found: patterns of several sizes and strengths planted into permuted losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product

import numpy as np

from core.discovery.clusters import best_passing
from core.discovery.design import FailureMeasures
from core.discovery.proposals import Proposals
from core.discovery.search.cores import on_all_cores
from core.discovery.search.family import MIN_CANDIDATE_ROWS, Family, MarkedReading, Region, Smoother
from core.discovery.search.family_test import FamilyTest
from core.discovery.search.scope_scores import N_TOP_MEMBERS
from core.discovery.sensitivity.plants import Plant, PlantingSite, draw_plants, places_of, plantable
from core.discovery.sensitivity.strengths import Strengths, strengths_of
from core.discovery.sensitivity.whole_classes import ClassRows, whole_classes
from core.records import (
    EVERYTHING,
    F32,
    F64,
    I64,
    Detectable,
    Outcomes,
    PlantedPattern,
    Progress,
    Sensitivity,
    no_progress,
)
from core.row_runs import row_runs
from core.statistics.permutation import permutation_threshold
from core.statistics.runs import clopper_pearson

POWER = 0.8
N_PLANTS = 40
MIN_PLANTS = 10
"""Plants of each size and strength: enough for an exact 95% interval of at most 0.17 to either side. With many rows
fewer, so that rows times plants stay below MAX_PLANTED_CELLS, which bounds time."""
MAX_PLANTED_CELLS = 2_000_000
BATCH_CELLS = 16_000_000
MIN_BATCH_PLANTS = 8
"""Rows times columns processed at once, which bounds memory; with many rows at least MIN_BATCH_PLANTS plants, since
each pass reads all features (8 instead of 4 saved a seventh to a fifth of the CPU seconds at 200,000 rows)."""
FIRST_PLANTS_DIVISOR = 5
"""One plant in this many of each size is read first, at least two; they show where to look for the others."""
STEP = "Planting failures"
"""Name of the step in progress reports."""
MIN_PLANTED_SHARE = 0.5
"""Share of a cluster's samples that must be planted for the plant to count as found. Passing alone is not enough: in
1,000 made-up rows of ten classes a cluster passes for each of 40 patterns of 50 rows that always fail, and only 26
times the pattern is what it shows (docs/decisions/sensitivity.md)."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What a statistic must reach: alpha without the share reserved for "the loss is predictable", or the whole alpha
    where the trend passes on that share, as in `core.discovery.clusters.find_clusters`."""

    strict: float
    open: float
    trend: float

    @classmethod
    def of(cls, test: FamilyTest, *, alpha: float, reserved: float) -> Levels:
        trend = np.inf
        if test.trend_null is not None:
            trend = permutation_threshold(test.trend_null, reserved)
        return cls(permutation_threshold(test.null, alpha - reserved), permutation_threshold(test.null, alpha), trend)


def measure_sensitivity(
    proposals: Proposals,
    test: FamilyTest,
    measured: FailureMeasures,
    outcomes: Outcomes,
    *,
    alpha: float,
    predictability_alpha: float,
    classes: ClassRows | None,
    seed: int,
    progress: Progress = no_progress,
) -> Sensitivity | None:
    """Plant patterns of 10 rows and of 2, 5, 10 and 20% of the typical class and of all samples, and count how many
    are found; None where nothing could be permuted.

    Everything but the plant is permuted, so there is nothing to find but it. It is read as the run was: by the same
    slices and regions, in the same measures, against the same null. Found is a plant where the cluster that the run
    would show first is its own (`_is_found`).

    Args:
        test: the first test of the family. measured: what was tested in it.
        alpha: the part of the run's level spent inside classes, which includes `predictability_alpha`.
        classes: what is tested as wholes; None where no class is.
    """
    if not test.is_permuted:
        return None
    rng = np.random.default_rng(seed)
    design = proposals.design
    permuter = design.permuter(measured.standardised_residuals)
    strengths = strengths_of(outcomes, design, test.names)
    levels = Levels.of(test, alpha=alpha, reserved=predictability_alpha)
    reader = _Reader(measured, _raw(outcomes, test), design.centring_stratum, permuter.grouped, strengths, levels)
    inside, everywhere = places_of(design, rng)
    count = min(N_PLANTS, max(MIN_PLANTS, MAX_PLANTED_CELLS // len(design.blocks)))
    patterns: list[PlantedPattern] = []
    left_out: set[int] = set()
    sites = [everywhere]
    names: tuple[str, ...] = ()
    size = 0
    if inside is not None:
        sites = [inside, everywhere]
        names = tuple(design.scopes[number].name for number in inside.scopes)
        size = inside.typical
    for site in sites:
        largest = site.sizes[-1][1]
        open_rows: list[I64] = []
        for number in site.scopes:
            rows = design.scopes[number].rows
            open_rows.append(plantable(rows, design.groups, largest))
            left_out.update(np.setdiff1d(rows, open_rows[-1]).tolist())
        bases = permuter.draw(count, rng)
        plants = draw_plants(proposals, open_rows, largest, bases, measured.standardised_residuals, rng)
        searched = (0, *site.scopes)
        if site is everywhere:
            searched = range(len(design.scopes))
        patterns += _grid(reader, narrowed_family(proposals.family, searched), site, plants, outcomes, progress)
    if classes is not None:
        patterns += whole_classes(classes, strengths, count, rng)
    return Sensitivity(
        strengths.unit, strengths.base, names, size, len(design.blocks), tuple(patterns),
        power=POWER, smallest=MIN_CANDIDATE_ROWS, surest=N_TOP_MEMBERS, unplanted=len(left_out),
    )  # fmt: skip


def _raw(outcomes: Outcomes, test: FamilyTest) -> F64:
    """(n, m) the measures as they are."""
    known = {"error rate": outcomes.errors, "mean loss": outcomes.fitted}
    return np.stack([np.asarray(known[name], np.float64) for name in test.names], 1)


def narrowed_family(family: Family, scopes: Sequence[int]) -> Family:
    """Its slices and k-means parts of some scopes alone. Conditions and phrases make no cluster."""
    number_of = {scope: number for number, scope in enumerate(scopes)}
    regions: list[Region] = []
    for region in family.regions:
        if region.kind == "region" and region.scope in number_of:
            regions.append(replace(region, scope=number_of[region.scope]))
    smoothers: list[tuple[Smoother, list[int]]] = []
    for smoother, cut_scopes in family.smoothers:
        numbers = [number_of[scope] for scope in cut_scopes if scope in number_of]
        if numbers:
            smoothers.append((smoother, numbers))
    return Family(family.n, [family.scopes[s] for s in scopes], smoothers, regions, family.groups, family.rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """What makes a plant's scores, and what they must reach."""

    measured: FailureMeasures
    raw: F64
    """(n, m) the measures as they are."""
    centring_stratum: I64
    grouped: bool
    strengths: Strengths
    levels: Levels

    def added(self, plant: Plant, size: int, strength: float) -> F64:
        """(size, m) what the plant adds to each measure of its rows."""
        near = plant.order[:size]
        shuffled = plant.shuffled[plant.order[:size]]
        source = self.strengths.sources(near, shuffled, plant.draws[:, :size], strength)
        return self.raw[source] - self.raw[shuffled]

    def scores(self, plant: Plant, size: int, strength: float) -> F32:
        """(n, m) scores with the plant."""
        near = plant.order[:size]
        scores = plant.scores.copy()
        change = self.added(plant, size, strength) / self.measured.scale
        scores[near] += change
        classes = self.centring_stratum[near]
        counts = np.bincount(self.centring_stratum)
        for measure in range(scores.shape[1]):  # each class keeps the mean that it had
            mean = np.bincount(classes, change[:, measure], len(counts)) / np.maximum(counts, 1)
            scores[:, measure] -= mean[self.centring_stratum]
        if self.grouped:
            scores -= scores.mean(0)
        return scores.astype(np.float32)


def _grid(
    reader: _Reader, family: Family, site: PlantingSite, plants: Sequence[Plant], outcomes: Outcomes, progress: Progress
) -> list[PlantedPattern]:
    """One pattern for each size and strength."""
    sizes = [size for _, size in site.sizes]
    values = reader.strengths.values
    weakest = weakest_found(reader, family, sizes, plants, progress)
    names = reader.measured.names
    scope = EVERYTHING if site.scopes == (0,) else "class"
    patterns: list[PlantedPattern] = []
    for (at, (share, size)), (step, strength) in product(enumerate(site.sizes), enumerate(values)):
        hits = weakest[at] <= step
        gain = np.mean([reader.added(plant, size, strength).mean(0) for plant in plants], axis=0)  # (m,)
        of = dict(zip(names, gain.tolist()))
        patterns.append(
            PlantedPattern(
                scope=scope,
                size=size,
                share=share,
                strength=strength,
                excess_loss=of.get("mean loss", of.get("error rate", 0.0) * float(np.ptp(outcomes.fitted))),
                error_difference=of.get("error rate"),
                n_plants=len(hits),
                n_found=int(hits.sum()),
                found=clopper_pearson(int(hits.sum()), len(hits)),
            )
        )
    return patterns


def weakest_found(
    reader: _Reader, family: Family, sizes: Sequence[int], plants: Sequence[Plant], progress: Progress
) -> I64:
    """(sizes, plants) the place of the weakest strength at which each plant is found, the number of strengths where it
    is found at none. By dividing: a stronger plant holds the weaker one, so what is found stays found. The first plants
    of a size tell where to look for the others."""
    values = reader.strengths.values
    shape = len(sizes), len(plants)
    low = np.zeros(shape, np.int64)
    high = np.full(shape, len(values))
    width = max(MIN_BATCH_PLANTS, BATCH_CELLS // (2 * reader.raw.size))
    progress(STEP, 0, low.size * len(values))
    for first in (max(2, len(plants) // FIRST_PLANTS_DIVISOR), len(plants)):
        while (still := np.argwhere(low[:, :first] < high[:, :first])).size:
            middle = _dividing(low, high, len(values))
            chunks = [still[at] for at in row_runs(len(still), 1, width)]
            jobs: list[list[tuple[Plant, int, float]]] = []
            for some in chunks:
                jobs.append([(plants[p], sizes[s], values[middle[s, p]]) for s, p in some])
            read = chain.from_iterable(on_all_cores(partial(read_plants, reader, family), jobs))
            for some, hits in zip(chunks, read, strict=True):
                for (s, p), hit in zip(some, hits):
                    if hit:
                        high[s, p] = middle[s, p]
                    else:
                        low[s, p] = middle[s, p] + 1
                progress(STEP, int((len(values) - high + low).sum()), low.size * len(values))
    return high


def _dividing(low: I64, high: I64, n_values: int) -> I64:
    """(sizes, plants) the strength that divides most evenly what a plant's weakest may still be, low to high, where it
    is expected to be that of the plants of its size which are known; of those that are known, any."""
    places = np.arange(n_values + 1)
    known = ((low == high)[..., None] & (low[..., None] == places)).sum(1, keepdims=True)
    may = (low[..., None] <= places) & (places <= high[..., None])
    weights = np.where(may, known + 1 / len(places), 0)
    beside = np.abs(2 * np.cumsum(weights, 2) - weights.sum(2, keepdims=True))
    return np.where(may & (places < high[..., None]), beside, np.inf).argmin(2)


def read_plants(reader: _Reader, family: Family, jobs: Sequence[tuple[Plant, int, float]]) -> list[bool]:
    """Whether each is found."""
    m = reader.raw.shape[1]
    columns = np.empty((family.n, len(jobs), m), np.float32)
    marks = np.zeros((family.n, len(jobs), m), np.float32)
    for at, (plant, size, strength) in enumerate(jobs):
        columns[:, at] = reader.scores(plant, size, strength)
        marks[plant.order[:size], at] = 1
    reading = family.read_marked(columns.reshape(family.n, -1), marks.reshape(family.n, -1))
    return [_is_found(family, reading, slice(at * m, at * m + m), reader.levels) for at in range(len(jobs))]


def _is_found(family: Family, reading: MarkedReading, columns: slice, levels: Levels) -> bool:
    """Whether a cluster passes, and at least half of the one that the run would show first is of the plant: of its
    surest ten samples, or of all."""
    observed = reading.statistics[:, columns]
    threshold = levels.open if reading.trend[columns].max() >= levels.trend else levels.strict
    if observed.max(initial=-np.inf) < threshold:
        return False
    best, measure = divmod(best_passing(family, observed, reading.excess[:, columns], threshold), observed.shape[1])
    at = best, columns.start + measure
    return bool(max(reading.top10_marked_share[at], reading.marked[at]) >= MIN_PLANTED_SHARE)


def smallest_detectable(sensitivity: Sensitivity | None) -> tuple[Detectable, ...]:
    """Of each size the weakest effect that is found often enough."""
    if sensitivity is None:
        return ()
    power = sensitivity.power
    weakest: dict[int, Detectable] = {}
    for pattern in sensitivity.patterns:
        if pattern.scope == "whole class":
            continue
        known = weakest.setdefault(pattern.size, Detectable(pattern.size, None, None, power))
        if known.excess_loss is None and pattern.found.value >= power:
            weakest[pattern.size] = Detectable(pattern.size, pattern.excess_loss, pattern.error_difference, power)
    return tuple(sorted(weakest.values(), key=lambda d: d.size))
