"""Scenes read back from the plain values that they were written as, and whether two factors go together."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import chi2_contingency

from core.systems.composition.scenes.shapes import Scene, Shape
from research.scenes.photographs import SceneObject, SceneSpec


def scene_of(values: dict[str, Any]) -> Scene:
    """The scene whose `to_dict` gave the values."""
    things = tuple(Shape(**thing) for thing in values["things"])
    fields: dict[str, Any] = {**values, "things": things, "tone": tuple(values["tone"])}
    return Scene(**fields)


def photograph_of(values: dict[str, Any]) -> SceneSpec:
    """The scene of cut-outs whose `to_dict` gave the values."""
    objects = tuple(SceneObject(**thing) for thing in values["objects"])
    fields: dict[str, Any] = {**values, "objects": objects, "crop": tuple(values["crop"])}
    return SceneSpec(**fields)


def chance_of(table: Any) -> float:
    """p of the chi-squared test of independence."""
    return float(np.asarray(chi2_contingency(table)[1]))
