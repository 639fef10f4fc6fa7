"""Clips drawn with known truth: things on a ground to which one event happens after the other, and the sentence that
says so.

A clip played backwards shows the opposite events in the opposite order, from the very same frames: so a sentence and
that of the clip backwards are told apart by order alone. Where each thing is there only while its event lasts, the same
holds of the same events in the other order, and of either event alone played backwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from core.language.grammar import right_articles
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import COLOURS, GROUNDS, MATERIALS, SHAPES, Scene, Shape

OPPOSITE: Mapping[str, str] = {
    "moves left": "moves right",
    "moves right": "moves left",
    "rises": "falls",
    "falls": "rises",
    "grows": "shrinks",
    "shrinks": "grows",
}
"""What may happen to a thing, and what is seen of it backwards."""
THEN = ", then "
"""Between the events of a clip."""
WAY = 0.34
LIFT = 0.26
GROWTH = 1.9
"""How far a thing moves sideways and up, in shares of the side, and how many times larger it grows."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a thing. `thing` is as it is before."""

    thing: Shape
    verb: str
    """One of `OPPOSITE`."""

    def after(self, share: float) -> Shape:
        """The thing when that share of the event is over."""
        thing = self.thing
        way = {"moves left": -WAY, "moves right": WAY}.get(self.verb, 0.0)
        lift = {"rises": -LIFT, "falls": LIFT}.get(self.verb, 0.0)
        growth = {"grows": GROWTH, "shrinks": 1 / GROWTH}
        extent = thing.extent * growth.get(self.verb, 1.0) ** share
        return replace(thing, x=thing.x + way * share, y=thing.y + lift * share, extent=extent)

    def backwards(self) -> Event:
        """The same event played from its end."""
        return Event(self.after(1.0), OPPOSITE[self.verb])

    def text(self) -> str:
        """Such as "a red cube moves left"."""
        return right_articles(f"a {self.thing.colour} {self.thing.shape} {self.verb}")


@dataclass(frozen=True, slots=True)
class DrawnClip:
    """Events that happen one after the other, in equal parts of the clip."""

    events: tuple[Event, ...]
    ground: Scene
    """Its own things stand still in every frame."""
    alone: bool = False
    """A thing is there only while its event lasts."""

    def text(self) -> str:
        """Such as "a red cube moves left, then a blue ball grows"."""
        return THEN.join(event.text() for event in self.events)

    def backwards(self) -> DrawnClip:
        return replace(self, events=tuple(event.backwards() for event in reversed(self.events)))

    def swapped(self) -> DrawnClip:
        """The same events in the other order."""
        return replace(self, events=self.events[::-1])

    def frames(self, n: int, size: int) -> list[Image.Image]:
        """n images of `size` x `size` pixels; backwards they are those of `backwards()`. Of things that are there
        alone, n is divided evenly among the events, and `swapped()` shows the same images, event by event."""
        shown = list[Image.Image]()
        if self.alone:
            shares = np.linspace(0, 1, n // len(self.events))
            things = [event.after(float(share)) for event in self.events for share in shares]
            return [render_scene(replace(self.ground, things=(*self.ground.things, thing)), size) for thing in things]
        for at in np.linspace(0, len(self.events), n):
            things = tuple(event.after(float(np.clip(at - i, 0, 1))) for i, event in enumerate(self.events))
            order = sorted(things, key=lambda thing: (thing.shape, thing.colour))  # the same in front both ways
            shown.append(render_scene(replace(self.ground, things=(*self.ground.things, *order)), size))
        return shown


def draw_clip(rng: np.random.Generator, verbs: Sequence[str], *, alone: bool = False) -> DrawnClip:
    """A clip in which these events happen one after the other, to things of different shapes and colors on a ground
    drawn at random.

    Args:
        alone: each thing is there only while its event lasts.
    """
    shapes = rng.permutation(SHAPES)[: len(verbs)]
    colours = rng.permutation(tuple(COLOURS))[: len(verbs)]
    rows = (np.arange(len(verbs)) + 0.5) / len(verbs)
    events = list[Event]()
    for verb, shape, colour, row in zip(verbs, shapes, colours, rng.permutation(rows), strict=True):
        # from where it stands it has room for what happens to it
        x = {"moves left": 0.5 + WAY / 2, "moves right": 0.5 - WAY / 2}.get(verb, 0.5) + rng.uniform(-0.1, 0.1)
        y = float(row) + {"rises": LIFT / 2, "falls": -LIFT / 2}.get(verb, 0.0) + rng.uniform(-0.04, 0.04)
        extent = rng.uniform(0.19, 0.23) * (GROWTH if verb == "shrinks" else 1.0)
        material = MATERIALS[int(rng.integers(len(MATERIALS)))]
        events.append(Event(Shape(str(shape), str(colour), material, "small", x, y, extent), verb))
    red, green, blue = (int(v) for v in rng.integers(110, 190) + rng.integers(-18, 19, 3))
    ground = GROUNDS[int(rng.integers(len(GROUNDS)))]
    light = float(rng.uniform(60, 150))
    exposure = float(rng.uniform(0.85, 1.1))
    seed = int(rng.integers(2**31))
    scene = Scene((), ground, (red, green, blue), light, exposure, seed)
    return DrawnClip(tuple(events), scene, alone)


def faded(frames: Sequence[Image.Image], to: float) -> list[Image.Image]:
    """The frames with a light that goes evenly from 1 to that share at the end."""
    gains = np.linspace(1, to, len(frames))
    return [frame.point(lambda value, gain=gain: value * gain) for frame, gain in zip(frames, gains.tolist())]
