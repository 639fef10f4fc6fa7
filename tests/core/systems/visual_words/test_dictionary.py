"""The dictionary against its equations by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.systems.visual_words.dictionary import EPSILON, VisualDictionary, perplexity


def a_dictionary(words: list[list[float]], decay: float) -> VisualDictionary:
    made = VisualDictionary(len(words), len(words[0]), decay=decay)
    made.begin(torch.tensor(words), torch.Generator().manual_seed(0))
    made.embed.copy_(torch.tensor(words))
    made.embed_avg.copy_(torch.tensor(words))
    return made


def test_words_follow_by_moving_averages() -> None:
    """Two words, three cells: two go to the first word and one to the second."""
    made = a_dictionary([[0.0, 0.0], [4.0, 0.0]], decay=0.75)
    cells = torch.tensor([[1.0, 0.0], [0.0, 2.0], [5.0, 1.0]])
    _, index = made.train()(cells)
    assert index.tolist() == [0, 0, 1]
    counts = [0.75 * 1 + 0.25 * 2, 0.75 * 1 + 0.25 * 1]
    sums = [[0.75 * 0 + 0.25 * 1, 0.25 * 2], [0.75 * 4 + 0.25 * 5, 0.25 * 1]]
    smoothed = [(c + EPSILON) / (sum(counts) + 2 * EPSILON) * sum(counts) for c in counts]
    np.testing.assert_allclose(made.cluster_size, counts, rtol=1e-6)
    np.testing.assert_allclose(made.embed_avg, sums, rtol=1e-6)
    np.testing.assert_allclose(made.embed, [[v / s for v in row] for row, s in zip(sums, smoothed)], rtol=1e-6)
    assert made.cluster_sum.tolist() == [2, 1]


def test_outside_training_nothing_moves() -> None:
    made = a_dictionary([[0.0], [4.0]], decay=0.5).eval()
    before = {name: buffer.clone() for name, buffer in made.named_buffers()}
    made(torch.tensor([[1.0], [9.0]]))
    assert set(before) == {"embed", "cluster_size", "cluster_sum", "embed_avg"}
    for name, buffer in made.named_buffers():
        torch.testing.assert_close(buffer, before[name])


def test_the_gradient_passes_straight_through() -> None:
    made = a_dictionary([[0.0, 1.0], [4.0, 0.0]], decay=0.9)
    cells = torch.tensor([[1.0, 0.5], [3.0, 2.0]], requires_grad=True)
    word, index = made.train()(cells)
    torch.testing.assert_close(word.detach(), torch.tensor([[0.0, 1.0], [4.0, 0.0]])[index])
    weights = torch.tensor([[2.0, -1.0], [0.5, 3.0]])
    (word * weights).sum().backward()
    torch.testing.assert_close(cells.grad, weights)


def test_the_nearest_word_is_that_of_a_slow_loop() -> None:
    generator = torch.Generator().manual_seed(3)
    made = VisualDictionary(7, 5)
    cells = torch.randn(200, 5, generator=generator)
    made.begin(cells, generator)
    slow = [min(range(7), key=lambda k: float((cell - made.embed[k]).square().sum())) for cell in cells]
    assert made.nearest(cells).tolist() == slow


def test_a_word_that_nothing_is_near_is_put_elsewhere() -> None:
    made = a_dictionary([[0.0], [1.0], [99.0]], decay=0.5)
    cells = torch.tensor([[0.1], [1.1]]).repeat(50, 1)
    for _ in range(12):
        made.train()(cells)
    assert made.reset_dead(cells, torch.Generator().manual_seed(1)) == 1
    assert float(made.embed[2, 0]) in (pytest.approx(0.1), pytest.approx(1.1))
    assert float(made.cluster_size[2]) == 1.0


def test_perplexity_counts_equally_frequent_words() -> None:
    assert perplexity(torch.arange(8).repeat(5), 16) == pytest.approx(8)
    assert perplexity(torch.tensor([0, 0, 0, 1]), 2) == pytest.approx(
        math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    )


@pytest.mark.parametrize(("size", "width", "decay"), [(1, 4, 0.9), (4, 0, 0.9), (4, 4, 1.0), (4, 4, -0.1)])
def test_what_is_no_dictionary_is_refused(size: int, width: int, decay: float) -> None:
    with pytest.raises(InvalidInput, match="at least 2 words of at least 1 number"):
        VisualDictionary(size, width, decay=decay)
