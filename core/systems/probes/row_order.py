"""Samples in the order of their ids, and a result back in the table's order: so that the order of a table's rows
changes no draw and no result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.records import I64
from core.systems.probes.records import LogitParts, Neighbours, ProbeResult
from core.systems.probes.splits import Fold, Split


def order_of(ids: tuple[str, ...]) -> I64:
    """(n,) rows by their ids."""
    return np.argsort(np.array(ids), kind="stable").astype(np.int64)


def moved(split: Split | None, order: I64) -> Split | None:
    """The split over samples that were put in `order`."""
    if split is None:
        return None
    place = np.argsort(order, kind="stable")

    def at(rows: I64) -> I64:
        return np.sort(place[rows]).astype(np.int64)

    folds = tuple(replace(f, **{name: at(rows) for name, rows in _rows_of(f).items()}) for f in split.folds)
    return replace(split, folds=folds, excluded=tuple((int(place[row]), reason) for row, reason in split.excluded))


def _rows_of(fold: Fold) -> dict[str, I64]:
    named = {name: getattr(fold, name) for name in Fold.__slots__}
    return {name: rows for name, rows in named.items() if rows is not None}


def moved_back(result: ProbeResult, order: I64) -> ProbeResult:
    """A result on samples in `order`, for the samples in their own order."""
    rows = order[result.rows]
    at = np.argsort(rows, kind="stable")
    parts = result.parts
    support = result.support
    return replace(
        result,
        rows=rows[at],
        labels=result.labels[at],
        outcomes=result.outcomes.keep(at),
        parts=None if parts is None else LogitParts(parts.names, parts.classes[at], parts.values[:, at]),
        neighbours=tuple(Neighbours(n.affinity, n.nearest[at], n.similarity[at]) for n in result.neighbours),
        support=None
        if support is None
        else replace(support, rows=np.where(support.rows >= 0, order[support.rows], -1)),
    )
