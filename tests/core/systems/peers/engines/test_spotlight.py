"""Spotlight: its gradient against finite differences, and a ball of high loss found."""

from __future__ import annotations

import numpy as np
import pytest

from core.systems.peers.engines.spotlight import Spotlight, objective


@pytest.mark.parametrize("enough", [1.0, 200.0])  # without the barrier, and with it
def test_the_written_gradient_is_that_of_the_objective(enough):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 4)).astype(np.float32)
    squares, losses = (rows.astype(float) ** 2).sum(1), rng.random(60)
    at = np.r_[0.1 * rng.normal(size=4), np.log(0.15)]
    _, gradient = objective(at, rows, squares, losses, enough, 1e-3)
    for i in range(5):
        step = 1e-3 * np.eye(5)[i]
        up, down = (objective(at + s * step, rows, squares, losses, enough, 1e-3)[0] for s in (1, -1))
        assert gradient[i] == pytest.approx((up - down) / 2e-3, rel=0.02, abs=2e-4)


def test_the_first_ball_lies_on_the_blob_that_fails():
    rng = np.random.default_rng(1)
    blob = np.repeat(np.arange(4), 50)
    vectors = np.eye(4)[blob] + 0.05 * rng.normal(size=(200, 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    losses = np.where(blob == 2, 2.0, 0.2) + 0.1 * rng.random(200)
    engine = Spotlight(rate=0.03, min_share=0.2, n_slices=2, scaled=True).fit(vectors, losses, np.zeros(200, int))
    scores = engine.score(vectors, np.zeros(200, int))
    assert scores.shape == (200, 2)
    assert set(blob[np.argsort(-scores[:, 0])[:40]]) == {2}
