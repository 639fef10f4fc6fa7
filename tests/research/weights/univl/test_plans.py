"""Scenes drawn by a plan: its weights, its links, and what stays inside the image."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.scenes.photographs import SIZES
from research.weights.univl.plans import Link, Place, ScenePlan
from tests.support.scenes import chance_of

PLACES = (Place("wall", "wall"), Place("floor", "floor", (0.5, 0.5, 1.0, 1.0), 2.0))
PLAN = ScenePlan({"disc": ("red disc", "blue disc"), "box": ("red box",)}, PLACES)


def test_the_same_seed_draws_the_same_scenes():
    assert PLAN.draw(20, seed=5) == PLAN.draw(20, seed=5)
    assert PLAN.draw(20, seed=5) != PLAN.draw(20, seed=6)


def test_factors_are_independent_where_no_link_is_named():
    scenes = PLAN.draw(3000, seed=0)
    for factor in ("weather", "light"):
        levels = list(getattr(PLAN, factor))
        table = [
            [sum(s.objects[0].label == k and getattr(s, factor) == v for s in scenes) for v in levels]
            for k in PLAN.identities
        ]
        assert chance_of(table) > 0.01
    assert sum(s.objects[0].label == "disc" for s in scenes) == 1500


def test_a_link_thins_its_level_for_its_class_alone():
    scenes = PLAN.with_links(Link("box", "weather", "snow", 0.0), Link(None, "size", "small", 0.5)).draw(3000, seed=0)
    snow = {k: np.mean([s.weather == "snow" for s in scenes if s.objects[0].label == k]) for k in PLAN.identities}
    assert snow["box"] == 0
    assert abs(snow["disc"] - 0.3) < 0.04
    # weights 0.2 x 0.5, 0.4, 0.4: a ninth
    assert abs(np.mean([s.objects[0].size_name() == "small" for s in scenes]) - 1 / 9) < 0.02


def test_drawn_scenes_keep_the_object_and_the_crop_inside():
    regions = {place.photograph: place for place in PLAN.places}
    for s in PLAN.draw(400, seed=1):
        thing, place = s.objects[0], regions[s.photograph]
        low, high = SIZES[thing.size_name()]
        assert low <= thing.size <= high
        assert thing.size / 2 <= thing.x <= 1 - thing.size / 2
        assert thing.size <= thing.y <= 1
        left, top, right, bottom = place.region
        assert left <= s.crop[0]
        assert s.crop[0] + s.crop[2] / place.aspect <= right + 1e-3
        assert top <= s.crop[1]
        assert s.crop[1] + s.crop[2] <= bottom + 1e-3


def test_links_that_leave_nothing_are_refused():
    plan = PLAN.with_links(*(Link("box", "light", level, 0.0) for level in PLAN.light))
    with pytest.raises(InvalidInput, match="light is left for 'box'"):
        plan.draw(4, seed=0)
