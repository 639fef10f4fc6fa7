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

FIRST = "lora_A"
SECOND = "lora_B"


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
        InvalidInput: a product has another name, lacks a half, its weight or numbers, or the three do not fit.
    """
    plain = {name: tensor for name, tensor in state.items() if FIRST not in name and SECOND not in name}
    halves = {name: tensor for name, tensor in state.items() if name not in plain}
    for name in sorted({name.replace(FIRST, SECOND) for name in halves}):
        if not name.endswith(SECOND):
            raise InvalidInput(
                f"{where} has {name.replace(SECOND, FIRST)!r} or {name!r}: low-rank products are read where their "
                f"names end in {FIRST} and {SECOND}. Merge them into the weights with the package that made them (of "
                "peft: merge_and_unload) and save the state_dict."
            )
        stem = name.removesuffix(SECOND)[:-1]
        weight = stem if name.endswith(f"_{SECOND}") else f"{stem}.weight"
        first = halves.get(name.replace(SECOND, FIRST))
        second = halves.get(name)
        kept = plain.get(weight)
        if first is None or second is None or kept is None:
            raise InvalidInput(
                f"{where} has a part of a low-rank product at {name!r}: both halves and {weight!r} are needed. "
                "Save the whole state_dict, or merge the product into the weights."
            )
        if not (_is_full(first) and _is_full(second) and _is_full(kept) and _fits(first, second, kept)):
            raise InvalidInput(
                f"In {where} the product at {name!r}, {_said(second)} by {_said(first)}, does not fit "
                f"{weight!r}, {_said(kept)}. Merge it into the weights with the code that it was trained with."
            )
        rank = len(first) / (kept.shape[-1] if kept.ndim == 4 else 1)
        product = second.float() @ first.float() / rank
        plain[weight] = (kept.float() + product.view(kept.shape)).to(kept.dtype)
    return plain


def _is_full(part: Any) -> bool:
    """Whether it is a tensor of real numbers, all of them in the file: a small file may declare a huge one."""
    if not isinstance(part, Tensor) or part.layout != torch.strided or part.device.type != "cpu":
        return False
    return part.is_floating_point() and part.untyped_storage().nbytes() >= part.numel() * part.element_size()


def _fits(first: Tensor, second: Tensor, kept: Tensor) -> bool:
    if first.ndim != 2 or second.ndim != 2 or not len(first):
        return False
    return second.shape[1] == len(first) and len(second) * first.shape[1] == kept.numel()


def _said(part: Any) -> str:
    """The shape, and what is odd about it."""
    if not isinstance(part, Tensor):
        return f"a {type(part).__name__}"
    odd = "" if part.is_floating_point() else f" of {part.dtype}".replace("torch.", "")
    return f"{tuple(part.shape)}{odd or ('' if _is_full(part) else ' with numbers that the file lacks')}"
