"""Slices of other engines as a table and as JSON."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.records import Diagnosis
from core.systems.peers.ask_peers import PeerReport, PeerSlice


def peers_table(diagnosis: Diagnosis, report: PeerReport) -> pd.DataFrame:
    """One row for each slice."""
    rows: list[dict[str, Any]] = []
    for opinion in report.opinions:
        for peer_slice in opinion.slices:
            head = {
                "engine": peer_slice.engine,
                "slice": peer_slice.rank + 1,
                "samples": len(peer_slice.rows),
                "mostly": peer_slice.mostly,
            }
            rows.append(head | _figures(diagnosis, peer_slice) | {"engine_p": opinion.p})
    return pd.DataFrame(rows)


def _figures(diagnosis: Diagnosis, peer_slice: PeerSlice) -> dict[str, Any]:
    cluster = peer_slice.cluster
    return {
        "mean_loss": peer_slice.mean_loss,
        "error_rate": peer_slice.error_rate,
        "cluster": None if cluster is None else diagnosis.clusters[cluster].name,
        "jaccard": peer_slice.jaccard,
    }


def peers_document(diagnosis: Diagnosis, report: PeerReport) -> dict[str, Any]:
    """The whole report as JSON values, with the ids of each slice's samples."""
    ids = diagnosis.samples.ids
    engines: list[dict[str, Any]] = []
    for opinion in report.opinions:
        slices: list[dict[str, Any]] = []
        for s in opinion.slices:
            head = {"samples": [ids[row] for row in s.rows], "mean_loss": s.mean_loss, "error_rate": s.error_rate}
            slices.append(head | {"mostly": s.mostly} | _figures(diagnosis, s))
        engines.append(
            {
                "engine": opinion.engine,
                "p": opinion.p,
                "untested": opinion.untested,
                "refused": opinion.refused,
                "slices": slices,
            }
        )
    pairs = [{"one": a.first, "other": a.second, "jaccard": a.jaccard} for a in report.agreements]
    return {"engines": engines, "agreements": pairs}
