"""The tensors of a checkpoint file by name, without running anything that a pickle may hold."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from core.errors import InvalidInput

MOST_INFLATED = 64 * 2**20
"""Bytes that a packed checkpoint may unpack to beyond its own size; torch writes them unpacked."""


def read_tensor_file(path: Path, otherwise: str = "") -> Mapping[str, torch.Tensor]:
    """Every tensor of a `.safetensors` file, or of a file of `torch.save`: of its `state_dict` or `model` if it has
    one.

    Args:
        otherwise: what else may be saved, for the message that refuses a checkpoint.

    Raises:
        InvalidInput: it cannot be read, unpacks to too much, or holds more than plain tensors and numbers.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}. Name a checkpoint.")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except Exception as error:  # safetensors raises its own kind, from Rust
            raise InvalidInput(f"{path.name} cannot be read ({str(error)[:120]}). Bring the file anew.") from error
    _check_inflation(path, otherwise)
    try:
        said: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except Exception as error:  # damaged bytes raise whatever the unpickler trips over
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidInput(
            f"{path.name} is no checkpoint of plain tensors ({reason[:120]}). "
            "Save its state_dict alone, as .safetensors or .pth."
        ) from error
    inner: Any = said.get("state_dict", said.get("model", said)) if isinstance(said, dict) else {}
    named = inner.items() if isinstance(inner, dict) else ()
    return {name: value for name, value in named if isinstance(name, str) and isinstance(value, torch.Tensor)}


def _check_inflation(path: Path, otherwise: str) -> None:
    """See what a zipped checkpoint says that it unpacks to.

    Raises:
        InvalidInput: far more than the file holds.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            inflated = sum(entry.file_size for entry in packed.infolist())
    except Exception:  # no zip, or a damaged one: torch says which
        return
    most = max(path.stat().st_size, MOST_INFLATED)
    if inflated > most:
        raise InvalidInput(
            f"{path.name} unpacks to {inflated / 2**20:,.0f} MB; at most {most / 2**20:,.0f} MB are read of it. "
            f"Save its state_dict with torch.save, which does not pack{otherwise}."
        )
