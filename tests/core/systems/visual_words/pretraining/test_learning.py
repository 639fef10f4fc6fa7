"""What pretraining learns where it is given minutes: which captions match, hidden words and hidden cells."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoders import load_encoder
from core.encoders.tokens import tower_of
from core.systems.common.tokens import read_image_tokens
from core.systems.composition.scenes.shipped import draw_training
from core.systems.visual_words.pretraining.figures import best_threshold, matching_pairs, score_pairs
from core.systems.visual_words.pretraining.loop import pretrain
from core.systems.visual_words.pretraining.pairs import captioned
from core.systems.visual_words.pretraining.settings import Pretraining
from research.evidence.soho import told_share
from tests.core.systems.visual_words.pretraining.test_pretraining import made


@pytest.mark.slow
def test_it_learns_which_captions_match() -> None:
    how = Pretraining(words=24, layers=1, width=32, heads=2, steps=200, batch=32, rate=0.01)
    found = pretrain(made(200), (3, 3), how)
    other = made(80, seed=5)
    pairs, match = matching_pairs(other, np.random.default_rng(0))
    scores = score_pairs(found, other, pairs)
    right = float(np.mean((scores > best_threshold(scores, match)) == match))
    assert right > 0.75  # 0.98 of pairs half of which match
    assert found.curve[-1].match < 0.9 * found.curve[0].match
    assert found.curve[-1].words < found.curve[0].words
    assert 6 < found.perplexity <= 24
    assert 0 <= told_share(found, other, "cells") <= 1


@pytest.mark.slow
def test_a_short_training_on_scenes_teaches_cells_and_words() -> None:
    """A lower bar than the benchmark's: of unseen scenes a hidden word of cells is told far more often than by chance
    (1 of 64): 0.28 of them. Matching takes longer than this."""
    encoder = load_encoder()
    tower = tower_of(encoder)
    drawn = draw_training(80, seed=1, kinds=("noun",))
    captions = [(caption,) for item in drawn.benchmark.items for caption in item.captions]
    data = captioned(read_image_tokens(drawn.store, encoder, tower), captions)
    how = Pretraining(words=64, layers=2, width=64, heads=4, steps=80, batch=32, rate=0.003)
    found = pretrain(data.keep(np.arange(120)), tower.grid, how, encode_words=encoder.encode_texts)
    assert told_share(found, data.keep(np.arange(120, 160)), "index") > 0.1
    assert found.curve[-1].words < 0.6 * found.curve[0].words
    assert found.perplexity > 0.5 * 64
