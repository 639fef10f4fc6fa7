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
        with pytest.raises(InvalidInput, match=r"f has only part of a low-rank product at 'x\.lora_B'"):
            merge(state, "f")
    with pytest.raises(InvalidInput, match=r"\(3, 3\) by \(2, 4\), does not fit 'x\.weight', \(3, 4\)"):
        merge({"x.weight": weight, "x.lora_A": a, "x.lora_B": torch.ones(3, 3)}, "f")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (torch.ones(0, 4), torch.ones(3, 0), r"\(3, 0\) by \(0, 4\), does not fit"),
        (torch.tensor(1.0), torch.ones(3, 2), r"\(3, 2\) by \(\), does not fit"),
        (torch.ones(2, 4), torch.tensor(1.0), r"\(\) by \(2, 4\), does not fit"),
        (torch.ones(2, 4), torch.ones(1, 3, 2), r"\(1, 3, 2\) by \(2, 4\), does not fit"),
        ("a", torch.ones(3, 2), r"\(3, 2\) by a str, does not fit"),
        (torch.ones(2, 4), torch.ones(3, 2, dtype=torch.complex64), r"\(3, 2\) of complex64 by"),
        (torch.ones(2, 4).to_sparse(), torch.ones(3, 2), r"by \(2, 4\) with numbers that the file lacks"),
        (torch.ones(2, 4, device="meta"), torch.ones(3, 2), r"by \(2, 4\) with numbers that the file lacks"),
        (torch.ones(1).expand(2**40, 4), torch.ones(1).expand(3, 2**40), "numbers that the file lacks"),
    ],
)
def test_a_product_of_other_things_than_two_whole_matrices_is_refused(a: Tensor, b: Tensor, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        merge({"x.weight": torch.ones(3, 4), "x.lora_A": a, "x.lora_B": b}, "f")


@pytest.mark.parametrize("name", ["x.lora_A.default.weight", "lora_A_prompt"])
def test_products_by_other_names_are_named_with_the_way_to_merge_them(name: str) -> None:
    with pytest.raises(InvalidInput, match=rf"f has '{name}' or .* end in lora_A and lora_B\. Merge them"):
        merge({"x.weight": torch.ones(3, 4), name: torch.ones(2, 4)}, "f")


def test_a_checkpoint_with_second_halves_alone_is_told_of_them(tmp_path: Path) -> None:
    write_config(tmp_path / "model")
    state, _ = fine_tuned(random_model(tmp_path / "model"))
    torch.save({name: part for name, part in state.items() if "lora_A" not in name}, tmp_path / "half.pt")
    with pytest.raises(InvalidInput, match=r"half\.pt has only part of a low-rank product at"):
        load_encoder(f"{register(tmp_path, 'errata-low-rank-half')}@{tmp_path / 'half.pt'}")


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
