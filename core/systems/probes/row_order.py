"""Samples in the order of their ids, and results back in the table's order: the order of rows changes no draw and no
result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.records import I64
from core.systems.probes.records import LogitParts, Neighbours, ProbeResult
from core.systems.probes.splits import Fold, Split


def id_order(ids: tuple[str, ...]) -> I64:
    """(n,) row numbers, sorted by id."""
    return np.argsort(np.array(ids), kind="stable").astype(np.int64)


def reorder_split(split: Split | None, order: I64) -> Split | None:
    """The split over samples that were put in `order`."""
    if split is None:
        return None
    position = np.argsort(order, kind="stable")

    def positions(rows: I64) -> I64:
        return np.sort(position[rows]).astype(np.int64)

    folds: list[Fold] = []
    for fold in split.folds:
        validation = fold.validation
        if validation is not None:
            validation = positions(validation)
        folds.append(Fold(positions(fold.train), positions(fold.test), validation))
    excluded = tuple((int(position[row]), reason) for row, reason in split.excluded)
    return replace(split, folds=tuple(folds), excluded=excluded)


def restore_order(result: ProbeResult, order: I64) -> ProbeResult:
    """A result on samples in `order`, for the samples in the table's order."""
    rows = order[result.rows]
    at = np.argsort(rows, kind="stable")
    parts = result.parts
    if parts is not None:
        parts = LogitParts(parts.names, parts.classes[at], parts.values[:, at])
    support = result.support
    if support is not None:
        support = replace(support, rows=np.where(support.rows >= 0, order[support.rows], -1))
    return replace(
        result,
        rows=rows[at],
        labels=result.labels[at],
        outcomes=result.outcomes.keep(at),
        parts=parts,
        neighbours=tuple(Neighbours(n.affinity, n.nearest[at], n.similarity[at]) for n in result.neighbours),
        support=support,
    )
