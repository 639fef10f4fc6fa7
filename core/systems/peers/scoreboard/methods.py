"""Who takes part in the scoreboard, each with one setting for all worlds."""

from __future__ import annotations

from typing import Any

from core.systems.peers.engines import ENGINES

OURS = "errata"
SETTINGS: dict[str, dict[str, Any]] = {
    "k-means": {"n_clusters": 100},
    "domino": {"n_dimensions": 32},
    "class ridge": {"clip": 2.0},
}
"""What differs from an engine's defaults, where it did better on tuning seeds (research/evidence/tuning.py)."""
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "class ridge (0/1 error)": ("class ridge", {"target": "error", "penalties": (3.0,)}),
    "domino (weights 1)": ("domino", {"label_weight": 1.0, "prediction_weight": 1.0, "n_dimensions": 32}),
}
"""Name -> engine and settings: a second line of an engine."""
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    OURS: (OURS, {}),
    **{name: (name, SETTINGS.get(name, {})) for name in ENGINES},
    **VARIANTS,
}
NULL = "null"
"""The kind in which nothing is planted."""
