"""Worlds of drawn scenes: a small network learns to tell cubes from cylinders, taught wrong in a planted slice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from core.records import F64, I64
from core.systems.composition.scenes.placement import bare, laid_out
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import COLOURS, GROUNDS, MATERIALS, SIZES, Scene
from research.scoreboard.planting import KINDS, plant_in_training
from research.scoreboard.pool import PicturePool, PoolAttribute, make_pool
from research.scoreboard.victims import network_probabilities
from research.scoreboard.worlds import FailureWorld

SHAPES = ("cube", "cylinder")
N_SCENES = 6000
FACTORS: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "material": MATERIALS,
    "size": tuple(SIZES),
    "ground": GROUNDS,
}


@dataclass(frozen=True, slots=True)
class SceneTier:
    """6,000 scenes of one thing, of which each world takes a third to teach, to audit and to score. They are embedded
    once, in about three minutes, and kept in the cache; the worlds of several seeds share scenes, not models."""

    kinds: ClassVar[tuple[str, ...]] = KINDS

    def missing(self, data: Path | None) -> str:
        """Torch is a requirement, so nothing is."""
        return ""

    def make(self, kind: str, seed: int, data: Path | None) -> FailureWorld:
        pool = scene_pool()

        def victim(rows: I64, labels: I64, asked: I64) -> F64:
            return network_probabilities(pool.pixels[rows], labels, pool.pixels[asked], len(SHAPES), seed)

        return plant_in_training(kind, pool, victim, seed, tier=2, tries=3)


@cache
def scene_pool() -> PicturePool:
    """The scenes, embedded, with every factor as attributes."""
    scenes = draw_scenes(N_SCENES, np.random.default_rng([0, 7]))
    names = tuple(PoolAttribute(factor, level) for factor, levels in FACTORS.items() for level in levels)
    attributes = np.array([[_level(scene, name.factor) == name.level for name in names] for scene in scenes])
    labels = np.array([SHAPES.index(scene.things[0].shape) for scene in scenes])
    return make_pool("scenes", [partial(render_scene, scene) for scene in scenes], labels, attributes, names)


def draw_scenes(n: int, rng: np.random.Generator) -> list[Scene]:
    """Scenes of one cube or cylinder each, all factors independent."""

    def one() -> Scene:
        shape, colour, material, size = (str(rng.choice(v)) for v in (SHAPES, *list(FACTORS.values())[:3]))
        return laid_out([bare(shape, colour, material, size)], rng)

    return [one() for _ in range(n)]


def _level(scene: Scene, factor: str) -> str:
    return str(getattr(scene if factor == "ground" else scene.things[0], factor))
