"""Twins are a tie for the mean over frames, whatever the encoder, and not for a pooler that sees the order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from research.weights.univl.draw import FRAMES, draw, read_drawn
from research.weights.univl.frame_order import OrderedPooling
from research.weights.univl.measure import caption_figures, order_figure, things
from research.weights.univl.pool import measured, teach
from research.weights.univl.training.drawn import DrawnEvents
from tests.support.univl_events import WIDTH, event_features


def words(drawn: DrawnEvents) -> dict[str, torch.Tensor]:
    """A vector for each text: its first event's, and half of its second's."""
    rng, events = np.random.default_rng(0), dict[str, torch.Tensor]()
    found = dict[str, torch.Tensor]()
    for text in drawn.every_text():
        one, two = text.split(", then ")
        for event in (one, two):
            events.setdefault(event, torch.from_numpy(rng.normal(size=WIDTH).astype(np.float32)))
        found[text] = normalize(events[one] + 0.5 * events[two], dim=0)
    return found


def test_the_mean_is_at_chance_by_construction_and_the_order_is_learned() -> None:
    torch.manual_seed(0)
    drawn = event_features(60)
    drawn = DrawnEvents(drawn.texts, normalize(drawn.features, dim=3))
    texts, pooling = words(drawn), OrderedPooling(WIDTH, inner=32, heads=2, places=FRAMES)
    assert measured(pooling, drawn, texts)["twins"].value == 0.5
    teach(pooling, drawn, texts, 250, 0)
    assert measured(pooling, drawn, texts)["twins"].value >= 0.8


def test_what_is_drawn_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    kept = draw(2, 5)
    np.savez(tmp_path / "one.npz", **kept)
    twice = read_drawn([tmp_path / "one.npz"] * 2)
    assert twice.texts == tuple((str(a), str(b)) for a, b in kept["texts"]) * 2
    assert twice.features.shape[:3] == (4, 2, FRAMES // 2)
    assert torch.equal(twice.features[:2], twice.features[2:])


def test_captions_are_measured_by_the_things_they_name() -> None:
    wanted = ["a red cube grows, then a blue ball falls", "an orange ring rises, then a red star grows"]
    said = ["a blue ball falls, then a red cube grows", "an orange ring falls, then a red star grows"]
    assert things(wanted[0]) == ("a red cube", "a blue ball")
    found = order_figure(said, wanted) | caption_figures(wanted, wanted)
    assert found["both things"].value == 1.0
    assert found["order of things"].value == 0.5
    assert found["BLEU-4"].value == pytest.approx(1.0)
    assert found["exact"].value == 1.0
