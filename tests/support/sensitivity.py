"""A made-up grid of planted patterns: nothing was planted."""

from __future__ import annotations

from functools import cache
from typing import Literal

from core.records import PlantedPattern, Sensitivity
from core.statistics.runs import clopper_pearson

FOUND = {
    ("class", 10): (0, 4, 20),
    ("class", 20): (2, 12, 33),
    ("all samples", 20): (1, 34, 40),
    ("whole class", 100): (33, 40, 40),
}
"""How many of 40 plants are found at each strength, by scope and size."""


interval = cache(clopper_pearson)
"""The same few are asked for by every made-up run."""


def made_sensitivity(
    unit: Literal["error rate", "times the mean loss", "deviations of the loss"] = "error rate",
    classes: tuple[str, ...] = ("tram", "bus"),
    found: dict[tuple[str, int], tuple[int, ...]] = FOUND,
) -> Sensitivity:
    """Classes of 100 samples of 400; the strengths of a unit are three of those that are planted."""
    strengths = {
        "error rate": (0.35, 0.5, 1.0),
        "times the mean loss": (1.5, 2.0, 5.0),
        "deviations of the loss": (0.5, 1.0, 2.0),
    }[unit]
    patterns = [
        PlantedPattern(
            scope=scope,  # type: ignore[arg-type]
            size=size,
            share=size / (400 if scope == "all samples" else 100),
            strength=strength,
            excess_loss=strength,
            error_difference=strength - 0.1 if unit == "error rate" else None,
            n_plants=40,
            n_found=n,
            found=interval(n, 40),
        )
        for (scope, size), counts in found.items()
        if classes or scope == "all samples"
        for strength, n in zip(strengths, counts)
    ]
    return Sensitivity(unit, 0.1, classes, 100 if classes else 0, 400, tuple(patterns))
