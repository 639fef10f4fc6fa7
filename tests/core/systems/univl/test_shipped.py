"""The network that comes along, on clips that it never saw."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from core.systems.univl.features import projected
from core.systems.univl.network import PARTS
from core.systems.univl.weights import FOLDER, WEIGHTS, read_univl
from research.weights.univl.captions import caption_clips
from research.weights.univl.draw import draw
from research.weights.univl.measure import both_orders, half_ties, shown, shuffled, twin_scores
from research.weights.univl.training.drawn import DrawnEvents


def test_weights_and_card_belong_together_and_are_small() -> None:
    found, content = read_univl(), (FOLDER / WEIGHTS).read_bytes()
    assert found.card["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(content) < 3 * 2**20
    assert found.network.parts == PARTS
    assert found.card["parameters"] == sum(p.numel() for p in found.network.parameters())


@pytest.mark.slow
def test_it_tells_the_order_of_events_in_clips_of_another_seed() -> None:
    kept = draw(20, 31)
    cells = kept["cells"].astype(np.float32)
    features = projected(cells.reshape(-1, *cells.shape[3:])).reshape(*cells.shape[:3], -1)
    drawn = DrawnEvents(tuple((str(a), str(b)) for a, b in kept["texts"]), torch.from_numpy(features))
    found, (first, second) = read_univl(), both_orders(drawn)
    for aligned in (False, True):
        assert half_ties(*twin_scores(found, first, second, aligned)).value >= 0.8
    mixed = (first[0], shuffled(first[1])), (second[0], shuffled(second[1], 1))
    assert half_ties(*twin_scores(found, *mixed, False)).value <= 0.8
    things = [[event.split()[2] for event in text.split(", then ")] for text in first[0]]
    written = caption_clips(found, shown(first[1]), beam=3)
    said = [[event.split()[2:3] for event in text.split(", then ")] for text in written]
    assert sum([[a], [b]] == s for (a, b), s in zip(things, said, strict=True)) >= 10
