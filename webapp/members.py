"""How a cluster's members stand to a condition, to the rest of their scope, and to the clusters ranked before it."""

from __future__ import annotations

import numpy as np

from core.records import I64, Bool, Diagnosis, FailureCluster, Insight
from webapp.figures import THIN, percent

ALL = "all samples"
NAMED = 2
"""Higher-ranked clusters that are named in one line."""


def members_of(cluster: FailureCluster) -> I64:
    """Row numbers of the members."""
    return np.flatnonzero(cluster.membership >= 0.5).astype(np.int64)


def scope_rows(diagnosis: Diagnosis, scope: str) -> Bool:
    """(n,) the rows of a class, or every row where the scope is no class of the run."""
    samples = diagnosis.samples
    if samples.labels is not None and scope != ALL and scope in samples.class_names:
        return samples.labels == samples.class_names.index(scope)
    return np.ones(len(samples), np.bool_)


def met_by(diagnosis: Diagnosis, insight: Insight, rows: I64, what: str = "members") -> str:
    """Such as "43 % of members, 5 % of the rest": how many of the rows, and of the rest of the condition's scope, meet it (plain text)."""
    scope = scope_rows(diagnosis, insight.scope)
    picked = np.zeros(len(scope), bool)
    picked[rows] = True
    parts = []
    for part, name in ((picked & scope, what), (scope & ~picked, "the rest")):
        if part.any():
            parts.append(f"{percent(float(insight.mask[part].mean())).replace(THIN, chr(160))} of {name}")
    return ", ".join(parts)


def overlap(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Such as "12 of 12 also in cluster 1": how many members lie in clusters ranked before this one, most first; "" if none does."""
    mine, shared = cluster.membership >= 0.5, []
    for other in diagnosis.clusters:
        if other.id == cluster.id:
            break
        if n := int((mine & (other.membership >= 0.5)).sum()):
            shared.append((n, other.id + 1))
    shared.sort(key=lambda pair: (-pair[0], pair[1]))
    parts = [f"{n:,}{f' of {int(mine.sum()):,} also' if i == 0 else ''} in cluster {number}" for i, (n, number) in enumerate(shared[:NAMED])]
    return ", ".join(parts)
