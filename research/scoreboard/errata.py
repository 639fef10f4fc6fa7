"""Errata in the form of an engine, so that it is measured as its peers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from core.discovery.settings import Settings
from core.records import F32, F64, I64, Bool, Diagnosis, FailureCluster
from core.systems.peers.engines import MAX_SLICES
from core.systems.peers.engines.rows import EngineRows
from research.arrays import diagnose_arrays
from research.scoreboard.claims import ClaimedRows


@dataclass
class ErrataEngine:
    """Slices are the confirmed clusters in rank order, then what is worth a look; a row's score is its
    membership. One constant column where there are none.

    999 permutations, where a report is made with 5,000: the least p is 0.001 instead of 0.0002.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels",)
    n_permutations: int = 999
    seed: int = 0
    group_copies: bool = True
    """As of `diagnose_arrays`."""
    result_: Diagnosis = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        settings = Settings(seed=self.seed, map=False, n_permutations=self.n_permutations, sensitivity=False)
        self.result_ = diagnose_arrays(
            embeddings, losses, labels=labels, errors=errors, settings=settings, group_copies=self.group_copies
        )
        return self

    def _memberships(self, embeddings: F32, labels: I64) -> F64:
        """(m, c) of every cluster and candidate."""
        assert self.result_.model is not None  # diagnose_arrays always makes one
        return self.result_.model.assign(embeddings, labels=labels).memberships

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        memberships = self._memberships(embeddings, labels)
        return memberships[:, :MAX_SLICES] if memberships.shape[1] else np.zeros((len(labels), 1))

    def n_other_claims(self) -> int:
        """What the run claims besides clusters: conditions, phrases and classes."""
        return sum(i.confirmed for i in self.result_.insights) + sum(c.confirmed for c in self.result_.classes)

    def claims(self, rows: EngineRows) -> list[ClaimedRows]:
        """The confirmed clusters, read on other rows: members against the rest of their scope."""
        return self._read(self.result_.clusters, rows)

    def looks(self, rows: EngineRows) -> list[tuple[float | None, float | None, ClaimedRows]]:
        """Of each candidate its chance, how likely it is said to be nothing, and the candidate read on other rows."""
        listed = self.result_.candidates
        return [(one.chance, one.local_fdr, read) for one, read in zip(listed, self._read(listed, rows))]

    def _read(self, clusters: Sequence[FailureCluster], rows: EngineRows) -> list[ClaimedRows]:
        memberships = self._memberships(rows.embeddings, rows.labels)
        clip = self.result_.outcomes.clip
        found = list[ClaimedRows]()
        losses = rows.losses if clip is None else np.minimum(rows.losses, clip)
        for cluster in clusters:
            named = self.result_.samples.class_names
            of_class = named.index(cluster.scope) if cluster.scope in named else None
            scope = np.ones(len(rows), dtype=bool) if of_class is None else rows.labels == of_class
            inside = scope & (memberships[:, cluster.id] >= 0.5)
            found.append(ClaimedRows(inside, scope & ~inside, losses, cluster.excess_loss))
        return found
