"""Confusion matrix of a run, whose cells filter like the bars of a chart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.numbers import count, percent
from core.records import I64, Diagnosis
from webapp.state.filters import MAX_LETTERS, Filter

MAX_MATRIX_CLASSES = 12
"""Classes a matrix can show legibly; with more, the chart lists the most frequent pairs."""


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """The samples of one true class with one predicted class."""

    n: int
    part: str
    """The filter for these samples as JSON, or a list of two filters; "" where a name is too long."""
    is_right: bool
    share: float
    """Share of the true class."""
    picked_share: float
    """Selected share of the cell's samples."""
    text: str
    is_kept: bool
    """Whether the current filters keep exactly these samples; for a wrong cell, at least these."""

    @property
    def is_two(self) -> bool:
        """Whether `part` lists two filters: for right cells, and where an arrow in a name makes a pair ambiguous."""
        return self.part.startswith("[[")


@dataclass(frozen=True, slots=True)
class ConfusionGrid:
    """The cells: true classes down, predicted classes across."""

    names: tuple[str, ...]
    rows: tuple[tuple[ConfusionCell, ...], ...]


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
