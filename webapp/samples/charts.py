"""Small charts of a run's columns: distributions of all samples and of the selection, and the confusion matrix, whose
cells filter like bars."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from core.numbers import count, limit_text, number, percent, value_text
from core.records import F64, I64, Bool, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, columns_of, key_of
from core.statistics.association import category_association, number_association
from webapp.state.filters import ABSENT, MAX_LETTERS, MISSING, TEXT, Filter, describe_filter, shown_column

N_BINS = 18
MAX_BARS = 7
MAX_PAIRS = 12
MAX_CHARTS = 24
"""Bins of a numeric column, bars of a category and of confused pairs, and charts."""
MAX_MATRIX_CLASSES = 12
"""Classes a matrix can show legibly; with more, the chart lists the most frequent pairs."""
TAILS = (0.01, 0.99)
"""Quantiles of the first and last inner edge; the end bins are open. A convention that keeps outliers from squeezing
the bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value, or one bin of values."""

    label: str
    part: str
    """The filter for this bar, as JSON; "" where a value is too long for one."""
    share: float
    picked_share: float
    """Heights of all samples and of the selection, as shares of the chart's highest bar. "In no group" and "not
    confused" do not count as highest, and are cut."""
    loss_place: float | None
    """Position of its mean loss between the lowest and the highest of all charts, 0 to 1."""
    text: str
    is_kept: bool
    """Whether the column's filter keeps it."""


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """The samples of one true class with one predicted class."""

    n: int
    part: str
    """The filter for these samples as JSON, or a list of two for right cells and where an arrow in a name makes a pair
    ambiguous; "" where a name is too long."""
    is_right: bool
    share: float
    """Share of the true class."""
    picked_share: float
    """Selected share of the cell's samples."""
    text: str
    is_kept: bool
    """Whether the current filters keep exactly these samples; for a wrong cell, at least these."""


@dataclass(frozen=True, slots=True)
class ConfusionGrid:
    """The cells: true classes down, predicted classes across."""

    names: tuple[str, ...]
    rows: tuple[tuple[ConfusionCell, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of one column."""

    key: str
    title: str
    kind: str
    bars: tuple[Bar, ...]
    more: int
    """Values without a bar."""
    filtered: str
    """The column's filter in words, or ""."""
    grid: ConfusionGrid | None = None
    """Replaces the bars of confused pairs for few classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """The bars of a column before any selection."""

    labels: tuple[str, ...]
    parts: tuple[Filter, ...]
    places: I64
    """(n,) bar index of each row; len(labels) for none."""
    more: int = 0

    def counts(self, rows: I64 | None = None, weights: F64 | None = None) -> F64:
        """Return (bars,) the counts of the rows (default: all), or the sums of their weights."""
        places = self.places
        if rows is not None:
            places = places[rows]
        return np.bincount(places, weights, len(self.labels) + 1)[: len(self.labels)].astype(np.float64)


_BINS: WeakKeyDictionary[ShownColumn, Bins] = WeakKeyDictionary()
_ORDER: WeakKeyDictionary[Diagnosis, tuple[str, ...]] = WeakKeyDictionary()


def charts(diagnosis: Diagnosis, picked: Callable[[str], I64 | None], filters: Sequence[Filter]) -> list[Chart]:
    """Return the charts of a run, in the order of `chart_keys`, and those of other filtered columns.

    Args:
        picked: returns the rows that the chart of a key shows as selected, or None. They ignore the chart's own filter,
            so that its other bars stay visible.

    Raises:
        InvalidInput: the run has no column with a given key.
    """
    held = {part.key: part for part in filters}
    keys = dict.fromkeys([*chart_keys(diagnosis), *(key for key in held if key != TEXT)])
    loss = diagnosis.outcomes.loss
    columns = [shown_column(diagnosis, key) for key in keys]
    drawn = [(column, bins_of(column)) for column in columns]
    means = [_means(bins, loss) for _, bins in drawn]
    known = np.concatenate([np.zeros(0), *(mean[np.isfinite(mean)] for mean in means)])
    low, high = 0.0, 0.0
    if len(known):
        low, high = float(known.min()), float(known.max())
    errors = diagnosis.outcomes.errors
    drawn_charts = list[Chart]()
    for (column, bins), mean in zip(drawn, means, strict=True):
        current = held.get(column.key)
        bars = _bars(bins, picked(column.key), errors, (mean - low) / ((high - low) or 1.0), mean, current)
        words = ""
        if current:
            words = describe_filter(diagnosis, current)
        grid = None
        if column.key == "confused":
            grid = confusion_grid(diagnosis, picked(column.key), filters)
        kind = column.kind
        beyond = bins.more
        if grid is not None:
            kind = "matrix"
            beyond = 0
        drawn_charts.append(Chart(column.key, column.title, kind, bars, beyond, words, grid))
    return drawn_charts


def chart_keys(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return the keys of the charts: loss, clusters, classes or confused pairs, the table's columns, those most
    associated with the loss first (described, not tested), then the others."""
    if diagnosis not in _ORDER:
        columns = {column.key: column for column in columns_of(diagnosis)}
        first = [key for key in ("loss", "yours", "cluster", "confused", "class") if key in columns]
        named = {name for insight in diagnosis.insights if insight.confirmed for name in insight.columns}
        losses = diagnosis.outcomes.loss
        may = [key_of(column) for column in diagnosis.samples.metadata]  # a model's own outputs explain nothing
        explaining = [columns[key] for key in may if key in columns]
        strength: dict[str, tuple[bool, float]] = {}
        for column in explaining:
            if column.kind == "number":
                association = number_association(column.values, losses)
            else:
                association = category_association(coded(column)[1], losses)
            strength[column.key] = column.title in named, association
        rest = sorted(strength, key=lambda key: strength[key], reverse=True)
        _ORDER[diagnosis] = tuple(dict.fromkeys([*first, *rest, *columns]))[:MAX_CHARTS]
    return _ORDER[diagnosis]


def bins_of(column: ShownColumn) -> Bins:
    """Return the bars of a column, from a cache."""
    if column not in _BINS:
        binned = _of_values
        if column.kind == "number":
            binned = _of_numbers
        _BINS[column] = binned(column)
    return _BINS[column]


def _of_numbers(column: ShownColumn) -> Bins:
    """Bin a numeric column: one bin per value if there are few, else bins of equal width with open ends."""
    missing = np.isnan(column.values)
    values = column.values[~missing]
    distinct = np.unique(values)
    if len(distinct) <= N_BINS:
        inner = distinct[1:]
        labels = [value_text(value, column.form) for value in distinct.tolist()]
        if len(set(labels)) < len(labels):
            labels = [value_text(value, column.form, exact=True) for value in distinct.tolist()]
    else:
        low, high = np.quantile(values, TAILS)
        if low >= high:
            low = distinct[0]
            high = distinct[-1]
        inner = np.unique(_edges(float(low), float(high), values)[1:-1])
        ends = [limit_text(values, edge, column.form) for edge in inner.tolist()]
        between = [f"{a} to {b}" for a, b in itertools.pairwise(ends)]
        labels = [f"below {ends[0]}", *between, f"{ends[-1]} and more"]
    ends = [-np.inf, *inner.tolist(), np.inf]
    parts = []
    if len(values):
        parts = [Filter(column.key, low, high) for low, high in itertools.pairwise(ends)]
    places = np.searchsorted(inner, column.values, side="right")
    if missing.any():
        places[missing] = len(parts)
        labels = [*labels, MISSING]
        parts = [*parts, Filter(column.key, values=(None,))]
    return Bins(tuple(labels), tuple(parts), places.astype(np.int64))


def _edges(low: float, high: float, values: F64) -> F64:
    """Return the edges of equal bins.

    Right-skewed values from 0 up, as losses are, get bins of equal width in their square roots, so that small values
    do not share one bin. The factor 2 between mean and median is a convention.
    """
    if low >= 0 and values.mean() > low + 2 * (np.median(values) - low):
        return np.linspace(np.sqrt(low), np.sqrt(high), N_BINS + 1) ** 2
    return np.linspace(low, high, N_BINS + 1)


def _of_values(column: ShownColumn) -> Bins:
    """Bin a category: one bar for each of the most frequent values, and one for missing values."""
    names, codes = coded(column)
    most = MAX_BARS
    if column.key == "confused":
        most = MAX_PAIRS
    shown = min(len(names), most)
    labels = list(names[:shown])
    parts = [Filter(column.key, values=(name,)) for name in names[:shown]]
    has_missing = bool((codes < 0).any())
    last = shown + has_missing  # index of rows without a bar
    places = np.where(codes < 0, shown, np.where(codes < shown, codes, last))
    if has_missing:
        labels.append(ABSENT.get(column.key, MISSING))
        parts.append(Filter(column.key, values=(None,)))
    return Bins(tuple(labels), tuple(parts), places.astype(np.int64), len(names) - shown)


def _means(bins: Bins, loss: F64) -> F64:
    """Return (bars,) the mean loss of each; nan for an empty bar."""
    counts = bins.counts()
    return np.where(counts > 0, bins.counts(weights=loss) / np.maximum(counts, 1), np.nan)


def _bars(
    bins: Bins, picked: I64 | None, errors: Bool | None, places: F64, means: F64, current: Filter | None
) -> tuple[Bar, ...]:
    counts = bins.counts()
    inside = None
    if picked is not None:
        inside = bins.counts(picked)
    wrong = None
    if errors is not None:
        wrong = bins.counts(weights=errors.astype(np.float64))
    shares = counts / max(1, len(bins.places))
    picked_shares = np.zeros(len(counts))
    if picked is not None and inside is not None:
        picked_shares = inside / max(1, len(picked))
    absent = bool(bins.parts) and bins.parts[-1].key in ABSENT and bins.parts[-1].values == (None,)
    scaled = slice(None, -1 if absent else None)
    top = max(float(np.concatenate([shares[scaled], picked_shares[scaled]]).max(initial=0.0)), 1e-12)
    bars = list[Bar]()
    for index, (label, part) in enumerate(zip(bins.labels, bins.parts, strict=True)):
        n = int(counts[index])
        words = [count(n, "sample")]
        if inside is not None:
            words.append(f"{int(inside[index]):,} selected")
        if n and wrong is not None:
            words.append(f"{percent(wrong[index] / n)} wrong")
        elif n:
            words.append(f"mean loss {number(means[index])}")
        fits = all(len(value or "") <= MAX_LETTERS for value in part.values)
        bars.append(
            Bar(
                label,
                json.dumps(part.to_json(), ensure_ascii=False) if fits else "",
                min(1.0, float(shares[index] / top)),
                min(1.0, float(picked_shares[index] / top)),
                float(places[index]) if n else None,
                f"{label}: {', '.join(words)}",
                current is not None and _keeps(current, part),
            )
        )
    return tuple(bars)


def _keeps(current: Filter, part: Filter) -> bool:
    """Whether the column's filter keeps the bar with the filter `part`."""
    if current.values or part.values:
        return bool(set(part.values) & set(current.values))
    return part.low >= current.low and part.high <= current.high


def confusion_grid(diagnosis: Diagnosis, picked: I64 | None, filters: Sequence[Filter]) -> ConfusionGrid | None:
    """Return the matrix of a run; None without labels or predictions, or for more classes than fit.

    Args:
        picked: rows of the selection, or None.
    """
    labels = diagnosis.samples.labels
    predictions = diagnosis.outcomes.predictions
    if labels is None or predictions is None:
        return None
    both = (labels >= 0) & (predictions >= 0)
    known = np.flatnonzero(both)
    used = np.unique(np.r_[labels[known], predictions[known]])
    names = tuple(diagnosis.samples.class_names[c] for c in used.tolist())
    k = len(used)
    if not 2 <= k <= MAX_MATRIX_CLASSES:
        return None

    def counted(rows: I64) -> I64:
        true = np.searchsorted(used, labels[rows])
        predicted = np.searchsorted(used, predictions[rows])
        return np.bincount(true * k + predicted, minlength=k * k).reshape(k, k).astype(np.int64)

    counts = counted(known)
    inside = None
    if picked is not None:
        inside = counted(picked[both[picked]])
    rows = list[tuple[ConfusionCell, ...]]()
    for a in range(k):
        cells = list[ConfusionCell]()
        for b in range(k):
            n_picked = None
            if inside is not None:
                n_picked = int(inside[a, b])
            cells.append(_cell(names, a, b, counts, n_picked, filters))
        rows.append(tuple(cells))
    return ConfusionGrid(names, tuple(rows))


def _cell(
    names: tuple[str, ...], a: int, b: int, counts: I64, inside: int | None, filters: Sequence[Filter]
) -> ConfusionCell:
    n = int(counts[a, b])
    of = max(1, int(counts[a].sum()))
    pair = f"{names[a]} → {names[b]}"
    title = pair
    confused = pair
    if a == b:
        title = f"{names[a]}, right"
        confused = None
    parts = (Filter("class", values=(names[a],)), Filter("confused", values=(confused,)))
    is_kept = all(part in filters for part in parts)
    part = json.dumps([filter_.to_json() for filter_ in parts], ensure_ascii=False)
    if a != b and pair.count("→") == 1:
        is_kept = any(filter_.key == "confused" and pair in filter_.values for filter_ in filters)
        part = json.dumps(parts[1].to_json(), ensure_ascii=False)
    words = [count(n, "sample"), f"{percent(n / of)} of the class"]
    if inside is not None:
        words.append(f"{inside:,} selected")
    if max(len(pair), len(names[a])) > MAX_LETTERS:
        part = ""
    text = f"{title}: {', '.join(words)}"
    return ConfusionCell(n, part, a == b, n / of, (inside or 0) / max(1, n), text, is_kept)
