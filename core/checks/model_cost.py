"""What a teacher and its smaller student cost to run, from the card beside the student's weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.documents import read_json
from core.errors import InvalidInput

CARD = "distilled.json"
"""The card's file, keys as in docs/distillation.md."""
_MAX_BYTES = 2**24


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What a model costs to run."""

    layers: int
    width: int
    parameters: int
    ms: float
    """Milliseconds a text, on one thread."""


def read_costs(student: Path) -> tuple[ModelCost, ModelCost]:
    """Read the teacher's and the student's costs from a student's folder or from its card alone.

    Raises:
        InvalidInput: the card is missing or damaged.
    """
    path = student
    if not student.is_file():
        path = student / CARD
    if not path.is_file():
        raise InvalidInput(f"No student in {student} ({CARD} is missing). Give the folder that `distil --out` wrote.")
    card = read_json(path, most=_MAX_BYTES)
    try:
        return _cost(card, "teacher"), _cost(card, "student")
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidInput(
            f"{path.name} is damaged or not a student's card. Give the {CARD} that `distil --out` wrote."
        ) from None


def _cost(card: Any, who: str) -> ModelCost:
    sizes = int(card[who]["layers"]), int(card[who]["width"]), int(card[who]["parameters"])
    cost = ModelCost(*sizes, float(card["figures"][f"{who}_ms"]))
    if not (min(cost.layers, cost.width, cost.parameters) > 0 and 0 < cost.ms < math.inf):
        raise ValueError(cost)
    return cost
