"""Worlds of plain embeddings: everything is known of them, and they are linear, which favors linear methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast, get_args

from core.records import Bool
from core.systems.peers.engines.rows import EngineRows
from research.scoreboard.planted_embeddings import Planted, PlantedKind, plant_embeddings, planted_rows
from research.scoreboard.worlds import FailureWorld

MANY = 10_000


@dataclass(frozen=True, slots=True)
class EmbeddingTier:
    """Two classes, 2,000 audited rows in 256 dimensions, 16 attributes."""

    kinds: ClassVar[tuple[str, ...]] = get_args(PlantedKind)
    n: int = 2000
    dimensions: int = 256
    n_classes: int = 2

    def missing(self, data: Path | None) -> str:
        return ""

    def make(self, kind: str, seed: int, data: Path | None) -> FailureWorld:
        def draw(n: int) -> tuple[Planted, Planted]:
            return plant_embeddings(
                cast(PlantedKind, kind), seed=seed, n=n, dimensions=self.dimensions, n_classes=self.n_classes
            )

        audit, fresh = draw(self.n)
        return FailureWorld(planted_rows(audit), planted_rows(fresh), fresh.slices, many=lambda: _told(draw(MANY)[1]))


def _told(planted: Planted) -> tuple[EngineRows, tuple[Bool, ...]]:
    return planted_rows(planted), planted.slices


@dataclass(frozen=True, slots=True)
class FewRowsTier(EmbeddingTier):
    """The same with 800 rows, so that much of what is planted is too weak to be confirmed."""

    n: int = 800


@dataclass(frozen=True, slots=True)
class TenClassTier(EmbeddingTier):
    """The same with ten classes and 4,000 rows, so that a class has 400."""

    n: int = 4000
    n_classes: int = 10
