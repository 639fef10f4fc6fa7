"""A visual dictionary as published weights of SOHO hold it: buffers embed (K, d), cluster_size (K,), cluster_sum (K,)
and embed_avg (K, d) under a name that ends in "vq."."""

from __future__ import annotations

from pathlib import Path

import torch

from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.systems.visual_words.dictionary import VisualDictionary

BUFFERS = ("embed", "cluster_size", "cluster_sum", "embed_avg")
UNDER = "vq."
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
    tensors = read_tensors(path, ", or the dictionary alone")
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
