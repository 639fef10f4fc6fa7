"""How a cluster's members stand to a condition and to the rest of their scope."""

from __future__ import annotations

import numpy as np

from core.discovery.called import scope_rows
from core.numbers import bracketed, percent
from core.records import I64, Diagnosis, Estimate, FailureCluster, Insight
from core.reports.html.intervals import IntervalBar, interval_bar


def members_of(cluster: FailureCluster) -> I64:
    """Row numbers of the members."""
    return np.flatnonzero(cluster.membership >= 0.5).astype(np.int64)


def met_by(diagnosis: Diagnosis, insight: Insight, rows: I64, what: str = "members") -> str:
    """Such as "43% of members, 5% of the rest": how many of the rows, and of the rest of the condition's scope, meet
    it (plain text)."""
    scope = scope_rows(diagnosis, insight.scope)
    picked = np.zeros(len(scope), bool)
    picked[rows] = True
    parts = []
    for part, name in ((picked & scope, what), (scope & ~picked, "the rest")):
        if part.any():
            parts.append(f"{percent(float(insight.mask[part].mean()))} of {name}")
    return ", ".join(parts)


def excess_interval(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """The interval of the excess loss; of candidates it is shown for all of them or for none."""
    if not cluster.confirmed and not all(bracketed(c.excess_loss) for c in diagnosis.candidates):
        return ""
    return bracketed(cluster.excess_loss)


def whisker(estimate: Estimate, span: float) -> IntervalBar | None:
    """The bar of an estimate from 0 to `span`, the largest value shown beside it; a little room below zero, so that an
    interval that crosses it is seen to."""
    return interval_bar(estimate, -0.15 * (span or 1.0), span or 1.0)
