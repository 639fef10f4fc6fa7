"""In which numbers products are taken while training, and a training in the halves that need a scaled loss.

No graphics card is here: torch's "meta" stands for one, and float16 runs on the processor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import Cancelled
from core.systems.common import half_precision
from core.systems.common.half_precision import half_of, loss_scaler
from core.systems.composition.adapters import make_adapter
from core.systems.composition.training import loop
from core.systems.composition.training.loop import Trained, Training, fit, picture_groups, split_items
from tests.support.tokens import MadeTower, made_pairs

CARD, PROCESSOR = torch.device("meta"), torch.device("cpu")
QUICK = Training(epochs=3, patience=5, batch=8)


@pytest.mark.parametrize(
    ("card", "processor", "on_card", "on_processor"),
    [(True, False, torch.bfloat16, None), (False, True, torch.float16, torch.bfloat16)],
)
def test_each_device_is_asked_itself_what_it_multiplies(
    card: bool, processor: bool, on_card: torch.dtype, on_processor: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(including_emulation: bool = True) -> bool:
        return card or including_emulation  # slow emulation is no product of the card

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", said)
    monkeypatch.setattr(half_precision, "multiplies_bfloat16", lambda: processor)
    assert half_of(CARD, "auto") is on_card
    assert half_of(PROCESSOR, "auto") is on_processor
    for device in (CARD, PROCESSOR):
        assert half_of(device, "bfloat16") is torch.bfloat16
        assert half_of(device, "float32") is None


def test_a_training_asks_the_device_that_it_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: False)
    monkeypatch.setattr(half_precision, "multiplies_bfloat16", lambda: True)
    adapter, data = make_adapter("linear"), made_pairs(20, 0)
    for device, half in ((CARD, torch.float16), (PROCESSOR, torch.bfloat16)):
        module = adapter.build(MadeTower(), None, 0).to(device)
        run = loop._AdapterRun(adapter, module, data, data, QUICK, lambda step, done, total: None)
        assert run.half is half
        assert run.scaler.is_enabled() is (half is torch.float16)


def _trained(**more: Any) -> Trained:
    data = made_pairs(60, 0)
    learn, hold = split_items(60, 0.15, picture_groups(data), 0)
    adapter = make_adapter("local", {"hidden": 64})
    return fit(adapter, lambda: adapter.build(MadeTower(), None, 0), data.keep(learn), data.keep(hold), QUICK, **more)


def test_in_float16_a_training_learns_as_in_float32_and_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loop, "half_of", lambda device, precision: None)
    exact = _trained()
    monkeypatch.setattr(loop, "half_of", lambda device, precision: torch.float16)
    found = _trained()
    losses, wanted = ([e.loss for e in one.curve[1:]] for one in (found, exact))
    assert losses == pytest.approx(wanted, rel=0.01)
    assert losses != wanted

    def stop(step: str, done: int, total: int) -> None:
        if done > total // 2 + 1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        _trained(state=tmp_path, progress=stop)
    gone_on = _trained(state=tmp_path)
    for a, b in zip(found.module.state_dict().values(), gone_on.module.state_dict().values()):
        torch.testing.assert_close(a, b)


def test_a_scaled_loss_keeps_small_gradients_and_leaves_out_a_step_that_overflows() -> None:
    def step(half: torch.dtype | None, scale: float, factor: float) -> tuple[float, float]:
        weight = torch.nn.Parameter(torch.zeros(4, 4))
        optimiser, scaler = torch.optim.SGD([weight], lr=1.0), loss_scaler(PROCESSOR, half, scale)
        with torch.autocast("cpu", torch.float16):
            out = torch.ones(1, 4) @ weight
        scaler.scale(out.float().sum() * factor).backward()
        scaler.step(optimiser)
        scaler.update()
        return float(weight.detach().abs().max()), scaler.get_scale()

    assert step(None, 1.0, 1e-8) == (0.0, 1.0)  # without a scale nothing is left of it in float16
    assert step(torch.float16, 2.0**14, 1e-8) == (pytest.approx(1e-8, rel=0.01), 2.0**14)
    assert step(torch.float16, 2.0**14, 100.0) == (0.0, 2.0**13)
