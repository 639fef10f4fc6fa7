"""Puts the rows of a diagnosis back into the order of its samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.records import I64, Diagnosis, FailureCluster, FailureMap


def reorder_rows(diagnosis: Diagnosis, order: I64) -> Diagnosis:
    """The results with row `order[i]` at position i; the caller sets `samples`, `outcomes`, `embeddings` and `words`.

    Args:
        order: (n,) a permutation of the rows.
    """
    position = np.argsort(order, kind="stable")  # new position of each old row

    def reordered(cluster: FailureCluster) -> FailureCluster:
        counterexamples = position[cluster.counterexamples]
        return replace(cluster, membership=cluster.membership[order], counterexamples=counterexamples)

    estimate = diagnosis.estimate
    return replace(
        diagnosis,
        estimate=replace(
            estimate, predicted=estimate.predicted[order], spread=estimate.spread[order], folds=estimate.folds[order]
        ),
        clusters=tuple(map(reordered, diagnosis.clusters)),
        candidates=tuple(map(reordered, diagnosis.candidates)),
        insights=tuple(replace(insight, mask=insight.mask[order]) for insight in diagnosis.insights),
        label_errors=position[diagnosis.label_errors],
        map=FailureMap(diagnosis.map.xy[order], diagnosis.map.method),
    )
