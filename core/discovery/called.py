"""What a cluster of a finished run is called."""

from __future__ import annotations

import numpy as np

from core.records import ClusterName, Diagnosis, FailureCluster


def cluster_name(diagnosis: Diagnosis, cluster: FailureCluster) -> ClusterName:
    """The decision on the cluster's name; of a run from before there was one, it is made now."""
    if cluster.called is not None:
        return cluster.called
    from core.discovery.design import scope_rows  # scipy: not needed to start the page
    from core.language.naming import name_cluster

    rows = np.flatnonzero(scope_rows(diagnosis, cluster.scope))
    return name_cluster(cluster, diagnosis.insights, diagnosis.samples.metadata, rows, diagnosis.words)
