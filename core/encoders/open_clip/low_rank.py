"""Checkpoints with fine-tuning saved beside the weights as products of two thin matrices (LoRA, Hu et al. 2022, arXiv
2106.09685), such as FSC-CLIP's (Oh et al. 2024, arXiv 2410.05210). With the products added, they are plain ones."""

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
    """Write the checkpoint with its low-rank products added to a file, deleted after the block.

    Raises:
        InvalidInput: as `merge`.
    """
    open_clip: Any = import_module("open_clip")
    state: dict[str, Tensor] = open_clip.factory.load_state_dict(str(checkpoint), device="cpu", weights_only=True)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "merged.pt"
        torch.save(merge(state, checkpoint.name), whole)
        del state
        yield whole


def merge(state: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Replace each weight W that has a product beside it by W + B A / r. Names are those of the released code:
    NAME.lora_A and NAME.lora_B beside NAME.weight, NAME_lora_A and NAME_lora_B beside NAME.

    A of a convolution with kernels of k x k has r k rows. The factor alpha is 1, as in the released code; a file does
    not hold it.

    Args:
        where: the file's name, for messages.

    Raises:
        InvalidInput: a product has another name, lacks a half, its weight or numbers, or the shapes do not fit.
    """
    plain = {name: tensor for name, tensor in state.items() if FIRST not in name and SECOND not in name}
    halves = {name: tensor for name, tensor in state.items() if name not in plain}
    for name in sorted({name.replace(FIRST, SECOND) for name in halves}):
        if not name.endswith(SECOND):
            raise InvalidInput(
                f"{where} has {name.replace(SECOND, FIRST)!r} or {name!r}: names of low-rank products must end in "
                f"{FIRST} and {SECOND}. Merge them into the weights with the package that made them (peft: "
                "merge_and_unload) and save the state_dict."
            )
        stem = name.removesuffix(SECOND)[:-1]
        weight_name = stem if name.endswith(f"_{SECOND}") else f"{stem}.weight"
        first = halves.get(name.replace(SECOND, FIRST))
        second = halves.get(name)
        weight = plain.get(weight_name)
        if first is None or second is None or weight is None:
            raise InvalidInput(
                f"{where} has only part of a low-rank product at {name!r}; it needs both halves and {weight_name!r}. "
                "Save the whole state_dict, or merge the product into the weights."
            )
        if not (_is_full(first) and _is_full(second) and _is_full(weight) and _fits(first, second, weight)):
            raise InvalidInput(
                f"In {where} the product at {name!r}, {_describe(second)} by {_describe(first)}, does not fit "
                f"{weight_name!r}, {_describe(weight)}. Merge it into the weights with the code that trained it."
            )
        kernel = weight.shape[-1] if weight.ndim == 4 else 1
        product = second.float() @ first.float() / (len(first) / kernel)
        plain[weight_name] = (weight.float() + product.view(weight.shape)).to(weight.dtype)
    return plain


def _is_full(part: Any) -> bool:
    """Whether it is a tensor of real numbers, all in the file: a small file may declare a huge tensor."""
    if not isinstance(part, Tensor) or part.layout != torch.strided or part.device.type != "cpu":
        return False
    return part.is_floating_point() and part.untyped_storage().nbytes() >= part.numel() * part.element_size()


def _fits(first: Tensor, second: Tensor, weight: Tensor) -> bool:
    if first.ndim != 2 or second.ndim != 2 or not len(first):
        return False
    return second.shape[1] == len(first) and len(second) * first.shape[1] == weight.numel()


def _describe(part: Any) -> str:
    """Format the shape, with an unusual dtype or missing numbers."""
    if not isinstance(part, Tensor):
        return f"a {type(part).__name__}"
    text = f"{tuple(part.shape)}"
    if not part.is_floating_point():
        return f"{text} of {part.dtype}".replace("torch.", "")
    if not _is_full(part):
        return f"{text} with numbers that the file lacks"
    return text
