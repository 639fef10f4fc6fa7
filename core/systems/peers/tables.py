"""What other engines propose, as a table and as JSON."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.records import Diagnosis
from core.systems.peers.ask_peers import PeerReport


def peers_table(diagnosis: Diagnosis, report: PeerReport) -> pd.DataFrame:
    """One row for each slice."""
    return pd.DataFrame(
        [
            {
                "engine": s.engine,
                "slice": s.rank + 1,
                "samples": len(s.rows),
                "mostly": s.mostly,
                "mean_loss": s.mean_loss,
                "error_rate": s.error_rate,
                "cluster": None if s.cluster is None else diagnosis.clusters[s.cluster].name,
                "jaccard": s.jaccard,
                "engine_p": opinion.p,
            }
            for opinion in report.opinions
            for s in opinion.slices
        ]
    )


def peers_document(diagnosis: Diagnosis, report: PeerReport) -> dict[str, Any]:
    """Everything, with the ids of each slice's samples."""
    ids = diagnosis.samples.ids
    return {
        "engines": [
            {
                "engine": opinion.engine,
                "p": opinion.p,
                "untested": opinion.untested,
                "refused": opinion.refused,
                "slices": [
                    {
                        "samples": [ids[row] for row in s.rows],
                        "mean_loss": s.mean_loss,
                        "error_rate": s.error_rate,
                        "mostly": s.mostly,
                        "cluster": None if s.cluster is None else diagnosis.clusters[s.cluster].name,
                        "jaccard": s.jaccard,
                    }
                    for s in opinion.slices
                ],
            }
            for opinion in report.opinions
        ],
        "agreements": [{"one": a.one, "other": a.other, "jaccard": a.jaccard} for a in report.agreements],
    }
