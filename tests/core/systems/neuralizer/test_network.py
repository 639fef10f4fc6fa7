"""The Neuralizer computes what its paper says, whatever the order and number of its examples."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import conv2d, gelu

from core.errors import InvalidInput
from core.systems.neuralizer.network import MAX_PAIRS, NetworkSizes, Neuralizer, PairwiseBlock


def begun(sizes: NetworkSizes | None = None) -> Neuralizer:
    network = Neuralizer(sizes or NetworkSizes(3, 4))
    network.begin(torch.Generator().manual_seed(0))
    return network.eval()


def given(pairs: int, n: int = 2, side: int = 16) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(pairs)
    before, after = (torch.rand((n, pairs, 1, side, side), generator=g) for _ in range(2))
    return before, after, torch.rand((n, 1, side, side), generator=g)


def test_a_block_is_the_plain_double_loop() -> None:
    torch.manual_seed(0)
    block: Any = PairwiseBlock(4, 2).double()
    context, target = torch.rand(2, 3, 4, 6, 6, dtype=torch.double), torch.rand(2, 4, 6, 6, dtype=torch.double)

    def unit(layers: Any, x: torch.Tensor) -> torch.Tensor:
        first, last = layers[0], layers[2]
        inner = gelu(conv2d(x, first.weight, first.bias, padding=1))
        return gelu(x + conv2d(inner, last.weight, last.bias, padding=1))

    found_context, found_target = block(context, target)
    for b in range(2):
        t = unit(block.target_conv.layers, target[b : b + 1])
        update = torch.zeros_like(t)
        for i in range(3):
            c = unit(block.context_conv.module.layers, context[b, i : i + 1])
            pair = torch.cat([c, t], 1)
            update += block.combine_conv_target.module(pair) / 3
            own = gelu(c + block.combine_conv_context.module(pair))
            assert float((found_context[b, i] - own[0]).abs().max()) < 1e-6
        assert float((found_target[b] - gelu(t + update)[0]).abs().max()) < 1e-6


def test_neither_order_nor_repetition_of_the_examples_matters() -> None:
    network = begun()
    before, after, target = given(5)
    found = network(before, after, target)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(network(before[:, order], after[:, order], target), found, atol=1e-4, rtol=1e-4)
    twice = network(torch.cat([before, before], 1), torch.cat([after, after], 1), target)
    torch.testing.assert_close(twice, found, atol=1e-4, rtol=1e-4)


def test_the_examples_are_heard_from_the_first_step() -> None:
    network = begun(NetworkSizes())
    before, after, target = given(2, side=48)
    found = network(before, after, target)
    assert float(found.detach().std()) > 0.05
    assert float((network(before, 1 - after, target) - found).abs().mean()) > 0.01


@pytest.mark.parametrize("pairs", [1, 2, 31, MAX_PAIRS])
def test_any_number_of_examples_up_to_the_published_is_taken(pairs: int) -> None:
    assert begun()(*given(pairs, 1)).shape == (1, 1, 16, 16)


def test_the_published_network_of_this_size_has_as_many_numbers() -> None:
    assert sum(p.numel() for p in Neuralizer().parameters()) == 80_257


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda b, a, t: (b[:, :0], a[:, :0], t), "1 to 32 example pairs: got 0"),
        (lambda b, a, t: (b.repeat(1, 17, 1, 1, 1), a.repeat(1, 17, 1, 1, 1), t), "got 34"),
        (lambda b, a, t: (b, a[:, :1], t), "context_out must have the shape"),
        (lambda b, a, t: (b[..., :15], a[..., :15], t[..., :15]), "divisible by 4"),
    ],
)
def test_what_does_not_fit_is_refused(spoil: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        begun()(*spoil(*given(2)))
