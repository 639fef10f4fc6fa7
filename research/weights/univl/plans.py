"""Scenes of cut-outs over photographs drawn with independent factors, except for the links that a plan names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from core.errors import InvalidInput
from core.records import I64
from research.scenes.photographs import EXPOSURES, SIZES, SceneObject, SceneSpec


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a photograph in which crops may be taken."""

    photograph: str
    environment: str
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, right, bottom as shares of the photograph's width and height."""
    aspect: float = 1.5
    """Width over height of the photograph."""


@dataclass(frozen=True, slots=True)
class Link:
    """A level of a factor that one class (or every class, with label None) has `times` its weight; 0 means never."""

    label: str | None
    factor: Literal["weather", "light", "size"]
    level: str
    times: float


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """How scenes are drawn: each factor by its own weights, independent of the others but for the links."""

    identities: Mapping[str, tuple[str, ...]]
    """Cut-outs of each class."""
    places: tuple[Place, ...]
    weather: Mapping[str, float] = field(default_factory=lambda: {"clear": 0.4, "fog": 0.3, "snow": 0.3})
    light: Mapping[str, float] = field(default_factory=lambda: {"bright": 0.4, "dim": 0.3, "dark": 0.3})
    size: Mapping[str, float] = field(default_factory=lambda: {"small": 0.2, "medium": 0.4, "large": 0.4})
    links: tuple[Link, ...] = ()

    def draw(self, n: int, seed: int) -> list[SceneSpec]:
        """`n` scenes of one object, the classes as even in number as n allows, in random order; the same seed gives the
        same scenes."""
        if not self.places or not self.identities or not all(self.identities.values()):
            raise InvalidInput("A scene plan needs at least one place, and at least one cut-out for every class.")
        rng = np.random.default_rng(seed)
        labels = list(self.identities)
        order: I64 = rng.permutation(n) % len(labels)
        return [self._scene(labels[int(k)], rng) for k in order]

    def _scene(self, label: str, rng: np.random.Generator) -> SceneSpec:
        light = self._level("light", label, rng)
        size = self._level("size", label, rng)
        side = rng.uniform(*SIZES[size])
        thing = SceneObject(
            label,
            str(rng.choice(self.identities[label])),
            size=round(side, 4),
            x=round(rng.uniform(side / 2 + 0.02, 0.98 - side / 2), 4),
            y=round(rng.uniform(max(0.62, side + 0.06), 0.93), 4),
            angle=round(rng.normal(0, 5), 2),
            mirrored=bool(rng.random() < 0.5),
        )
        place = self.places[int(rng.integers(len(self.places)))]
        return SceneSpec(
            (thing,),
            place.photograph,
            place.environment,
            _crop(place, rng),
            weather=self._level("weather", label, rng),  # type: ignore[arg-type]
            light=light,  # type: ignore[arg-type]
            exposure=round(rng.uniform(*EXPOSURES[light]), 4),
            blur=(0.0, 0.004, 0.012)[int(rng.integers(3))],
            mirrored=bool(rng.random() < 0.5),
            seed=int(rng.integers(2**31)),
        )

    def _level(self, factor: str, label: str, rng: np.random.Generator) -> str:
        weights: Mapping[str, float] = getattr(self, factor)
        kept = {level: weight * self._times(factor, level, label) for level, weight in weights.items()}
        total = sum(kept.values())
        if total <= 0:
            raise InvalidInput(
                f"No {factor} is left for {label!r}: its links rule out all of {list(weights)}. "
                "Raise one link's `times`."
            )
        return str(rng.choice(list(kept), p=[weight / total for weight in kept.values()]))

    def _times(self, factor: str, level: str, label: str) -> float:
        matching = [
            link.times
            for link in self.links
            if (link.factor, link.level) == (factor, level) and link.label in (None, label)
        ]
        return float(np.prod(matching)) if matching else 1.0

    def with_links(self, *links: Link) -> ScenePlan:
        """The same plan with these links in place of its own."""
        return replace(self, links=links)


def _crop(place: Place, rng: np.random.Generator) -> tuple[float, float, float]:
    left, top, right, bottom = place.region
    # a square of side s (share of the shorter side) is s / aspect of the width in a landscape photograph
    wide = max(place.aspect, 1.0)
    high = max(1 / place.aspect, 1.0)
    most = min((right - left) * wide, (bottom - top) * high, 1.0)
    side = rng.uniform(0.55, 1.0) * most
    x = rng.uniform(left, right - side / wide)
    y = rng.uniform(top, bottom - side / high)
    return round(max(x, 0.0), 4), round(max(y, 0.0), 4), round(side, 4)
