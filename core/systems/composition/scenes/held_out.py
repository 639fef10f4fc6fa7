"""Pairs of an attribute and a shape that training never shows, while every attribute and every shape still occurs in
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
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

    def to_dict(self) -> dict[str, list[list[str]]]:
        """Plain values for JSON, sorted."""
        return {
            "colour": [list(pair) for pair in sorted(self.colour)],
            "material": [list(pair) for pair in sorted(self.material)],
        }


def held_out_pairs(
    seed: int,
    *,
    shapes: Sequence[str] = SHAPES,
    colours: Sequence[str] = tuple(COLOURS),
    materials: Sequence[str] = MATERIALS,
    colours_per_shape: int = 2,
    materials_per_shape: int = 1,
) -> HeldOut:
    """Hold out some colours and some materials of every shape.

    Each shape loses exactly `colours_per_shape` colours and `materials_per_shape` materials, and the attributes lose as
    even a number of shapes as that allows; so every shape, colour and material remains in training, as in CLEVR's
    CoGenT splits (Johnson et al. 2017).

    Raises:
        InvalidInput: a shape would lose all its colours or materials, or an attribute all its shapes.

    Example:
        >>> held = held_out_pairs(0)
        >>> len(held.colour), len(held.material)
        (12, 6)
    """
    rng = np.random.default_rng([seed, 77])
    return HeldOut(
        _spread(shapes, colours, colours_per_shape, "colour", rng),
        _spread(shapes, materials, materials_per_shape, "material", rng),
    )


def _spread(
    shapes: Sequence[str], attributes: Sequence[str], each: int, what: str, rng: np.random.Generator
) -> frozenset[Pair]:
    most = -(-len(shapes) * each // max(len(attributes), 1))  # shapes that an attribute loses, at most
    if not 0 <= each < len(attributes) or most >= len(shapes):
        raise InvalidInput(
            f"Each shape can lose 0 to {len(attributes) - 1} of {len(attributes)} {what}s, and each {what} must "
            f"keep one of {len(shapes)} shapes: got {each} per shape. Hold out fewer, or name more {what}s."
        )
    # a shuffled cycle: neighbours in it go to one shape, so that no shape gets an attribute twice
    cycle = [str(attributes[int(i)]) for i in rng.permutation(len(attributes))]
    order = [str(shapes[int(i)]) for i in rng.permutation(len(shapes))]
    return frozenset((cycle[(k * each + j) % len(cycle)], shape) for k, shape in enumerate(order) for j in range(each))
