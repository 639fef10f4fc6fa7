"""Two models on the same items of one benchmark: who is better, on what, and is that more than chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.records import F64, I64, Estimate
from core.statistics.paired import paired_difference, paired_p, sign_flip_p
from core.statistics.permutation import holm
from core.systems.composition.records import (
    ALL_ITEMS,
    LOWER_IS_BETTER,
    ComparedMetric,
    CompositionComparison,
    CompositionResult,
)
from core.systems.composition.scoring.measures import TagScope, estimate_of, macro_of, mean_of, scopes_of


def compare_results(
    a: CompositionResult, b: CompositionResult, *, seed: int = 0, by_tag: bool = True
) -> CompositionComparison:
    """Every metric of A and B over all items that both have, and by each value of each tag.

    Args:
        by_tag: False asks only of all items, so that p is not adjusted.

    Returns:
        Rows in the order of A's metrics, each over all items and then by scope. Of right and wrong: McNemar's mid-p and
        the paired interval; where items share images, whole groups change sides and are resampled. Of average
        precision, ranks, and means over the values of a tag: signs are flipped and items resampled; "only A" then
        counts the items on which A is strictly better. p is adjusted (Holm) over the scopes of one metric, not over
        metrics.

    Raises:
        InvalidInput: the results are of different benchmarks, share no item, or differ in an item's form.
    """
    _check_same(a, b)
    rows_a, rows_b = _common(a, b)
    groups = next((g[r] for g, r in ((a.groups, rows_a), (b.groups, rows_b)) if g is not None), None)
    tags = {tag: tuple(values[row] for row in rows_a.tolist()) for tag, values in a.tags.items()}
    scopes = (TagScope("", ALL_ITEMS, np.arange(len(rows_a))), *(scopes_of(tags, a.average) if by_tag else ()))
    averaged = np.array(tags.get(a.average, ()), str)
    compared: list[ComparedMetric] = []
    for key in (metric.key for metric in a.metrics):
        share = key in a.correct and key in b.correct
        if share or (key in a.values and key in b.values):
            x, y = (
                (result.correct if share else result.values)[key][rows].astype(np.float64)
                for result, rows in ((a, rows_a), (b, rows_b))
            )
            sides = _Sides(key, x, y, groups, averaged, share, seed)
            compared += _adjusted([_compared(sides, scope) for scope in scopes])
    return CompositionComparison(a.name, b.name, a.benchmark, tuple(compared), _notes(a, b, len(rows_a)))


def _check_same(a: CompositionResult, b: CompositionResult) -> None:
    for mine, theirs in ((a.title, b.title), (a.benchmark, b.benchmark)):
        if mine != theirs:
            raise InvalidInput(
                f"Two results must be on one benchmark: {a.name!r} is on {mine} and {b.name!r} on {theirs}. Run "
                "both on one."
            )


def _common(a: CompositionResult, b: CompositionResult) -> tuple[I64, I64]:
    """Rows of A and of B of the items that both have, in A's order."""
    row_of = {name: row for row, name in enumerate(b.ids)}
    both = [(row, row_of[name]) for row, name in enumerate(a.ids) if name in row_of]
    if not both:
        raise InvalidInput(
            f"{a.name!r} and {b.name!r} share no item of {a.title}. Run both on the same file and images."
        )
    for row, row_b in both:
        shape_a = a.matrices[row].shape
        shape_b = b.matrices[row_b].shape
        if shape_a != shape_b:
            sizes = " and ".join(" x ".join(map(str, shape)) for shape in (shape_a, shape_b))
            raise InvalidInput(
                f"Item {a.ids[row]!r} has {sizes} scores in {a.name!r} and {b.name!r}, so it is not the same "
                "item. Run both on one file."
            )
    return np.array([row for row, _ in both], np.int64), np.array([row_b for _, row_b in both], np.int64)


def _notes(a: CompositionResult, b: CompositionResult, n: int) -> tuple[str, ...]:
    notes: list[str] = []
    for mine, theirs in ((a, b), (b, a)):
        if alone := len(mine.ids) - n:
            which = "1 item is"
            if alone != 1:
                which = f"{alone:,} items are"
            notes.append(f"{which} left out: only {mine.name!r} has a score, not {theirs.name!r}.")
    return tuple(notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """One metric of two models on the same n items."""

    key: str
    a: F64
    b: F64
    groups: I64 | None
    averaged: npt.NDArray[np.str_]
    """(n,) values of the tag that the headline averages over, "" where an item has none; empty without such a tag."""
    share: bool
    """Whether the metric is right or wrong on an item."""
    seed: int


def _compared(sides: _Sides, scope: TagScope) -> ComparedMetric:
    """The metric in one scope, with p not yet adjusted."""
    rows = scope.rows
    strata = None
    averaged = sides.averaged
    # as the headline: items without a value play no part
    if scope.value == ALL_ITEMS and not scope.tag and averaged.any():
        rows = rows[averaged[rows] != ""]
        strata = averaged[rows]
    x = sides.a[rows]
    y = sides.b[rows]
    mine = None
    if sides.groups is not None:
        mine = sides.groups[rows]
    better = y - x if sides.key not in LOWER_IS_BETTER else x - y
    difference, p = _tested(x, y, mine, strata, share=sides.share, seed=sides.seed)
    a, b = (
        estimate_of(values, mine, strata, share=sides.share, rng=np.random.default_rng(sides.seed)) for values in (x, y)
    )
    label = f"{scope.tag}: {scope.value}" if scope.tag else scope.value
    only_a = int((better < 0).sum())
    only_b = int((better > 0).sum())
    return ComparedMetric(sides.key, label, len(rows), a, b, difference, p, only_a, only_b)


def _tested(
    x: F64, y: F64, groups: I64 | None, strata: npt.NDArray[np.str_] | None, *, share: bool, seed: int
) -> tuple[Estimate, float]:
    """B minus A with its interval, and the two-sided p that neither is better."""
    differ = bool((x != y).any())
    if strata is not None:
        places = np.unique(strata, return_inverse=True)[1].astype(np.int64)
        sizes = np.bincount(places)
        weights = len(places) / (len(sizes) * sizes[places])  # each value of the tag weighs the same
        p = sign_flip_p((y - x) * weights, groups, seed=seed)
        if not differ:
            return _no_difference(len(x), groups, share), p
        return macro_of(y - x, places, groups, np.random.default_rng(seed)), p
    if not share:
        return mean_of(y - x, groups, np.random.default_rng(seed)), sign_flip_p(y - x, groups, seed=seed)
    wrong_a = x == 0
    wrong_b = y == 0
    p = paired_p(wrong_a, wrong_b, groups, seed=seed)
    if not differ:
        return _no_difference(len(x), groups, share), p
    return paired_difference(wrong_a, wrong_b, groups), p


def _no_difference(n: int, groups: I64 | None, share: bool) -> Estimate:
    """No item on which the two differ: nothing to resample, but still an interval, for the number of items there are
    groups."""
    same = np.zeros(n if groups is None else len(np.unique(groups)), bool)
    if share:
        return paired_difference(same, same)
    return Estimate(0.0, 0.0, 0.0)


def _adjusted(rows: list[ComparedMetric]) -> list[ComparedMetric]:
    return [replace(row, p=float(p)) for row, p in zip(rows, holm([row.p for row in rows]))]
