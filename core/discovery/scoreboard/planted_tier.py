"""Worlds of plain embeddings: everything is known of them, and they are linear, which favours linear methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast, get_args

from core.discovery.engines.planted import Planted, PlantedKind, plant_embeddings
from core.discovery.engines.rows import planted_rows
from core.discovery.scoreboard.worlds import FailureWorld

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
        return FailureWorld(
            planted_rows(audit), planted_rows(fresh), fresh.slices, many=lambda: planted_rows(draw(MANY)[1])
        )


@dataclass(frozen=True, slots=True)
class TenClassTier(EmbeddingTier):
    """The same with ten classes and 4,000 rows, so that a class has 400."""

    n: int = 4000
    n_classes: int = 10
