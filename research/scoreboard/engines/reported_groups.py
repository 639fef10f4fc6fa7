"""Cleanlab's groups with what it stands by: those that its report names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.systems.peers.engines.neighbour_groups import NeighbourGroups
from core.systems.peers.engines.rows import EngineRows
from research.scoreboard.claims import ClaimedRows


@dataclass
class ReportedGroups(NeighbourGroups):
    """`NeighbourGroups` that claims the groups whose ratio is below `threshold`, as Cleanlab reports them.

    Source: the issue manager "underperforming_group" of cleanlab 2.9.
    """

    threshold: float = 0.1

    def claims(self, rows: EngineRows) -> list[ClaimedRows]:
        """The slices that Cleanlab would report, with the rows that are as near to them as its neighbors are."""
        near = self.score(rows.embeddings, rows.labels) >= -self.eps_
        reported = np.flatnonzero(self.ratios_ < self.threshold)
        return [ClaimedRows(near[:, i], ~near[:, i], rows.losses) for i in reported]
