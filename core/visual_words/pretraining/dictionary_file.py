"""A visual dictionary as published weights of SOHO hold it: buffers embed (K, d), cluster_size (K,), cluster_sum (K,)
and embed_avg (K, d) under a name that ends in "vq."."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch

from core.errors import InvalidInput
from core.visual_words.dictionary import VisualDictionary

BUFFERS = ("embed", "cluster_size", "cluster_sum", "embed_avg")
UNDER = "vq."


def read_dictionary(path: Path) -> VisualDictionary:
    """The one dictionary in a `.safetensors` file, or in a checkpoint of torch of which only plain tensors are read.

    Raises:
        InvalidInput: the file cannot be read, or holds no such buffers, several sets of them, or ones that do not
        agree.
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
    found = {name: tensors[under[0] + name].detach().float() for name in BUFFERS}
    size, width = found["embed"].shape if found["embed"].ndim == 2 else (0, 0)
    shapes = {"embed": (size, width), "cluster_size": (size,), "cluster_sum": (size,), "embed_avg": (size, width)}
    for name, shape in shapes.items():
        if size < 2 or tuple(found[name].shape) != shape or not bool(torch.isfinite(found[name]).all()):
            raise InvalidInput(
                f"{under[0]}{name} of {path.name} is no part of a dictionary of {size} words of {width} numbers: it is "
                f"{tuple(found[name].shape)}, or not all finite."
            )
    dictionary = VisualDictionary(size, width)
    dictionary.load_state_dict(found)
    return dictionary


def dictionary_tensors(dictionary: VisualDictionary, under: str) -> dict[str, torch.Tensor]:
    """The buffers by the names that published weights have, such as `under` "neck." for "neck.vq.embed"."""
    return {f"{under}{UNDER}{name}": getattr(dictionary, name) for name in BUFFERS}


def _holds(name: str, buffer: str) -> bool:
    return name == UNDER + buffer or name.endswith(f".{UNDER}{buffer}")


def _tensors(path: Path) -> Mapping[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except Exception as error:  # safetensors raises its own kind, from Rust
            raise InvalidInput(f"{path.name} cannot be read ({str(error)[:120]}). Bring the file anew.") from error
    try:
        said = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise InvalidInput(
            f"{path.name} is no checkpoint of plain tensors ({str(error).splitlines()[0][:120]}). "
            "Save its state_dict alone, as .safetensors or .pth."
        ) from error
    inner = said.get("state_dict", said.get("model", said)) if isinstance(said, dict) else {}
    if not isinstance(inner, dict):
        inner = {}
    return {name: value for name, value in inner.items() if isinstance(name, str) and isinstance(value, torch.Tensor)}
