"""A visual dictionary as published weights of SOHO hold it: buffers embed (K, d), cluster_size (K,), cluster_sum (K,)
and embed_avg (K, d) under a name that ends in "vq."."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch

from core.errors import InvalidInput
from core.visual_words.dictionary import VisualDictionary

BUFFERS = ("embed", "cluster_size", "cluster_sum", "embed_avg")
UNDER = "vq."
MOST_INFLATED = 64 * 2**20
"""Bytes that a packed checkpoint may unpack to beyond its own size; torch writes them unpacked."""
MOST = 1e12
"""Of any number of a dictionary: more than all cells of any training together."""
_KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.int64)


def read_dictionary(path: Path) -> VisualDictionary:
    """The one dictionary in a `.safetensors` file, or in a checkpoint of torch of which only plain tensors are read.

    Raises:
        InvalidInput: the file cannot be read or unpacks to too much, or holds no such buffers, several sets of them,
        or ones that do not agree or are no counts and vectors.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}. Name a checkpoint that holds a visual dictionary.")
    tensors = _tensors(path)
    under = sorted({name[: -len("embed")] for name in tensors if _holds(name, "embed")})
    if len(under) != 1:
        said = f"holds {len(under)} ({', '.join(under[:3])})" if under else "holds none"
        raise InvalidInput(
            f"{path.name} {said}: a visual dictionary lies under one name ending in '.{UNDER}' "
            f"({', '.join(BUFFERS)}). Bring weights of SOHO, or of `python -m core pretrain`."
        )
    missing = [name for name in BUFFERS if under[0] + name not in tensors]
    if missing:
        raise InvalidInput(
            f"{path.name} has no {under[0]}{missing[0]}, which a visual dictionary needs. Bring all four."
        )
    found = {name: tensors[under[0] + name].detach() for name in BUFFERS}
    size, width = found["embed"].shape if found["embed"].ndim == 2 else (0, 0)
    shapes = {"embed": (size, width), "cluster_size": (size,), "cluster_sum": (size,), "embed_avg": (size, width)}
    for name, shape in shapes.items():
        wrong = (
            f"it is {tuple(found[name].shape)}" if size < 2 or width < 1 or tuple(found[name].shape) != shape else ""
        )
        wrong = wrong or _wrong(name, found[name])
        if wrong:
            raise InvalidInput(
                f"{under[0]}{name} of {path.name} is no part of a dictionary of {size} words of {width} numbers: "
                f"{wrong}. Bring the file anew."
            )
    dictionary = VisualDictionary(size, width)
    dictionary.load_state_dict({name: tensor.float() for name, tensor in found.items()})
    return dictionary


def dictionary_tensors(dictionary: VisualDictionary, under: str) -> dict[str, torch.Tensor]:
    """The buffers by the names that published weights have, such as `under` "neck." for "neck.vq.embed"."""
    return {f"{under}{UNDER}{name}": getattr(dictionary, name) for name in BUFFERS}


def _wrong(name: str, tensor: torch.Tensor) -> str:
    """Why these are no numbers of a dictionary, or "". What would take more memory than the file is not touched."""
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in _KINDS:
        return f"its numbers are {tensor.dtype}, {tensor.layout}, on {tensor.device.type}"
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return f"it holds fewer numbers than {tuple(tensor.shape)} asks for"
    if not bool(torch.isfinite(tensor).all()) or float(tensor.double().abs().max()) > MOST:
        return f"its numbers are not all finite and at most {MOST:g}"
    if name.startswith("cluster") and float(tensor.min()) < 0:
        return "its counts are below 0"
    return ""


def _holds(name: str, buffer: str) -> bool:
    return name == UNDER + buffer or name.endswith(f".{UNDER}{buffer}")


def _tensors(path: Path) -> Mapping[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except Exception as error:  # safetensors raises its own kind, from Rust
            raise InvalidInput(f"{path.name} cannot be read ({str(error)[:120]}). Bring the file anew.") from error
    _check_inflation(path)
    try:
        said = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except Exception as error:  # damaged bytes raise whatever the unpickler trips over
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidInput(
            f"{path.name} is no checkpoint of plain tensors ({reason[:120]}). "
            "Save its state_dict alone, as .safetensors or .pth."
        ) from error
    inner = said.get("state_dict", said.get("model", said)) if isinstance(said, dict) else {}
    if not isinstance(inner, dict):
        inner = {}
    return {name: value for name, value in inner.items() if isinstance(name, str) and isinstance(value, torch.Tensor)}


def _check_inflation(path: Path) -> None:
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
            "Save its state_dict with torch.save, which does not pack, or the dictionary alone."
        )
