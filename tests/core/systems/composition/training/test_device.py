"""Adapters on another device than the processor. Torch's "meta" stands for a graphics card: its tensors have shapes and
no numbers, and `OneDevice` refuses whatever mixes them with others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.encoders.tokens import tower_of
from core.systems.composition.adapters import ADAPTERS, make_adapter
from core.systems.composition.scenes.shipped import draw_training
from core.systems.composition.training.adapted_scorer import read_tokens
from core.systems.composition.training.losses import step_loss
from core.systems.composition.training.matching import device_of, pick, text_states
from core.systems.composition.training.pairs import PairData, make_step

CARD = torch.device("meta")
MOVES = ("_to_copy", "copy_", "index.Tensor", "set_")
"""Operators that may read from one device and write to another, or take places from the processor."""


class OneDevice(TorchDispatchMode):
    """Refuses an operator over tensors of two devices, as a graphics card does; single numbers are free."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor) and t.ndim]
        if len({t.device.type for t in tensors}) > 1 and not any(move in str(func) for move in MOVES):
            raise RuntimeError(f"{func} takes tensors of two devices")
        return func(*args, **(kwargs or {}))


@pytest.fixture
def card() -> Iterator[None]:
    with OneDevice():
        yield


@pytest.fixture(scope="module")
def data(encoder: OpenClipEncoder) -> PairData:
    return read_tokens(draw_training(6, 0), encoder).data


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_step_and_its_gradient_stay_on_one_device(name: str, encoder: OpenClipEncoder, data: PairData) -> None:
    adapter = make_adapter(name)
    module = adapter.build(tower_of(encoder), encoder, 0).to(CARD)
    step = make_step(data, [0, 1, 2, 3], adapter.negatives, np.random.default_rng(0))
    loss = step_loss(module, data, step)
    assert loss.device.type == device_of(module).type == CARD.type
    loss.backward()
    assert {p.grad.device.type for p in module.parameters() if p.grad is not None} == {CARD.type}
    states, _ = text_states(module, data, np.arange(3))
    assert {part.device.type for part in pick(states, np.array([1]))} == {CARD.type}


@pytest.mark.usefixtures("card")
def test_what_mixes_two_devices_is_seen_here(data: PairData) -> None:
    with pytest.raises(RuntimeError, match="of two devices"):
        torch.matmul(data.image_rows(np.arange(2), CARD).pooled, torch.ones(data.images.pooled.shape[1], 3))
