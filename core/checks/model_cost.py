"""What two models take, a teacher and its smaller student, by the card that lies beside the student's weights."""

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
    """What a model takes."""

    layers: int
    width: int
    parameters: int
    ms: float
    """Milliseconds a text, on one thread."""


def read_costs(student: Path) -> tuple[ModelCost, ModelCost]:
    """Teacher's and student's, from a student's folder or from its card alone.

    Raises:
        InvalidInput: there is none, or it is damaged.
    """
    path = student / CARD if student.is_dir() or not student.is_file() else student
    if not path.is_file():
        raise InvalidInput(f"There is no student in {student} (no {CARD}). Give the folder that `distil --out` wrote.")
    card = read_json(path, most=_MAX_BYTES)
    try:
        return _cost(card, "teacher"), _cost(card, "student")
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidInput(
            f"{path.name} is damaged or no student's card. Give the {CARD} that `distil --out` wrote, or distil anew."
        ) from None


def _cost(card: Any, who: str) -> ModelCost:
    said = card[who]
    sizes = int(said["layers"]), int(said["width"]), int(said["parameters"])
    cost = ModelCost(*sizes, float(card["figures"][f"{who}_ms"]))
    if not (min(cost.layers, cost.width, cost.parameters) > 0 and 0 < cost.ms < math.inf):
        raise ValueError(cost)
    return cost
