"""A cluster's members compared with the others in their scope."""

from __future__ import annotations

import numpy as np

from core.discovery.called import scope_rows
from core.numbers import bracketed, percent
from core.records import I64, Diagnosis, Estimate, FailureCluster, Insight
from core.reports.html.intervals import IntervalBar, interval_bar


def members_of(cluster: FailureCluster) -> I64:
    """Return the row numbers of the members."""
    return np.flatnonzero(cluster.membership >= 0.5).astype(np.int64)


def met_by(diagnosis: Diagnosis, insight: Insight, rows: I64, what: str = "members") -> str:
    """Return the shares of the rows, and of the others in the condition's scope, that meet it, such as "43% of members,
    5% of the others" (plain text)."""
    scope = scope_rows(diagnosis, insight.scope)
    picked = np.zeros(len(scope), bool)
    picked[rows] = True
    parts = []
    for part, name in ((picked & scope, what), (scope & ~picked, "the others")):
        if part.any():
            parts.append(f"{percent(float(insight.mask[part].mean()))} of {name}")
    return ", ".join(parts)


def excess_interval(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Return the interval of the excess loss; candidates show theirs only if all have one."""
    if not cluster.confirmed and not all(bracketed(c.excess_loss) for c in diagnosis.candidates):
        return ""
    return bracketed(cluster.excess_loss)


def whisker(estimate: Estimate, span: float) -> IntervalBar | None:
    """Return the bar of an estimate on an axis up to `span`, the largest value beside it. 15% below zero stays visible,
    so that an interval that crosses zero shows it."""
    return interval_bar(estimate, -0.15 * (span or 1.0), span or 1.0)
