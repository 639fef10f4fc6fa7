"""The driver plants what it says and counts as found only what speaks of the planted samples."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from core.systems.composition.scenes.items import draw_items
from research.evidence.composition_clusters import ERROR, PLAN, PLANTS, WEAK, chance_of, place_of, table


def insight(mask: np.ndarray, scope: str = "all samples") -> Any:
    return SimpleNamespace(mask=mask, scope=scope)


def test_only_a_sentence_of_the_planted_samples_counts() -> None:
    samples = type("S", (), {"class_names": ("a", "b"), "labels": np.arange(100) % 2, "__len__": lambda self: 100})()
    found: Any = SimpleNamespace(samples=samples)
    weak = np.arange(100) < 40
    other, nearly = np.arange(100) >= 50, np.arange(100) < 43
    assert place_of(found, [insight(other), insight(nearly)], weak) == 2
    assert place_of(found, [insight(other)], weak) is None
    within = weak & (np.arange(100) % 2 == 0)
    assert place_of(found, [insight(within, "a")], weak) == 1
    assert place_of(found, [insight(within)], weak) is None  # half of them, among all


def test_a_plant_lifts_the_chance_of_an_error_and_each_has_samples() -> None:
    assert chance_of(np.array([True, False])).tolist() == [WEAK, ERROR]
    items = draw_items(PLAN, 120, 0, "seen")
    for weakness in PLANTS.values():
        shown = [(item, caption, scene) for item in items for caption, scene in zip(item.captions, item.scenes)]
        share = np.mean([weakness(*each) for each in shown])  # type: ignore[arg-type]
        assert 0.02 < share < 0.6


def test_the_table_counts_places_and_null_claims() -> None:
    run = {
        "plant": "same size",
        "seed": 100,
        "planted": 100,
        "family": 500,
        "place": 3,
        "lift": 0.0,
        "claims": 4,
        "sentences": 4,
        "false": 1,
    }
    text = table(
        [run, {**run, "seed": 101, "place": None}, {**run, "plant": "", "claims": 0}, {**run, "plant": "", "claims": 2}]
    )
    assert "| same size | 2 | 100 | 0.50" in text
    assert "| 0.00 [0.00, 0.66] | 0.00 [0.00, 0.66] | 2 of 8 |" in text
    assert "claims anything 0.500" in text
    assert "at least 500" in text
