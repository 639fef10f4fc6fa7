"""Whether what a run says of planted failures can be so: shares from 0 to 1, counts that fit, a full grid."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

from core.records import PlantedPattern, Sensitivity


def check_planted(found: Sensitivity) -> None:
    """See that the record of the planted patterns can be read as a grid of shares.

    Raises:
        ValueError: it cannot; the field and its value are named.
    """
    _within("power", found.power, 0, 1)
    _within("base", found.base, *((0, 1) if found.unit == "error rate" else ()))
    for name, value, least in (
        ("n_samples", found.n_samples, 1), ("smallest", found.smallest, 1), ("surest", found.surest, 1),
    ):  # fmt: skip
        _within(name, value, least)
    _within("class_size", found.class_size, 0, found.n_samples)
    _within("unplanted", found.unplanted, 0, found.n_samples)
    for pattern in found.patterns:
        _check_pattern(pattern, found)
    _check_grid(found)


def _check_pattern(pattern: PlantedPattern, found: Sensitivity) -> None:
    _within("size of a pattern", pattern.size, 1, found.n_samples)
    _within("share of a pattern", pattern.share, 0, 1)
    _within("strength of a pattern", pattern.strength, 0, *((1,) if found.unit == "error rate" else ()))
    if pattern.strength == 0:
        raise ValueError("sensitivity: strength of a pattern: more than 0 is needed, not 0")
    _within("excess_loss of a pattern", pattern.excess_loss)
    if pattern.error_difference is not None:
        _within("error_difference of a pattern", pattern.error_difference, -1, 1)
    _within("n_plants of a pattern", pattern.n_plants, 1)
    _within("n_found of a pattern", pattern.n_found, 0, pattern.n_plants)
    for name, value in pattern.found.to_dict().items():
        _within(f"found.{name} of a pattern", value, 0, 1)


def _check_grid(found: Sensitivity) -> None:
    """See that each scope and size has each strength once: tables and the image read it so."""
    counts = Counter((p.scope, p.size, p.strength) for p in found.patterns)
    strengths = {p.strength for p in found.patterns}
    kinds = dict.fromkeys((p.scope, p.size) for p in found.patterns)
    if not counts:
        raise ValueError("sensitivity: at least one pattern is needed, not none")
    for (scope, size), strength in product(kinds, strengths):
        n = counts[scope, size, strength]
        if n != 1:
            raise ValueError(
                f"sensitivity: one pattern of {size} samples ({scope}) and strength {strength:g} is needed, not {n}"
            )


def _within(name: str, value: float, low: float = -math.inf, high: float = math.inf) -> None:
    """See that a number is finite and lies between two others."""
    if math.isfinite(value) and low <= value <= high:
        return
    if low == -math.inf:
        rule = "a finite number is"
    else:
        rule = f"a finite number of at least {low:g} is" if high == math.inf else f"{low:g} to {high:g} are"
    raise ValueError(f"sensitivity: {name}: {rule} needed, not {value:g}")
