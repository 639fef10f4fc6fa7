"""How many true blindspots a list of groups finds, and how many of its groups are none: DR and FDR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.records import Bool


@dataclass(frozen=True, slots=True)
class BlindspotRates:
    """What a list of groups comes to in one model."""

    covered: int
    """Blindspots that are discovered; DR is their share."""
    blindspots: int
    groups: int
    false_groups: int
    """Groups that belong to no blindspot; FDR is their share."""
    groups_needed: int
    """Length of the shortest start of the list that discovers as much."""
    false_needed: int
    """False groups in that start."""

    @property
    def dr(self) -> float:
        return self.covered / self.blindspots


def blindspot_rates(
    groups: Sequence[Bool], blindspots: Sequence[Bool], *, precision: float = 0.8, recall: float = 0.8
) -> BlindspotRates:
    """DR and FDR of an ordered list of groups.

    A group belongs to a blindspot where at least `precision` of its rows lie in it. A blindspot is discovered where the
    union of the groups that belong to it holds at least `recall` of its rows. A group without rows belongs to none.

    Args:
        groups: (n,) masks, best first.
        blindspots: (n,) masks of the true ones, none empty.

    Source: Plumb et al. 2023, arXiv 2207.04104, as we understand it; only the opening of the paper could be read.
    """
    belongs = [[_share(group, spot) >= precision for spot in blindspots] for group in groups]
    false = [not any(row) for row in belongs]
    covered = [_covered(groups[:n], belongs, blindspots, recall) for n in range(len(groups) + 1)]
    needed = covered.index(covered[-1])
    return BlindspotRates(covered[-1], len(blindspots), len(groups), sum(false), needed, sum(false[:needed]))


def _share(group: Bool, spot: Bool) -> float:
    return float(spot[group].mean()) if group.any() else 0.0


def _covered(groups: Sequence[Bool], belongs: list[list[bool]], blindspots: Sequence[Bool], recall: float) -> int:
    found = 0
    for s, spot in enumerate(blindspots):
        union = sum((group & spot for g, group in enumerate(groups) if belongs[g][s]), spot & False)
        found += int(union.sum() >= recall * spot.sum())
    return found
