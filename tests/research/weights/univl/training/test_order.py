"""A training of half a minute learns the order of events, where the mean over frames is at chance."""

from __future__ import annotations

import numpy as np
import pytest

from core.systems.univl.weights import ReadUnivl
from research.weights.univl.captions import caption_clips
from research.weights.univl.measure import both_orders, caption_figures, half_ties, shown, shuffled, twin_scores
from research.weights.univl.training.loop import UnivlTraining, teach_univl
from tests.research.weights.univl.training.test_loop import TOKENS, begun, lesson
from tests.support.univl_events import event_features

HOW = UnivlTraining(first=400, second=300, first_batch=16, second_batch=8, lr=2e-3, warm_up=30)


@pytest.mark.slow
def test_order_is_learned_where_the_mean_over_frames_is_at_chance() -> None:
    taught, unseen = lesson(400), event_features(60, 1)
    network = begun(taught, 32)
    teach_univl(network, taught, HOW)
    found = ReadUnivl(network, taught.words, TOKENS)
    first, second = both_orders(unseen)
    np.testing.assert_allclose(first[1].mean(1), second[1].mean(1), atol=1e-5)
    for aligned in (False, True):  # found: 1.0 and 0.92
        assert half_ties(*twin_scores(found, first, second, aligned)).value >= 0.8
    mixed = (first[0], shuffled(first[1])), (second[0], shuffled(second[1], 1))
    assert 0.3 <= half_ties(*twin_scores(found, *mixed, False)).value <= 0.7
    blind = np.broadcast_to(first[1].mean((0, 1)), first[1].shape).copy()
    seen, prior = (
        caption_figures(caption_clips(found, shown(clips), beam=3), first[0])["BLEU-4"].value
        for clips in (first[1], blind)
    )
    assert seen >= 0.3  # found: 0.46
    assert seen >= prior + 0.1
