from __future__ import annotations

import numpy as np
import pytest

from core.systems.composition.adapters import make_adapter
from core.systems.composition.training.losses import right, step_loss
from core.systems.composition.training.pairs import make_step
from tests.support.tokens import MadeTower, made_pairs


def test_the_loss_is_the_mean_over_hard_pairs_and_half_that_over_the_others() -> None:
    data = made_pairs(20, 0)
    module = make_adapter("linear").build(MadeTower(), None, 0)
    step = make_step(data, list(range(8)), 3, np.random.default_rng(0))
    parts = {True: [], False: []}
    for (a, b), label, own in zip(step.pairs, step.labels, step.own):
        logit = 10.0 * float(data.images.pooled[step.images[a]] @ data.texts.pooled[step.texts[b]])
        parts[bool(own)].append(np.logaddexp(0, -logit if label else logit))
    assert float(step_loss(module, data, step).detach()) == pytest.approx(
        np.mean(parts[True]) + 0.5 * np.mean(parts[False]), rel=1e-5
    )


def test_a_tie_is_wrong() -> None:
    eye = np.eye(2, dtype=np.bool_)
    assert right(np.array([[2.0, 1.0], [1.0, 2.0]]), eye)
    assert not right(np.array([[1.0, 1.0], [1.0, 2.0]]), eye)
    assert right(np.array([[2.0, 1.0, 1.5]]), np.array([[True, False, False]]))
