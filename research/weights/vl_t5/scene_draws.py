"""Scenes to ask about: one to five things of two or three shapes, drawn so that colors, shapes, counts and places
vary freely. Some pairs of color and shape can be kept out, or be the very ones that are asked about."""

from __future__ import annotations

import numpy as np

from core.errors import InvalidInput
from core.systems.composition.scenes.held_out import HeldOut
from core.systems.composition.scenes.placement import bare, laid_out
from core.systems.composition.scenes.shapes import COLOURS, MATERIALS, SHAPES, Scene, Shape

MOST = 5
"""Things of a scene."""
_TRIES = 200


def draw_scenes(n: int, seed: int, held_out: HeldOut, *, unseen: bool = False) -> tuple[Scene, ...]:
    """n scenes; the same arguments give the same ones.

    Args:
        held_out: pairs of color and shape that no scene shows.
        unseen: exactly one thing of each scene shows one of them, and no other thing has its shape or its color.

    Raises:
        InvalidInput: scenes with an unseen pair are asked for and nothing is held out.
    """
    if unseen and not held_out.colour:
        raise InvalidInput(
            "Scenes with an unseen pair need pairs of colour and shape that are held out: there are none."
        )
    rng = np.random.default_rng([seed, int(unseen), 31])
    return tuple(_scene(rng, held_out, unseen) for _ in range(n))


def _scene(rng: np.random.Generator, held_out: HeldOut, unseen: bool) -> Scene:
    for _ in range(_TRIES):
        things = _things(rng, held_out, unseen)
        try:
            return laid_out(things, rng)
        except InvalidInput:  # too many large ones
            continue
    raise InvalidInput("No scene could be drawn: hold fewer pairs out.")


def _things(rng: np.random.Generator, held_out: HeldOut, unseen: bool) -> list[Shape]:
    shapes = [str(s) for s in rng.permutation(SHAPES)[: int(rng.integers(2, 4))]]
    made: list[Shape] = []
    barred = ""
    if unseen:
        pairs = sorted(held_out.colour)
        barred, shapes[0] = pairs[int(rng.integers(len(pairs)))]
        shapes = list(dict.fromkeys(shapes))
        made.append(bare(shapes[0], barred, _any(rng, MATERIALS), _any(rng, ("small", "large"))))
        shapes = shapes[1:]
    for shape in shapes:
        for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))):
            free = [c for c in COLOURS if c != barred and (c, shape) not in held_out.colour]
            large = sum(thing.size == "large" for thing in made) < 2 and rng.random() < 0.35
            made.append(bare(shape, _any(rng, free), _any(rng, MATERIALS), "large" if large else "small"))
    return made[:MOST]


def _any(rng: np.random.Generator, of: tuple[str, ...] | list[str]) -> str:
    return of[int(rng.integers(len(of)))]
