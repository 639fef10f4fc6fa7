"""A diagnosis whose rows were worked on in another order, put back into the order of its samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.records import I64, Diagnosis, FailureCluster, FailureMap


def reorder_rows(diagnosis: Diagnosis, order: I64) -> Diagnosis:
    """The results with row `order[i]` in place i; `samples`, `outcomes`, `embeddings` and `words` are left to the
    caller.

    Args:
        order: (n,) a permutation of the rows.
    """
    place = np.argsort(order, kind="stable")  # where each old row is now

    def cluster(one: FailureCluster) -> FailureCluster:
        return replace(one, membership=one.membership[order], counterexamples=place[one.counterexamples])

    estimate = diagnosis.estimate
    return replace(
        diagnosis,
        estimate=replace(
            estimate, predicted=estimate.predicted[order], spread=estimate.spread[order], folds=estimate.folds[order]
        ),
        clusters=tuple(map(cluster, diagnosis.clusters)),
        candidates=tuple(map(cluster, diagnosis.candidates)),
        insights=tuple(replace(insight, mask=insight.mask[order]) for insight in diagnosis.insights),
        label_errors=place[diagnosis.label_errors],
        map=FailureMap(diagnosis.map.xy[order], diagnosis.map.method),
    )
