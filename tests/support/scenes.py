"""Scenes read back from the plain values that they were written as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.scenes.photographs import SceneObject, SceneSpec
from core.scenes.shapes import Scene, Shape


def scene_of(values: Mapping[str, Any]) -> Scene:
    """The scene whose `to_dict` gave the values."""
    things = tuple(Shape(**thing) for thing in values["things"])
    return Scene(**{**values, "things": things, "tone": tuple(values["tone"])})


def photograph_of(values: Mapping[str, Any]) -> SceneSpec:
    """The scene of cut-outs whose `to_dict` gave the values."""
    objects = tuple(SceneObject(**thing) for thing in values["objects"])
    return SceneSpec(**{**values, "objects": objects, "crop": tuple(values["crop"])})
