"""What a cluster of a finished run is called."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from core.records import ClusterName, Diagnosis, FailureCluster

_MADE: WeakKeyDictionary[Diagnosis, dict[int, tuple[FailureCluster, ClusterName]]] = WeakKeyDictionary()
"""Of runs in memory that keep no names. The cluster is held, so that no other has its number."""


def cluster_name(diagnosis: Diagnosis, cluster: FailureCluster) -> ClusterName:
    """The decision on the cluster's name; of a run from before there was one, it is made now, once."""
    if cluster.called is not None:
        return cluster.called
    made = _MADE.setdefault(diagnosis, {})
    if id(cluster) not in made:
        from core.discovery.design import scope_rows  # scipy: not needed to start the page
        from core.language.naming import name_cluster

        rows = np.flatnonzero(scope_rows(diagnosis, cluster.scope))
        name = name_cluster(cluster, diagnosis.insights, diagnosis.samples.metadata, rows, diagnosis.words)
        made[id(cluster)] = cluster, name
    return made[id(cluster)][1]
