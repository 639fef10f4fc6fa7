"""Cluster names and scope rows of a finished run, without loading the code that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from core.records import Bool, ClusterName, Diagnosis, FailureCluster
from core.statistics.counts import rows_of_scope

if TYPE_CHECKING:
    from core.discovery.design import Design

_NAMES: WeakKeyDictionary[Diagnosis, dict[int, tuple[FailureCluster, ClusterName]]] = WeakKeyDictionary()
"""Names by cluster id() for runs in memory without saved names. The cluster is held so that its id() stays its own."""


def cluster_name(diagnosis: Diagnosis, cluster: FailureCluster) -> ClusterName:
    """The cluster's title and its grade. For a run saved before titles were graded it is computed here, once."""
    if cluster.called is not None and cluster.called.grade:
        return cluster.called
    names = _NAMES.setdefault(diagnosis, {})
    if id(cluster) not in names:
        from core.language.naming import name_cluster

        rows = np.flatnonzero(scope_rows(diagnosis, cluster.scope))
        insights = diagnosis.insights if cluster.confirmed else ()
        name = name_cluster(cluster, insights, diagnosis.samples, diagnosis.outcomes, rows, diagnosis.words)
        names[id(cluster)] = cluster, name
    return names[id(cluster)][1]


def scope_rows(diagnosis: Diagnosis, scope: str, design: Design | None = None) -> Bool:
    """(n,) the rows of a class or of another scope of the run, by its name; every row if the run has no scope so named.

    Args:
        design: the diagnosis' design, if it is at hand; computing it reads every row.
    """
    class_rows = rows_of_scope(diagnosis, scope)
    if class_rows is not None:
        return class_rows
    if design is None:
        from core.discovery.design import design_of  # scipy: not needed to start the page

        design = design_of(diagnosis)
    rows = next((s.rows for s in design.scopes if s.name == scope), None)
    if rows is None:
        return np.ones(len(diagnosis.samples), bool)
    inside = np.zeros(len(diagnosis.samples), bool)
    inside[rows] = True
    return inside
