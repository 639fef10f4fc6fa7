"""TransCLIP's rounds against loops over images, classes and neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from core.systems.probes.few_shot.mixture import mixture_of, votes_graph


def test_the_mixture_equals_the_loop_over_images_and_classes() -> None:
    rng = np.random.default_rng(0)
    x, means, variance = rng.normal(size=(6, 5)), rng.normal(size=(3, 5)), rng.uniform(0.1, 2, 5)
    slow = np.array(
        [[-0.5 * sum((x[i, d] - means[c, d]) ** 2 / variance[d] for d in range(5)) for c in range(3)] for i in range(6)]
    )
    np.testing.assert_allclose(mixture_of(x, means, variance, np.ones(3, bool)), slow, rtol=1e-10)
    partly = mixture_of(x, means, variance, np.array([True, True, False]))
    np.testing.assert_allclose(partly[:, 2], slow[:, :2].mean(1), rtol=1e-10)


@pytest.mark.parametrize("block", [1, 100, 2**22])
def test_the_votes_equal_a_loop_over_neighbours_whatever_the_block(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.systems.probes.few_shot.mixture.BLOCK", block)
    rng = np.random.default_rng(0)
    x, s, q = rng.normal(size=(70, 5)), rng.normal(size=(4, 5)), 3
    slow = np.zeros((70, 74))
    for i in range(70):
        for j in sorted((j for j in range(70) if j != i), key=lambda j: -x[i] @ x[j])[:q]:
            slow[i, j] += max(0, x[i] @ x[j])
            slow[j, i] += max(0, x[i] @ x[j])
    for i in range(4):
        for j in sorted(range(70), key=lambda j: -s[i] @ x[j])[:q]:
            slow[j, 70 + i] += max(0, s[i] @ x[j])
    np.testing.assert_allclose(votes_graph(x, s, q).toarray(), slow, rtol=1e-10)
