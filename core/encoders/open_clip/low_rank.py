"""Checkpoints whose fine-tuning stands beside the weights as products of two thin matrices (LoRA, Hu et al. 2022, arXiv
2106.09685), as FSC-CLIP's are (Oh et al. 2024, arXiv 2410.05210): added to the weights, they are a plain checkpoint."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.errors import InvalidInput

FIRST, SECOND = "lora_A", "lora_B"


@contextmanager
def merged(checkpoint: Path) -> Generator[Path]:
    """The checkpoint with its low-rank products added, as a file that is deleted afterwards.

    Raises:
        InvalidInput: as `merge`.
    """
    open_clip: Any = import_module("open_clip")
    state: dict[str, Tensor] = open_clip.factory.load_state_dict(str(checkpoint), device="cpu", weights_only=True)
    with tempfile.TemporaryDirectory() as folder:
        torch.save(merge(state, checkpoint.name), whole := Path(folder) / "merged.pt")
        del state
        yield whole


def merge(state: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """W + B A / r in the place of each weight W that has a product beside it; the names are those of the released code:
    NAME.lora_A and NAME.lora_B beside NAME.weight, NAME_lora_A and NAME_lora_B beside NAME.

    A of a convolution with kernels of k x k has r k rows. The released code's factor alpha is 1; a file does not say
    its own.

    Args:
        where: the file's name, for messages.

    Raises:
        InvalidInput: a product lacks a half or its weight, or the three do not fit.
    """
    plain = {name: tensor for name, tensor in state.items() if FIRST not in name and SECOND not in name}
    halves = {name: tensor for name, tensor in state.items() if name not in plain}
    for name in {name.replace(FIRST, SECOND) for name in halves}:
        stem = name.removesuffix(SECOND)[:-1]
        weight = stem if name.endswith(f"_{SECOND}") else f"{stem}.weight"
        first, second, kept = halves.get(name.replace(SECOND, FIRST)), halves.get(name), plain.get(weight)
        if first is None or second is None or kept is None:
            raise InvalidInput(
                f"{where} has a part of a low-rank product at {name!r}: both halves and {weight!r} are needed. "
                "Save the whole state_dict, or merge the product into the weights."
            )
        rank = len(first) / (kept.shape[-1] if kept.ndim == 4 else 1)
        if second.shape[-1] != len(first) or len(second) * first.shape[-1] != kept.numel():
            raise InvalidInput(
                f"In {where} the product at {name!r}, {tuple(second.shape)} by {tuple(first.shape)}, does not fit "
                f"{weight!r}, {tuple(kept.shape)}. Merge it into the weights with the code that it was trained with."
            )
        product = second.float() @ first.float() / rank
        plain[weight] = (kept.float() + product.view(kept.shape)).to(kept.dtype)
    return plain
