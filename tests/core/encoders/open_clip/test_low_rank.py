"""Checkpoints as those who repaired CLIP's composition publish them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.encoders import load_encoder
from core.encoders.open_clip.low_rank import merge
from core.encoders.open_clip.source import needs_quick_gelu_answer
from core.errors import InvalidInput
from tests.support.tiny_clip import random_model, register, write_config

R = 2


def thin(weight: Tensor, kernel: int = 1) -> tuple[Tensor, Tensor]:
    """A and B beside a weight, as the released code shapes them."""
    across, down = weight.shape[1] * kernel, weight.shape[0] * kernel
    return torch.randn(R * kernel, across) * 0.1, torch.randn(down, R * kernel) * 0.1


def fine_tuned(model: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(state with products beside the weights, the same weights with the products added by hand)."""
    torch.manual_seed(1)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    whole = dict(state)
    for name, module in model.named_modules():
        if isinstance(module, nn.MultiheadAttention):
            a, b = thin(module.in_proj_weight)
            state |= {f"{name}.in_proj_weight_lora_A": a, f"{name}.in_proj_weight_lora_B": b}
            whole[f"{name}.in_proj_weight"] = module.in_proj_weight.detach() + b @ a / R
        elif isinstance(module, nn.Linear | nn.Conv2d):
            a, b = thin(module.weight, module.weight.shape[-1] if isinstance(module, nn.Conv2d) else 1)
            state |= {f"{name}.lora_A": a, f"{name}.lora_B": b}
            whole[f"{name}.weight"] = module.weight.detach() + (b @ a).view(module.weight.shape) / R
    return state, whole


def test_a_checkpoint_of_a_training_run_with_low_rank_products_gives_the_vectors_of_the_sum(tmp_path: Path) -> None:
    write_config(tmp_path / "model")
    state, whole = fine_tuned(random_model(tmp_path / "model"))
    name = register(tmp_path, "errata-low-rank")
    run = {"epoch": 5, "name": "run", "state_dict": {f"module.{n}": t for n, t in state.items()}, "optimizer": {}}
    torch.save(run, tmp_path / "epoch_5.pt")
    torch.save(whole, tmp_path / "merged.pt")
    torch.save(random_model(tmp_path / "model").state_dict(), tmp_path / "before.pt")
    tuned, summed, before = (load_encoder(f"{name}@{tmp_path / f}") for f in ("epoch_5.pt", "merged.pt", "before.pt"))
    pixels = np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32)
    np.testing.assert_allclose(tuned.encode_items(pixels)[0], summed.encode_items(pixels)[0], atol=1e-6)
    np.testing.assert_allclose(tuned.encode_texts(["a dog"]), summed.encode_texts(["a dog"]), atol=1e-6)
    assert np.abs(tuned.encode_items(pixels)[0] - before.encode_items(pixels)[0]).max() > 0.01


def test_half_a_product_and_one_that_does_not_fit_are_named() -> None:
    weight, a, b = torch.ones(3, 4), torch.ones(2, 4), torch.ones(3, 2)
    torch.testing.assert_close(merge({"x.weight": weight, "x.lora_A": a, "x.lora_B": b}, "f")["x.weight"], weight + 1)
    for lacking in ("x.weight", "x.lora_A", "x.lora_B"):
        state = {"x.weight": weight, "x.lora_A": a, "x.lora_B": b}
        del state[lacking]
        with pytest.raises(InvalidInput, match=r"f has a part of a low-rank product at 'x\.lora_B'"):
            merge(state, "f")
    with pytest.raises(InvalidInput, match=r"\(3, 3\) by \(2, 4\), does not fit 'x\.weight', \(3, 4\)"):
        merge({"x.weight": weight, "x.lora_A": a, "x.lora_B": torch.ones(3, 3)}, "f")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("coco_fsc-clip-ViT-B-32.pt", True),
        ("laioncoco_fsc-clip-lora-ViT-B-16.pt", True),
        ("dcxl_fsc-clip-lora-ViT-B-32.pt", False),
        ("epoch_5.pt", False),
    ],
)
def test_whether_published_repairs_were_trained_with_quick_gelu_is_asked(name: str, asked: bool) -> None:
    assert needs_quick_gelu_answer(Path(name)) == asked
