"""Clusters without a likely title, named by a confirmed visual word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.discovery.called import cluster_name
from core.records import I64, Bool, Diagnosis, FailureCluster
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.places import SamePlace

MIN_NAME_AUROC = 0.75
"""AUROC of a word for members against the others of the scope, from which it names the cluster. A convention."""
MIN_JACCARD = 0.5
"""Jaccard index of members from which a cluster of the search with words counts as that of the run. A convention."""


@dataclass(frozen=True, slots=True, eq=False)
class WordName:
    """A visual word as the name of a cluster, with its evidence; counts are of readable images."""

    cluster: int
    """Its id in the run."""
    finding: WordFinding
    inside: int
    """Members with the word."""
    size: int
    """Members."""
    others: int
    """Other images of the scope with the word."""
    of: int
    """Other images of the scope."""
    alike: int = 1
    """Confirmed words that mark the same region, itself included."""
    together: int = 0
    """Members in which two of these touch."""

    @property
    def auroc(self) -> float:
        """AUROC of the word for members against the others of the scope."""
        return auroc_of(self.inside, self.size, self.others, self.of)


def auroc_of(inside: int, size: int, others: int, of: int) -> float:
    """AUROC of a mark that `inside` of `size` members and `others` of `of` others have; 0.5 where a side is empty."""
    if not size or not of:
        return 0.5
    return (inside / size + 1 - others / of) / 2


def unnamed(diagnosis: Diagnosis) -> tuple[FailureCluster, ...]:
    """The run's clusters without a likely title."""
    return tuple(c for c in diagnosis.clusters if cluster_name(diagnosis, c).grade != "likely")


def word_names(
    run: Diagnosis, rows: I64, searched: Diagnosis, findings: Sequence[WordFinding], places: Sequence[SamePlace] = ()
) -> tuple[WordName, ...]:
    """The names of clusters without a likely title that the search with words confirmed again.

    The name is the confirmed word of the cluster's scope with the highest AUROC for its members, from
    `MIN_NAME_AUROC`.

    Args:
        rows: (m,) row of the run of each of the m searched samples.
        searched: the search of those, with the words among its conditions.
        places: sets of words that mark the same region.
    """
    names = list[WordName]()
    for cluster in unnamed(run):
        members = cluster.membership[rows] >= 0.5
        if not any(
            candidate.scope == cluster.scope and _is_same(candidate, members) for candidate in searched.clusters
        ):
            continue
        size = int(members.sum())
        fitting = list[WordName]()
        for finding in findings:
            if not finding.confirmed or finding.scope != cluster.scope:
                continue
            same = next((place for place in places if finding in place.findings), None)
            alike = 1 if same is None else len(same.findings)
            together = 0 if same is None else int((same.together & members).sum())
            inside = int((members & finding.rows).sum())
            others = int(np.count_nonzero(finding.rows & ~members))
            name = WordName(cluster.id, finding, inside, size, others, finding.of - size, alike, together)
            if name.auroc >= MIN_NAME_AUROC:
                fitting.append(name)
        if fitting:
            names.append(max(fitting, key=lambda name: name.auroc))
    return tuple(names)


def _is_same(candidate: FailureCluster, members: Bool) -> bool:
    candidate_members = candidate.membership >= 0.5
    either = int((candidate_members | members).sum())
    return int((candidate_members & members).sum()) >= MIN_JACCARD * max(either, 1)
