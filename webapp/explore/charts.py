"""Small charts of a run's columns: how the samples spread over the values, the selection beside them all."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from core.numbers import count, number, percent
from core.records import F64, I64, Bool, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, columns_of, key_of
from webapp.explore.confusion import ConfusionGrid, confusion_grid
from webapp.state.filters import ABSENT, MAX_LETTERS, MISSING, TEXT, Filter, said, shown_column

N_BINS = 18
MAX_BARS = 7
MAX_PAIRS = 12
N_CHARTS = 8
"""Bins of numbers, bars of a category, of the pairs of classes, and charts that a run opens with."""
TAILS = (0.01, 0.99)
"""Quantiles beyond which the first and the last bin are open."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value, or one bin of values."""

    label: str
    part: str
    """The filter that keeps it, as JSON; "" where it cannot be one."""
    share: float
    picked_share: float
    """Height of all samples and of the selection, each as a share of the chart's highest; what is in no cluster, and
    what is right, may reach beyond it and is cut."""
    loss_place: float | None
    """Where the mean loss in it lies between the lowest and the highest of all charts, 0 to 1."""
    said: str
    kept: bool
    """Whether the column's filter keeps it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of one column."""

    key: str
    title: str
    kind: str
    bars: tuple[Bar, ...]
    more: int
    """Values that have no bar."""
    filtered: str
    """The column's filter in words, or ""."""
    chosen: bool
    """Whether the visitor added it."""
    grid: ConfusionGrid | None = None
    """In place of bars for the pairs of few classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """The bars of a column before any selection."""

    labels: tuple[str, ...]
    parts: tuple[Filter, ...]
    places: I64
    """(n,) the bar of each row; len(labels) where it has none."""
    more: int = 0

    def counts(self, rows: I64 | None = None, weights: F64 | None = None) -> F64:
        """(bars,) how many of the rows, by default all, lie in each, or the sum of their weights."""
        places = self.places if rows is None else self.places[rows]
        return np.bincount(places, weights, len(self.labels) + 1)[: len(self.labels)].astype(np.float64)


_BINS: WeakKeyDictionary[ShownColumn, Bins] = WeakKeyDictionary()
_ORDER: WeakKeyDictionary[Diagnosis, tuple[str, ...]] = WeakKeyDictionary()


def charts(
    diagnosis: Diagnosis, picked: Callable[[str], I64 | None], filters: Sequence[Filter], more: Sequence[str] = ()
) -> list[Chart]:
    """The charts of a run: those of `more`, then those that go with its loss.

    Args:
        picked: gives the rows that the chart of a key shows as selected, which its own filter leaves alone, so that
            what else could be kept is seen; None where nothing is picked.
        more: keys of columns that the visitor added.

    Raises:
        InvalidInput: the run has no column of such a key.
    """
    held = {one.key: one for one in filters}
    keys = dict.fromkeys([*more, *keys_first(diagnosis), *(key for key in held if key != TEXT)])
    loss = diagnosis.outcomes.loss
    drawn = [(column, bins_of(column)) for column in (shown_column(diagnosis, key) for key in keys)]
    means = [_means(bins, loss) for _, bins in drawn]
    known = np.concatenate([mean[np.isfinite(mean)] for mean in means]) if means else np.zeros(0)
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    errors = diagnosis.outcomes.errors
    made = list[Chart]()
    for (column, bins), mean in zip(drawn, means, strict=True):
        one = held.get(column.key)
        bars = _bars(bins, picked(column.key), errors, (mean - low) / ((high - low) or 1.0), mean, one)
        words = said(diagnosis, one) if one else ""
        grid = confusion_grid(diagnosis, picked(column.key), filters) if column.key == "confused" else None
        kind, beyond = (column.kind, bins.more) if grid is None else ("matrix", 0)
        made.append(Chart(column.key, column.title, kind, bars, beyond, words, column.key in more, grid))
    return made


def keys_first(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The columns a run opens with: the loss, its clusters, its classes or confused pairs, and of the others those
    that go with the loss most (described, not tested)."""
    if diagnosis not in _ORDER:
        columns = {column.key: column for column in columns_of(diagnosis)}
        first = [key for key in ("loss", "yours", "cluster", "confused", "class") if key in columns]
        named = {name for insight in diagnosis.insights if insight.confirmed for name in insight.columns}
        ranks = pd.Series(diagnosis.outcomes.loss).rank()
        may = [key_of(column) for column in diagnosis.samples.metadata]  # what a model wrote explains nothing
        own = [columns[key] for key in may if key in columns]
        strength = {column.key: (column.title in named, goes_with(column, ranks)) for column in own}
        rest = sorted(strength, key=lambda key: strength[key], reverse=True)
        _ORDER[diagnosis] = tuple([*first, *rest][:N_CHARTS])
    return _ORDER[diagnosis]


def goes_with(column: ShownColumn, ranks: pd.Series[float]) -> float:
    """How strongly a column goes with the ranks of the loss, 0 to 1: the rank correlation without its sign, or of a
    category the root of epsilon squared (Kelley 1935), which is 0 on average where it says nothing."""
    if column.kind == "number":
        values = pd.Series(column.values)
        there = values.notna()
        if there.sum() < 3 or values[there].nunique() < 2:
            return 0.0
        return abs(float(values[there].rank().corr(ranks[there])))
    names, codes = coded(column)
    of = ranks.to_numpy()
    n = len(codes)
    k = len(names) + int((codes < 0).any())
    if k < 2 or n <= k:
        return 0.0
    sizes = np.bincount(codes + 1, minlength=len(names) + 1)
    sums = np.bincount(codes + 1, of, len(names) + 1)
    total = float(((of - of.mean()) ** 2).sum())
    between = float((sums[sizes > 0] ** 2 / sizes[sizes > 0]).sum() - of.sum() ** 2 / n)
    within = (total - between) / (n - k)
    return float(np.sqrt(max(0.0, (between - (k - 1) * within) / total))) if total else 0.0


def bins_of(column: ShownColumn) -> Bins:
    """The bars of a column; made once."""
    if column not in _BINS:
        _BINS[column] = _of_numbers(column) if column.kind == "number" else _of_values(column)
    return _BINS[column]


def _of_numbers(column: ShownColumn) -> Bins:
    """A bin for each of a few values, else as many of one width; the first and the last are open."""
    missing = np.isnan(column.values)
    values = column.values[~missing]
    distinct = np.unique(values)
    if len(distinct) <= N_BINS:
        inner = distinct[1:]
        labels = [number(value) for value in distinct.tolist()]
    else:
        low, high = np.quantile(values, TAILS)
        if low >= high:
            low = distinct[0]
            high = distinct[-1]
        inner = np.unique(_edges(float(low), float(high), values)[1:-1])
        ends = [number(end) for end in inner.tolist()]
        between = [f"{a} to {b}" for a, b in itertools.pairwise(ends)]
        labels = [f"below {ends[0]}", *between, f"{ends[-1]} and more"]
    ends = [-np.inf, *inner.tolist(), np.inf]
    parts = [Filter(column.key, low, high) for low, high in itertools.pairwise(ends)] if len(values) else []
    places = np.searchsorted(inner, column.values, side="right")
    if missing.any():
        places[missing] = len(parts)
        labels = [*labels, MISSING]
        parts = [*parts, Filter(column.key, values=(None,))]
    return Bins(tuple(labels), tuple(parts), places.astype(np.int64))


def _edges(low: float, high: float, values: F64) -> F64:
    """Ends of bins of one width; of values that lie mostly near a lowest one of at least 0, as losses do, of one width
    of their square roots."""
    if low >= 0 and values.mean() > low + 2 * (np.median(values) - low):
        return np.linspace(np.sqrt(low), np.sqrt(high), N_BINS + 1) ** 2
    return np.linspace(low, high, N_BINS + 1)


def _of_values(column: ShownColumn) -> Bins:
    """A bar for each of the most frequent values and for what is missing."""
    names, codes = coded(column)
    shown = min(len(names), MAX_PAIRS if column.key == "confused" else MAX_BARS)
    labels = list(names[:shown])
    parts = [Filter(column.key, values=(name,)) for name in names[:shown]]
    has_missing = bool((codes < 0).any())
    last = shown + has_missing  # the place of rows without a bar
    places = np.where(codes < 0, shown, np.where(codes < shown, codes, last))
    if has_missing:
        labels.append(ABSENT.get(column.key, MISSING))
        parts.append(Filter(column.key, values=(None,)))
    return Bins(tuple(labels), tuple(parts), places.astype(np.int64), len(names) - shown)


def _means(bins: Bins, loss: F64) -> F64:
    """(bars,) the mean loss in each; nan in an empty one."""
    counts = bins.counts()
    return np.where(counts > 0, bins.counts(weights=loss) / np.maximum(counts, 1), np.nan)


def _bars(
    bins: Bins, picked: I64 | None, errors: Bool | None, places: F64, means: F64, one: Filter | None
) -> tuple[Bar, ...]:
    counts = bins.counts()
    inside = None if picked is None else bins.counts(picked)
    wrong = None if errors is None else bins.counts(weights=errors.astype(np.float64))
    shares = counts / max(1, len(bins.places))
    picked_shares = np.zeros(len(counts)) if picked is None or inside is None else inside / max(1, len(picked))
    absent = bool(bins.parts) and bins.parts[-1].key in ABSENT and bins.parts[-1].values == (None,)
    scaled = slice(None, -1 if absent else None)
    top = max(float(np.concatenate([shares[scaled], picked_shares[scaled]]).max(initial=0.0)), 1e-12)
    made = list[Bar]()
    for place, (label, part) in enumerate(zip(bins.labels, bins.parts, strict=True)):
        n = int(counts[place])
        words = [count(n, "sample")]
        if inside is not None:
            words.append(f"{int(inside[place]):,} selected")
        if n and wrong is not None:
            words.append(f"{percent(wrong[place] / n)} wrong")
        elif n:
            words.append(f"mean loss {number(means[place])}")
        fits = all(len(value or "") <= MAX_LETTERS for value in part.values)
        made.append(
            Bar(
                label,
                json.dumps(part.to_json(), ensure_ascii=False) if fits else "",
                min(1.0, float(shares[place] / top)),
                min(1.0, float(picked_shares[place] / top)),
                float(places[place]) if n else None,
                f"{label}: {', '.join(words)}",
                one is not None and _keeps(one, part),
            )
        )
    return tuple(made)


def _keeps(one: Filter, part: Filter) -> bool:
    """Whether the column's filter keeps the bar of that part."""
    if one.values or part.values:
        return bool(set(part.values) & set(one.values))
    return part.low >= one.low and part.high <= one.high
