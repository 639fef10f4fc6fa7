"""Rows of the tables of composition, for report and page: figures as they are written, nothing laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.numbers import bracketed, p_value, points, with_interval
from core.reports.html.intervals import interval_bar, interval_range
from core.systems.composition.records import (
    LOWER_IS_BETTER,
    ComparedMetric,
    CompositionComparison,
    CompositionResult,
    Metric,
)
from core.systems.composition.reports import wording as wording

if TYPE_CHECKING:
    from core.systems.composition.training.forgetting_rows import ForgettingRow

ALPHA = 0.05
OPEN_TAGS = 2
"""Tags whose values are compared at once; those of the others are folded away."""
SIGNS = {"lost": ("▼", "bad"), "gained": ("▲", "held"), "kept": ("=", "held"), "open": ("?", "even")}
"""(sign, class) by verdict on what a training cost."""


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """One metric over all items and by kind of item."""

    title: str
    shown: list[dict[str, Any]]
    folded: list[dict[str, Any]]


def compared_tables(
    comparison: CompositionComparison, digits: int | None = 1, *, bars: bool = False
) -> list[ComparedTable]:
    """A table for each metric: all items and the first tags, then the other tags.

    Args:
        digits: decimals of a per cent, see `core.systems.composition.reports.wording.figure`.
        bars: draw each difference too, on one axis a metric.
    """
    from core.systems.composition.scoring.measures import title_of  # scipy, which the page does not load at once

    keys = list(dict.fromkeys(row.key for row in comparison.rows))
    tables: list[ComparedTable] = []
    for key in keys:
        rows = [row for row in comparison.rows if row.key == key]
        span = None
        if bars:
            span = interval_range([row.difference for row in rows])
        tags = list(dict.fromkeys(row.scope.partition(": ")[0] for row in rows))[: 1 + OPEN_TAGS]
        shown, folded = (
            [_compared(row, digits, span) for row in rows if (row.scope.partition(": ")[0] in tags) is early]
            for early in (True, False)
        )
        tables.append(ComparedTable(title_of(key, keys).partition(" (")[0], shown, folded))
    return tables


def _compared(row: ComparedMetric, digits: int | None, span: tuple[float, float] | None) -> dict[str, Any]:
    """One metric of two models on the same items; the change is "better" or "worse" where the difference is clear, else
    ""."""
    better = (row.difference.value > 0) != (row.key in LOWER_IS_BETTER)
    clear = row.p <= ALPHA
    return {
        "row": row,
        "a": wording.figure(row.key, row.a.value, digits),
        "b": wording.figure(row.key, row.b.value, digits),
        "difference": wording.difference(row.key, row.difference, digits),
        "bar": None if span is None else interval_bar(row.difference, *span, "cluster-2" if clear else "quiet"),
        "change": "" if not clear else "better" if better else "worse",
    }


def forgetting_rows(rows: Sequence[ForgettingRow], *, bars: bool = False) -> list[dict[str, Any]]:
    """What a training cost, task by task; `bars` draws each difference too, on one axis."""
    span = None
    if bars:
        span = interval_range([row.difference for row in rows])
    return [_forgotten(row, span) for row in rows]


def _forgotten(row: ForgettingRow, span: tuple[float, float] | None) -> dict[str, Any]:
    sign, kind = SIGNS[row.verdict]
    colour = {"lost": "cluster-0", "gained": "cluster-2"}.get(row.verdict, "quiet")
    return {
        "task": f"{row.task}, {row.metric}",
        "data": row.data,
        "before": with_interval(row.before, share=True),
        "after": with_interval(row.after, share=True),
        "difference": points(row.difference.value, sign=True),
        "interval": bracketed(row.difference, points=True),
        "bar": None if span is None else interval_bar(row.difference, *span, colour),
        "p": p_value(row.p, bare=True),
        "kind": kind,
        "verdict": f"{sign} {row.verdict}",
    }


def by_tag(results: Sequence[CompositionResult]) -> dict[str, dict[str, list[tuple[int, Metric]]]]:
    """The headline of the first result: tag -> value -> (number of the result, metric)."""
    rows: dict[str, dict[str, list[tuple[int, Metric]]]] = {}
    for at, result in enumerate(results):
        for entry in result.by_tag:
            metric = wording.metric_of(entry.metrics, results[0].headline)
            if metric is not None:
                rows.setdefault(entry.tag, {}).setdefault(entry.value, []).append((at, metric))
    return rows
