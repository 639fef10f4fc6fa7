"""Rows of the tables of composition, for report and page: figures as they are written, nothing laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.numbers import bracketed, p_value, percent, points
from core.records import LOWER_IS_BETTER, ComparedMetric, CompositionComparison, CompositionResult, Estimate, Metric
from core.reports.html.intervals import IntervalBar, interval_bar, interval_range
from core.reports.wording import composition as wording

if TYPE_CHECKING:
    from core.training.forgetting_rows import ForgettingRow

ALPHA = 0.05
OPEN_TAGS = 2
"""Tags whose values are compared at once; those of the others are folded away."""
SIGNS = {"lost": ("▼", "bad"), "gained": ("▲", "held"), "kept": ("=", "held"), "open": ("?", "even")}
"""(sign, class) by verdict on what a training cost."""


@dataclass(frozen=True, slots=True)
class FigureStyle:
    """How a metric, named by its key, is written: per cent or a rank; and a difference with its interval."""

    figure: Callable[[str, float | None], str]
    difference: Callable[[str, Estimate], str]


def printed_difference(key: str, estimate: Estimate) -> str:
    """Such as "+4.1 points (−1.0 to +9.2)"; of ranks without the noun."""
    low, high = (wording.difference(key, end) for end in (estimate.low, estimate.high))
    noun = "" if key in LOWER_IS_BETTER else " points"
    return f"{wording.difference(key, estimate.value)}{noun} ({low} to {high})"


PRINTED = FigureStyle(wording.figure, printed_difference)
"""Tenths, as papers print them."""


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """One metric of two models on the same items."""

    items: str
    n: int
    a: str
    b: str
    difference: str
    bar: IntervalBar | None
    change: str
    """"better" or "worse" where the difference is clear, else ""."""
    p: str
    only_a: int
    only_b: int


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """One metric over all items and by kind of item."""

    title: str
    shown: tuple[ComparedLine, ...]
    folded: tuple[ComparedLine, ...]


def compared_tables(found: CompositionComparison, style: FigureStyle, *, bars: bool = False) -> list[ComparedTable]:
    """A table for each metric: all items and the first tags, then the other tags.

    Args:
        bars: draw each difference too, on one axis a metric.
    """
    from core.composition.scoring.measures import title_of  # scipy, which the page does not load at once

    keys = list(dict.fromkeys(row.key for row in found.rows))
    tables: list[ComparedTable] = []
    for key in keys:
        rows = [row for row in found.rows if row.key == key]
        span = interval_range([row.difference for row in rows]) if bars else None
        tags = list(dict.fromkeys(row.scope.partition(": ")[0] for row in rows))[: 1 + OPEN_TAGS]
        shown, folded = (
            tuple(_compared(row, style, span) for row in rows if (row.scope.partition(": ")[0] in tags) is early)
            for early in (True, False)
        )
        tables.append(ComparedTable(title_of(key, keys).partition(" (")[0], shown, folded))
    return tables


def _compared(row: ComparedMetric, style: FigureStyle, span: tuple[float, float] | None) -> ComparedLine:
    better = (row.difference.value > 0) != (row.key in LOWER_IS_BETTER)
    clear = row.p <= ALPHA
    return ComparedLine(
        row.scope,
        row.n,
        style.figure(row.key, row.a.value),
        style.figure(row.key, row.b.value),
        style.difference(row.key, row.difference),
        None if span is None else interval_bar(row.difference, *span, "cluster-2" if clear else "quiet"),
        ("better" if better else "worse") if clear else "",
        p_value(row.p, bare=True),
        row.only_a,
        row.only_b,
    )


def forgetting_rows(rows: Sequence[ForgettingRow], *, bars: bool = False) -> list[dict[str, Any]]:
    """What a training cost, task by task; `bars` draws each difference too, on one axis."""
    span = interval_range([row.difference for row in rows]) if bars else None
    return [_forgotten(row, span) for row in rows]


def _forgotten(row: ForgettingRow, span: tuple[float, float] | None) -> dict[str, Any]:
    sign, kind = SIGNS[row.verdict]
    colour = {"lost": "cluster-0", "gained": "cluster-2"}.get(row.verdict, "quiet")
    return {
        "task": f"{row.task}, {row.metric}",
        "data": row.data,
        "before": f"{percent(row.before.value)} {bracketed(row.before, share=True)}".strip(),
        "after": f"{percent(row.after.value)} {bracketed(row.after, share=True)}".strip(),
        "difference": points(row.difference.value, sign=True),
        "interval": bracketed(row.difference, points=True),
        "bar": None if span is None else interval_bar(row.difference, *span, colour),
        "p": p_value(row.p, bare=True),
        "kind": kind,
        "verdict": f"{sign} {row.verdict}",
    }


def by_tag(results: Sequence[CompositionResult]) -> dict[str, dict[str, list[tuple[int, Metric]]]]:
    """The headline of the first result: tag -> value -> (number of the result, metric)."""
    found: dict[str, dict[str, list[tuple[int, Metric]]]] = {}
    for at, result in enumerate(results):
        for entry in result.by_tag:
            metric = wording.metric_of(entry.metrics, results[0].headline)
            if metric is not None:
                found.setdefault(entry.tag, {}).setdefault(entry.value, []).append((at, metric))
    return found
