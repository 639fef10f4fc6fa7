"""Things with a shape, a colour, a material and a size; scenes of them; and sentences that are exactly true or false of
a scene.

A `Scene` says everything about one image in shares of its side, so the same scene renders at any size
(`scenes.render`). A `Statement` is a caption with its meaning: `text` gives the English, `holds` decides it against a
scene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.language import grammar as nouns

SHAPES: tuple[str, ...] = ("cube", "ball", "cylinder", "cone", "ring", "star")
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (214, 32, 36),
    "orange": (246, 128, 10),
    "yellow": (246, 214, 26),
    "green": (30, 152, 56),
    "cyan": (34, 196, 212),
    "blue": (28, 70, 210),
    "purple": (132, 40, 168),
    "white": (242, 242, 240),
}
"""Names, and the sRGB values that a fully lit matte thing has before the light of its scene."""
MATERIALS: tuple[str, ...] = ("matte", "shiny", "striped", "dotted")
SIZES: Mapping[str, tuple[float, float]] = {"small": (0.19, 0.23), "large": (0.36, 0.42)}
"""Longest side as a share of the image's side. The gap keeps the two apart."""
GROUNDS: tuple[str, ...] = ("plain", "cloudy", "speckled", "woven")
RELATIONS: Mapping[str, str] = {
    "left": "to the left of",
    "right": "to the right of",
    "above": "above",
    "below": "below",
}
CLEAR = 0.12
"""Distance of the middles along an axis, as a share of the side, from which a relation along that axis is said to
hold."""
_NUMBERS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing and where it is. Lengths are shares of the image's side."""

    shape: str
    colour: str
    material: str
    size: str
    x: float
    """Middle, from the left."""
    y: float
    """Middle, from the top."""
    extent: float
    """Longest side before turning, within `SIZES[size]`."""
    angle: float = 0.0
    """Degrees, counter-clockwise."""
    hue: float = 0.0
    """Shift of the hue in degrees: a few, so that the colour keeps its name."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All of one image; the things are painted in order, so the last one is in front."""

    things: tuple[Shape, ...]
    ground: str = "plain"
    """One of `GROUNDS`."""
    tone: tuple[int, int, int] = (150, 150, 148)
    """sRGB colour of the ground, little saturated."""
    light: float = 135.0
    """Where the light comes from: degrees, counter-clockwise from the right; 135 is the upper left."""
    exposure: float = 1.0
    """Gain on the pixel values."""
    seed: int = 0
    """Drives the ground's texture and the grain."""


class Seen(Protocol):
    """What a caption can be held against: a `Shape`, or anything else with a name, attributes and a place."""

    @property
    def shape(self) -> str: ...
    @property
    def colour(self) -> str: ...
    @property
    def material(self) -> str: ...
    @property
    def size(self) -> str: ...
    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ShapePhrase:
    """A noun with the attributes that are said; None leaves one unsaid."""

    shape: str
    colour: str | None = None
    material: str | None = None
    size: str | None = None
    count: int | None = None
    """Exact number of things; None means at least one."""

    def matches(self, shape: Seen) -> bool:
        """Whether the thing has the shape and every attribute that is said."""
        attributes = ((self.colour, shape.colour), (self.material, shape.material), (self.size, shape.size))
        return self.shape == shape.shape and all(word in (None, value) for word, value in attributes)

    def text(self) -> str:
        """Such as "a small red cube" or "two red cubes"."""
        words = " ".join(word for word in (self.size, self.material, self.colour, self.shape) if word)
        if self.count is None:
            return nouns.right_articles(f"a {words}")
        return f"{_NUMBERS[self.count]} {words if self.count == 1 else nouns.plural(words)}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A caption that is true or false of a scene."""

    phrases: tuple[ShapePhrase, ...]
    relation: str | None = None
    """A key of `RELATIONS`, of the first phrase's thing to the second's; None only says that both are there."""

    def text(self) -> str:
        """The caption, for instance "a red cube and a blue ball" or "a red cube to the left of a blue ball"."""
        return f" {RELATIONS[self.relation] if self.relation else 'and'} ".join(
            phrase.text() for phrase in self.phrases
        )

    def holds(self, scene: Scene) -> bool:
        """Whether the caption is true of the scene."""
        return self.holds_among(scene.things)

    def holds_among(self, seen: Sequence[Seen]) -> bool:
        """Whether the caption is true of what is seen. The phrases are taken to speak of different things, which
        different nouns ensure."""
        matches = [[thing for thing in seen if phrase.matches(thing)] for phrase in self.phrases]
        for phrase, things in zip(self.phrases, matches, strict=True):
            if not things or (phrase.count is not None and len(things) != phrase.count):
                return False
        return self.relation is None or any(related(a, self.relation, b) for a in matches[0] for b in matches[1])


def related(a: Seen, relation: str, b: Seen) -> bool:
    """Whether `a` stands in the relation to `b`, by a distance of at least `CLEAR` along the axis."""
    along = {"left": b.x - a.x, "right": a.x - b.x, "above": b.y - a.y, "below": a.y - b.y}[relation]
    return along >= CLEAR
