"""The pooler that sees the order of frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from core.errors import InvalidInput
from research.weights.univl.frame_order import OrderedPooling


def drawn(n: int, frames: int, width: int, seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(n, frames, width, generator=torch.Generator().manual_seed(seed)), dim=2)


def test_untrained_it_is_the_mean_over_frames() -> None:
    pooling, frames = OrderedPooling(8, inner=4, heads=2), drawn(3, 5, 8)
    found = pooling.clips(frames).detach()
    torch.testing.assert_close(found, normalize(frames.mean(1), dim=1))
    torch.testing.assert_close(pooling.texts(frames[:, 0]).detach(), frames[:, 0])


def test_it_learns_which_of_two_things_came_first_where_the_mean_is_at_chance() -> None:
    torch.manual_seed(0)
    things, n = drawn(1, 6, 16)[0], 30
    pairs = np.array([(a, b) for a in range(6) for b in range(6) if a != b])
    frames = torch.stack([torch.stack([things[a], things[a], things[b], things[b]]) for a, b in pairs])
    texts = normalize(torch.stack([things[a] + 0.5 * things[b] for a, b in pairs]), dim=1)
    mean = normalize(frames.mean(1), dim=1) @ texts.T
    twin = [int(np.flatnonzero((pairs == (b, a)).all(1))[0]) for a, b in pairs]
    back = mean[torch.tensor(twin)]
    torch.testing.assert_close(mean, back)
    pooling = OrderedPooling(16, inner=16, heads=2)
    optimiser = torch.optim.Adam(pooling.parameters(), lr=3e-3)
    for _ in range(120):
        optimiser.zero_grad()
        pooling.loss(frames, texts).backward()
        optimiser.step()
    scores = (pooling.clips(frames) @ pooling.texts(texts).T).detach()
    own = scores.diagonal()
    assert float((own > scores[range(n), twin]).float().mean()) > 0.95


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="divisible by heads"):
        OrderedPooling(8, inner=5, heads=2)
    with pytest.raises(InvalidInput, match="At most 3 frames"):
        OrderedPooling(8, inner=4, heads=2, places=3).clips(drawn(1, 4, 8))
