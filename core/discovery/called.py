"""What is looked up of a finished run, without what made it: its clusters' names, the rows of its scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from core.records import EVERYTHING, Bool, ClusterName, Diagnosis, FailureCluster

if TYPE_CHECKING:
    from core.discovery.design import Design

_MADE: WeakKeyDictionary[Diagnosis, dict[int, tuple[FailureCluster, ClusterName]]] = WeakKeyDictionary()
"""Of runs in memory that keep no names. The cluster is held, so that no other has its number."""


def cluster_name(diagnosis: Diagnosis, cluster: FailureCluster) -> ClusterName:
    """The decision on the cluster's title; of a run from before titles were graded, it is made now, once."""
    if cluster.called is not None and cluster.called.grade:
        return cluster.called
    made = _MADE.setdefault(diagnosis, {})
    if id(cluster) not in made:
        from core.language.naming import name_cluster

        rows = np.flatnonzero(scope_rows(diagnosis, cluster.scope))
        insights = diagnosis.insights if cluster.confirmed else ()
        name = name_cluster(cluster, insights, diagnosis.samples, diagnosis.outcomes, rows, diagnosis.words)
        made[id(cluster)] = cluster, name
    return made[id(cluster)][1]


def scope_rows(diagnosis: Diagnosis, scope: str, design: Design | None = None) -> Bool:
    """(n,) the rows of a class or of another scope of the run, by its name; every row where it has no such scope.

    Args:
        design: the diagnosis' own, if it is at hand: to make it again takes a look at every row.
    """
    samples = diagnosis.samples
    every = np.ones(len(samples), bool)
    if scope == EVERYTHING:
        return every
    if samples.labels is not None and scope in samples.class_names:
        return samples.labels == samples.class_names.index(scope)
    if design is None:
        from core.discovery.design import design_of  # scipy: not needed to start the page

        design = design_of(diagnosis)
    rows = next((s.rows for s in design.scopes if s.name == scope), None)
    if rows is None:
        return every
    inside = ~every
    inside[rows] = True
    return inside
