"""Gains of two stages over one: over clips, and over seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.files import ASSETS
from research.evidence.caption_scores import bleu_parts
from research.evidence.univl_stages import gain_over_clips, mean_over_seeds, taught_before

WANTED = ["a red cube grows, then a blue ball falls", "an orange ring rises, then a red star grows"] * 10


def test_over_seeds_the_interval_is_students() -> None:
    found = mean_over_seeds([0.1, 0.2, 0.3])
    assert found.value == pytest.approx(0.2)
    half = 4.302653 * 0.1 / np.sqrt(3)  # t of two degrees of freedom, by table
    assert (found.low, found.high) == pytest.approx((0.2 - half, 0.2 + half))


def test_over_clips_the_same_captions_gain_nothing_and_better_ones_do() -> None:
    half = WANTED[:10] + WANTED[11:] + WANTED[:1]
    right, wrong = (bleu_parts(said, [[text] for text in WANTED]) for said in (WANTED, half))
    same = gain_over_clips([wrong, right], [wrong, right])
    assert (same.low, same.value, same.high) == (0, 0, 0)
    better = gain_over_clips([right, wrong], [wrong, wrong])  # of the second pair nothing is gained
    assert 0 < better.low < better.value < 0.5


def test_a_network_taught_before_says_what_it_cost() -> None:
    found, seconds = taught_before(Path(ASSETS) / "clips")
    assert seconds == found.card["seconds"] > 0
