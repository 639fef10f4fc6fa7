"""Pairs of an attribute and a shape that training never shows, while every attribute and every shape still occurs in
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.systems.composition.scenes.shapes import COLOURS, MATERIALS, SHAPES, Shape, ShapePhrase

Pair = tuple[str, str]
"""(attribute, shape)."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The pairs that are kept for the test."""

    colour: frozenset[Pair] = frozenset()
    material: frozenset[Pair] = frozenset()

    def shown(self, shape: Shape) -> bool:
        """Whether the thing shows a held-out pair, of either table."""
        return (shape.colour, shape.shape) in self.colour or (shape.material, shape.shape) in self.material

    def in_phrase(self, phrase: ShapePhrase) -> bool:
        """Whether the phrase names a held-out pair."""
        return (phrase.colour or "", phrase.shape) in self.colour or (
            phrase.material or "",
            phrase.shape,
        ) in self.material


def held_out_pairs(seed: int) -> HeldOut:
    """Hold out two colours and one material of every shape.

    The attributes lose as even a number of shapes as that allows; so every shape, colour and material remains in
    training, as in CLEVR's CoGenT splits (Johnson et al. 2017).

    Example:
        >>> held = held_out_pairs(0)
        >>> len(held.colour), len(held.material)
        (12, 6)
    """
    rng = np.random.default_rng([seed, 77])
    return HeldOut(_spread(tuple(COLOURS), 2, rng), _spread(MATERIALS, 1, rng))


def _spread(attributes: Sequence[str], each: int, rng: np.random.Generator) -> frozenset[Pair]:
    # a shuffled cycle: neighbours in it go to one shape, so that no shape gets an attribute twice
    cycle = [str(attributes[int(i)]) for i in rng.permutation(len(attributes))]
    order = [str(SHAPES[int(i)]) for i in rng.permutation(len(SHAPES))]
    return frozenset((cycle[(k * each + j) % len(cycle)], shape) for k, shape in enumerate(order) for j in range(each))
