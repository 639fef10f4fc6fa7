"""What a training step is given."""

from __future__ import annotations

import numpy as np

from core.systems.composition.training.pairs import make_step
from tests.support.tokens import made_pairs


def test_a_step_has_every_hard_pair_and_never_a_true_caption_as_a_foil() -> None:
    data = made_pairs(60, 0)  # few distinct captions: many items say the same
    step = make_step(data, list(range(16)), 5, np.random.default_rng(0))
    assert step.own.sum() == 16 * 4
    true = {(int(i), int(t)) for q in data.questions for i, t in zip(q.images, q.texts)}
    said = {(int(step.images[a]), int(step.texts[b])): bool(label) for (a, b), label in zip(step.pairs, step.labels)}
    assert all(said[pair] for pair in said if pair in true)
    assert not any(label for pair, label in said.items() if pair not in true)
