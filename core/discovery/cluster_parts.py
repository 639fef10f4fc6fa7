"""Figures of each part of a cluster of two kinds."""

from __future__ import annotations

from dataclasses import dataclass

from core.discovery.called import cluster_name
from core.language.measured_words import says_the_same
from core.records import ClusterPart, Diagnosis, FailureCluster, Insight


@dataclass(frozen=True, slots=True, eq=False)
class PartFigures:
    """A part with what its own samples show."""

    part: ClusterPart
    size: int
    """Members, by its share of those that were looked at."""
    error_rate: float | None
    """Share of the part's rows that are wrong, as counted: not corrected for the search; None where errors are
    unknown."""
    mean_loss: float
    """Of the same rows, as observed."""
    confirmed: Insight | None
    """The condition or phrase of the lowest p that the run confirmed in the cluster's scope and that says the part's
    words; its p is of all samples that meet it, not of the part alone."""


def cluster_parts(diagnosis: Diagnosis, cluster: FailureCluster) -> list[PartFigures]:
    """The parts of a cluster of two kinds, the larger first; [] of any other."""
    outcomes = diagnosis.outcomes
    confirmed = [i for i in diagnosis.insights if i.confirmed and i.scope == cluster.scope]
    parts = list[PartFigures]()
    for part in cluster_name(diagnosis, cluster).parts:
        error_rate = None
        if outcomes.errors is not None:
            error_rate = float(outcomes.errors[part.rows].mean())
        mean_loss = float(outcomes.loss[part.rows].mean())
        same = [i for i in confirmed if says_the_same(part.words, i)]
        insight = min(same, key=lambda i: i.p or 0.0, default=None)
        parts.append(PartFigures(part, round(part.share * cluster.size), error_rate, mean_loss, insight))
    return parts
