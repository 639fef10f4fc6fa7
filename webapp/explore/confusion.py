"""Which class was taken for which, as a matrix whose cells filter as the bars of a chart do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.numbers import count, percent
from core.records import I64, Diagnosis
from webapp.state.filters import MAX_LETTERS, Filter

MOST_CLASSES = 12
"""With more, the chart lists the most frequent pairs instead, and says so."""


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """The samples of one class that were given one class."""

    n: int
    part: str
    """As JSON, the filter that keeps them, or a list of both filters; "" where a name is too long."""
    is_right: bool
    share: float
    """Of the true class."""
    picked_share: float
    """Of the cell's samples, those that are selected."""
    said: str
    kept: bool
    """Whether the present filters keep just these, of a wrong one at least these."""

    @property
    def is_two(self) -> bool:
        """Whether `part` is a list of both filters: for right ones, and where a name holds an arrow, so that another
        pair may read the same."""
        return self.part.startswith("[[")


@dataclass(frozen=True, slots=True)
class ConfusionGrid:
    """The cells, true classes downwards and predicted ones to the right."""

    names: tuple[str, ...]
    rows: tuple[tuple[ConfusionCell, ...], ...]


def confusion_grid(diagnosis: Diagnosis, picked: I64 | None, filters: Sequence[Filter]) -> ConfusionGrid | None:
    """The matrix of a run; None where labels or predictions are not known, or of more classes than fit.

    Args:
        picked: rows of the selection, None where nothing is.
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
    if not 2 <= k <= MOST_CLASSES:
        return None

    def counted(rows: I64) -> I64:
        true = np.searchsorted(used, labels[rows])
        given = np.searchsorted(used, predictions[rows])
        return np.bincount(true * k + given, minlength=k * k).reshape(k, k).astype(np.int64)

    counts = counted(known)
    inside = None if picked is None else counted(picked[both[picked]])
    rows = tuple(
        tuple(_cell(names, a, b, counts, None if inside is None else int(inside[a, b]), filters) for b in range(k))
        for a in range(k)
    )
    return ConfusionGrid(names, rows)


def _cell(
    names: tuple[str, ...], a: int, b: int, counts: I64, inside: int | None, filters: Sequence[Filter]
) -> ConfusionCell:
    n = int(counts[a, b])
    of = max(1, int(counts[a].sum()))
    pair = f"{names[a]} → {names[b]}"
    parts = (Filter("class", values=(names[a],)), Filter("confused", values=(None if a == b else pair,)))
    kept = all(part in filters for part in parts)
    part = json.dumps([one.to_json() for one in parts], ensure_ascii=False)
    if a != b and pair.count("→") == 1:
        kept = any(one.key == "confused" and pair in one.values for one in filters)
        part = json.dumps(parts[1].to_json(), ensure_ascii=False)
    words = [count(n, "sample"), f"{percent(n / of)} of the class"]
    if inside is not None:
        words.append(f"{inside:,} selected")
    said = f"{f'{names[a]}, right' if a == b else pair}: {', '.join(words)}"
    fits = max(len(pair), len(names[a])) <= MAX_LETTERS
    return ConfusionCell(n, part if fits else "", a == b, n / of, (inside or 0) / max(1, n), said, kept)
