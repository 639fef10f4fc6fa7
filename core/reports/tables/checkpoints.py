"""Failure clusters over checkpoints as a table and as JSON values."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.checks.checkpoints.follow import FollowedCluster, FollowedRun
from core.records import Diagnosis
from core.records.codec import to_json
from core.reports.tables.values import strings
from core.reports.wording.findings import cluster_title
from core.reports.wording.second_model import change_sentence


def checkpoints_table(diagnosis: Diagnosis, followed: FollowedRun) -> pd.DataFrame:
    """One row for each cluster, and for all samples, in each checkpoint: cluster, title, checkpoint, n, error_rate,
    low, high, rest."""
    rows = list[dict[str, Any]]()
    for scope in (*followed.clusters, followed.everything):
        for name, n, rate, rest in zip(followed.names, scope.n, scope.rates, scope.rest, strict=True):
            rows.append(
                {
                    **_names(diagnosis, scope),
                    "checkpoint": name,
                    "n": n,
                    "error_rate": rate.value,
                    "low": rate.low,
                    "high": rate.high,
                    "rest": rest,
                }
            )
    table = pd.DataFrame(rows).astype({"cluster": "Int64"})
    return table.assign(title=strings(table["title"].tolist()), checkpoint=strings(table["checkpoint"].tolist()))


def checkpoints_document(diagnosis: Diagnosis, followed: FollowedRun) -> dict[str, Any]:
    """The same with the run's own model, what changed, and its sentence."""
    scopes = list[dict[str, Any]]()
    for scope in (*followed.clusters, followed.everything):
        scopes.append(
            {
                **_names(diagnosis, scope),
                "own": scope.baseline.to_dict(),
                "rates": [rate.to_dict() for rate in scope.rates],
                "rest": scope.rest,
                "n": scope.n,
                "change": scope.change.to_dict(),
                "p": scope.p,
                "sentence": change_sentence(followed.names, scope),
            }
        )
    return to_json({"checkpoints": followed.names, "scopes": scopes, "notes": followed.notes})


def _names(diagnosis: Diagnosis, scope: FollowedCluster) -> dict[str, Any]:
    if scope.cluster is None:
        return {"cluster": None, "title": "all samples"}
    return {"cluster": scope.cluster.id, "title": cluster_title(diagnosis, scope.cluster)}
