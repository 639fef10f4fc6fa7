"""Check a run's record of planted failures: shares from 0 to 1, consistent counts, a full grid."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

from core.records import Sensitivity


def check_planted(sensitivity: Sensitivity) -> None:
    """Check that the planted patterns form a grid of shares.

    Raises:
        ValueError: names the field and its value.
    """
    _within("power", sensitivity.power, 0, 1)
    if sensitivity.unit == "error rate":
        _within("base", sensitivity.base, 0, 1)
    else:
        _within("base", sensitivity.base)
    _within("n_samples", sensitivity.n_samples, 1)
    _within("smallest", sensitivity.smallest, 1)
    _within("surest", sensitivity.surest, 1)
    _within("class_size", sensitivity.class_size, 0, sensitivity.n_samples)
    _within("unplanted", sensitivity.unplanted, 0, sensitivity.n_samples)
    for pattern in sensitivity.patterns:
        _within("size of a pattern", pattern.size, 1, sensitivity.n_samples)
        _within("share of a pattern", pattern.share, 0, 1)
        strongest = 1 if sensitivity.unit == "error rate" else math.inf
        _within("strength of a pattern", pattern.strength, 0, strongest)
        if pattern.strength == 0:
            raise ValueError("sensitivity: strength of a pattern: must be above 0, not 0")
        _within("excess_loss of a pattern", pattern.excess_loss)
        if pattern.error_difference is not None:
            _within("error_difference of a pattern", pattern.error_difference, -1, 1)
        _within("n_plants of a pattern", pattern.n_plants, 1)
        _within("n_found of a pattern", pattern.n_found, 0, pattern.n_plants)
        for name, value in pattern.found.to_dict().items():
            _within(f"found.{name} of a pattern", value, 0, 1)
    # each scope and size has each strength once, as tables and the figure assume
    counts = Counter((p.scope, p.size, p.strength) for p in sensitivity.patterns)
    strengths = {p.strength for p in sensitivity.patterns}
    kinds = dict.fromkeys((p.scope, p.size) for p in sensitivity.patterns)
    if not counts:
        raise ValueError("sensitivity: must have at least one pattern")
    for (scope, size), strength in product(kinds, strengths):
        n = counts[scope, size, strength]
        if n != 1:
            raise ValueError(
                f"sensitivity: must have one pattern of {size} samples ({scope}) and strength {strength:g}, not {n}"
            )


def _within(name: str, value: float, low: float = -math.inf, high: float = math.inf) -> None:
    """Check that a number is finite and lies between two others."""
    if math.isfinite(value) and low <= value <= high:
        return
    if low == -math.inf:
        rule = "finite"
    elif high == math.inf:
        rule = f"finite and at least {low:g}"
    else:
        rule = f"{low:g} to {high:g}"
    raise ValueError(f"sensitivity: {name}: must be {rule}, not {value:g}")
