"""Where things stand: places drawn at random, clear of one another, with a relation along one axis if one is asked
for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.errors import InvalidInput
from core.systems.composition.scenes.shapes import CLEAR, GROUNDS, SIZES, Scene, Shape

_TOUCH = 0.54
"""Middles are at least this share of the two extents' sum apart: 0.5 lets two balls touch."""
_EDGE = 0.035
"""Room between a thing and the image's edge, as a share of the side."""
_LEVEL = 0.10
"""Along the other axis, two related things are at most this far apart, as a share of the side."""
_TRIES = 60
_RESTARTS = 60


def bare(shape: str, colour: str, material: str, size: str) -> Shape:
    """A thing in the middle of the image, in the middle of its size: `laid_out` finds its place."""
    return Shape(shape, colour, material, size, 0.5, 0.5, sum(SIZES[size]) / 2)


def laid_out(things: Sequence[Shape], rng: np.random.Generator, *, relation: str | None = None) -> Scene:
    """A scene of these things in places, turns, tints, ground and light drawn at random.

    Args:
        relation: if given, the first thing stands in it to the second, clearly, and level with it along the other axis.

    Raises:
        InvalidInput: the things do not fit without overlap.
    """
    varied = [_varied(thing, rng) for thing in things]
    for _ in range(_RESTARTS):
        placed = _attempt(varied, rng, relation)
        if placed is not None:
            order = rng.permutation(len(placed))
            return _surrounded(tuple(placed[i] for i in order), rng)
    raise InvalidInput(
        f"{len(things)} objects of sizes {[t.size for t in things]} do not fit into one image. Draw fewer or "
        "smaller ones."
    )


def _varied(shape: Shape, rng: np.random.Generator) -> Shape:
    low, high = SIZES[shape.size]
    turn = 9.0
    if shape.shape == "star":
        turn = 36.0
    return replace(
        shape,
        extent=round(rng.uniform(low, high), 4),
        angle=round(rng.uniform(-turn, turn), 1),
        hue=round(rng.uniform(-4, 4), 1),
    )


def _attempt(things: Sequence[Shape], rng: np.random.Generator, relation: str | None) -> list[Shape] | None:
    placed: list[Shape] = []
    rest = list(things)
    if relation is not None:
        placed = _related(rest[0], rest[1], relation, rng)
        if not _clear(placed[0], placed[1]):
            return None
        rest = rest[2:]
    for shape in rest:
        for _ in range(_TRIES):
            tried = _at(shape, *rng.uniform(_room(shape), 1 - _room(shape), 2))
            if all(_clear(tried, other) for other in placed):
                placed.append(tried)
                break
        else:
            return None
    return placed


def _related(a: Shape, b: Shape, relation: str, rng: np.random.Generator) -> list[Shape]:
    """The two, `a` first, with b in the middle of what is left once a's place along the axis is drawn."""
    least = max((a.extent + b.extent) * (_TOUCH + 0.02), CLEAR + 0.1)
    room_a = _room(a)
    room_b = _room(b)
    near = rng.uniform(room_a, max(room_a, 1 - room_b - least))
    far = rng.uniform(near + least, max(near + least, 1 - room_b))
    level = rng.uniform(max(room_a, room_b), 1 - max(room_a, room_b))
    off = float(np.clip(level + rng.uniform(-_LEVEL, _LEVEL), room_b, 1 - room_b))
    if relation in ("right", "below"):
        near = 1 - near
        far = 1 - far
    if relation in ("left", "right"):
        return [_at(a, near, level), _at(b, far, off)]
    return [_at(a, level, near), _at(b, off, far)]


def _at(shape: Shape, x: float, y: float) -> Shape:
    return replace(shape, x=round(float(x), 4), y=round(float(y), 4))


def _room(shape: Shape) -> float:
    return shape.extent / 2 + _EDGE


def _clear(a: Shape, b: Shape) -> bool:
    inside = all(_room(t) - 1e-3 <= v <= 1 - _room(t) + 1e-3 for t in (a, b) for v in (t.x, t.y))
    return inside and float(np.hypot(a.x - b.x, a.y - b.y)) >= _TOUCH * (a.extent + b.extent)


def _surrounded(things: tuple[Shape, ...], rng: np.random.Generator) -> Scene:
    grey = rng.uniform(100, 178)
    tint = rng.uniform(-1, 1, 3)
    tone = np.clip(grey + 11 * (tint - tint.mean()), 60, 190)  # little saturated: no thing takes the ground's colour
    return Scene(
        things,
        ground=str(rng.choice(GROUNDS)),
        tone=(round(tone[0]), round(tone[1]), round(tone[2])),
        light=round(rng.uniform(90, 180), 1),
        exposure=round(rng.uniform(0.92, 1.12), 3),
        seed=int(rng.integers(2**31)),
    )
