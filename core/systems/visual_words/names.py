"""Clusters without a likely title, told by a visual word that the search confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.discovery.called import cluster_name
from core.records import I64, Bool, Diagnosis, FailureCluster
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.places import SamePlace

FITS = 0.75
"""Least AUROC with which having a word must tell the members from the rest of the scope."""
SAME = 0.5
"""Least Jaccard index of the members with which a cluster of the search with words is that of the run."""


@dataclass(frozen=True, slots=True, eq=False)
class WordName:
    """A visual word as the name of a cluster, with what it rests on; counts are of images that could be read."""

    cluster: int
    """Its id in the run."""
    finding: WordFinding
    inside: int
    """Members with the word."""
    size: int
    """Members."""
    others: int
    """Of the rest of the scope those with the word."""
    of: int
    """The rest of the scope."""
    alike: int = 1
    """Confirmed words that are one thing with it, and itself."""
    together: int = 0
    """Members in which two of these touch."""

    @property
    def auroc(self) -> float:
        """With which having the word tells members from the rest of the scope."""
        return auroc_of(self.inside, self.size, self.others, self.of)


def auroc_of(inside: int, size: int, others: int, of: int) -> float:
    """Of having or lacking a thing that `inside` of `size` members have and `others` of the `of` others; 0.5 where
    either group is empty."""
    return (inside / size + 1 - others / of) / 2 if size and of else 0.5


def unnamed(diagnosis: Diagnosis) -> tuple[FailureCluster, ...]:
    """The run's clusters whose title is only a guess, or says that nothing is common to them."""
    return tuple(c for c in diagnosis.clusters if cluster_name(diagnosis, c).grade != "likely")


def word_names(
    run: Diagnosis, rows: I64, searched: Diagnosis, findings: Sequence[WordFinding], places: Sequence[SamePlace] = ()
) -> tuple[WordName, ...]:
    """One for each such cluster of the run that the search with words confirmed again, and of whose scope it
    confirmed a word that retrieves the members with an AUROC of 0.75: the best of these.

    Args:
        rows: (m,) row of the run of each of the m samples that were searched.
        searched: of those, with the words among its conditions.
        places: the words that are one thing.
    """
    found = list[WordName]()
    for cluster in unnamed(run):
        members = cluster.membership[rows] >= 0.5
        if not any(_is_same(other, cluster.scope, members) for other in searched.clusters):
            continue
        of_scope = (_named(cluster, members, f, places) for f in findings if f.confirmed and f.scope == cluster.scope)
        fitting = [name for name in of_scope if name.auroc >= FITS]
        if fitting:
            found.append(max(fitting, key=lambda name: name.auroc))
    return tuple(found)


def _is_same(other: FailureCluster, scope: str, members: Bool) -> bool:
    own = other.membership >= 0.5
    both = int((own & members).sum())
    return other.scope == scope and both >= SAME * max(int((own | members).sum()), 1)


def _named(cluster: FailureCluster, members: Bool, finding: WordFinding, places: Sequence[SamePlace]) -> WordName:
    inside = int((members & finding.rows).sum())
    size = int(members.sum())
    others = int(np.count_nonzero(finding.rows & ~members))
    place = next((place for place in places if finding in place.findings), None)
    alike, together = (1, 0) if place is None else (len(place.findings), int((place.together & members).sum()))
    return WordName(cluster.id, finding, inside, size, others, finding.of - size, alike, together)
