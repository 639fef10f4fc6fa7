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


def checkpoints_table(diagnosis: Diagnosis, found: FollowedRun) -> pd.DataFrame:
    """One row for each cluster, and for all samples, in each checkpoint: cluster, title, checkpoint, n, error_rate,
    low, high, rest."""
    rows = [
        {
            "cluster": None if one.cluster is None else one.cluster.id,
            "title": _title(diagnosis, one),
            "checkpoint": name,
            "n": one.n[place],
            "error_rate": one.rates[place].value,
            "low": one.rates[place].low,
            "high": one.rates[place].high,
            "rest": one.rest[place],
        }
        for one in (*found.clusters, found.everything)
        for place, name in enumerate(found.names)
    ]
    table = pd.DataFrame(rows).astype({"cluster": "Int64"})
    return table.assign(title=strings(table["title"].tolist()), checkpoint=strings(table["checkpoint"].tolist()))


def checkpoints_document(diagnosis: Diagnosis, found: FollowedRun) -> dict[str, Any]:
    """The same with the run's own model, what changed, and its sentence."""
    return to_json(
        {
            "checkpoints": found.names,
            "scopes": [
                {
                    "cluster": None if one.cluster is None else one.cluster.id,
                    "title": _title(diagnosis, one),
                    "own": one.baseline.to_dict(),
                    "rates": [rate.to_dict() for rate in one.rates],
                    "rest": one.rest,
                    "n": one.n,
                    "change": one.change.to_dict(),
                    "p": one.p,
                    "sentence": change_sentence(found.names, one),
                }
                for one in (*found.clusters, found.everything)
            ],
            "notes": found.notes,
        }
    )


def _title(diagnosis: Diagnosis, one: FollowedCluster) -> str:
    return "all samples" if one.cluster is None else cluster_title(diagnosis, one.cluster)
