"""Data sets with a known failure, and where they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.records import Bool
from core.registry import Registry
from core.systems.peers.engines.rows import EngineRows

TIERS = Registry(
    "tier",
    {
        "embeddings": "research.scoreboard.planted_tier:EmbeddingTier",
        "few-rows": "research.scoreboard.planted_tier:FewRowsTier",
        "ten-classes": "research.scoreboard.planted_tier:TenClassTier",
        "scenes": "research.scoreboard.scene_tier:SceneTier",
        "clothing": "research.scoreboard.picture_tier:ClothingTier",
        "cifar10": "research.scoreboard.picture_tier:CifarTier",
        "flickr8k": "research.scoreboard.picture_tier:FlickrTier",
    },
)


@dataclass(frozen=True, slots=True, eq=False)
class FailureWorld:
    """What a method is fitted on, other rows of the same world on which it is judged, and the truth about those."""

    audit: EngineRows
    fresh: EngineRows
    slices: tuple[Bool, ...]
    """(m,) masks of the fresh rows: the planted slices; none where nothing is planted."""
    left_out: str = ""
    """Why the world does not count, such as a model that learnt what was planted against it; "" where it does."""
    own_failures: bool = False
    """Whether the model fails of itself too, so that a claim elsewhere may be true: claims are then judged by the loss
    of the fresh rows, not by the planted slices."""
    many: Callable[[], tuple[EngineRows, tuple[Bool, ...]]] | None = None
    """Thousands more rows and the planted slices among them, by which an interval and what is worth a look are judged;
    None where there are none."""


class Tier(Protocol):
    """A kind of data, from plain embeddings to photographs."""

    kinds: tuple[str, ...]

    def missing(self, data: Path | None) -> str:
        """What it lacks on this machine, such as a folder of images; "" if nothing."""
        ...

    def make(self, kind: str, seed: int, data: Path | None) -> FailureWorld:
        """The world of that kind and seed, always the same."""
        ...
