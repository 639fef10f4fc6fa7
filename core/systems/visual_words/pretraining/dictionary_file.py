"""A visual dictionary as published weights of SOHO hold it: buffers embed (K, d), cluster_size (K,), cluster_sum (K,)
and embed_avg (K, d) under a name that ends in "vq."."""

from __future__ import annotations

from pathlib import Path

import torch

from core.encoders.weights import load_network, read_tensors
from core.errors import InvalidInput
from core.systems.visual_words.dictionary import VisualDictionary

BUFFERS = ("embed", "cluster_size", "cluster_sum", "embed_avg")
UNDER = "vq."
MOST = 1e12
"""Of any number of a dictionary: more than all cells of any training together."""


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
    found = {name: tensors[under[0] + name] for name in BUFFERS if under[0] + name in tensors}
    embed = found["embed"]
    called = f"{under[0]}* in {path.name}"
    if embed.ndim != 2 or len(embed) < 2 or not embed.numel():
        raise InvalidInput(
            f"{called}: embed must be a table of 2 words or more: got {tuple(embed.shape)}. Bring weights of SOHO."
        )
    dictionary: VisualDictionary = load_network(
        lambda: VisualDictionary(*embed.shape), found, called, "a visual dictionary"
    )
    for name in BUFFERS:
        held = getattr(dictionary, name)
        if float(held.abs().max()) > MOST or (name.startswith("cluster") and float(held.min()) < 0):
            raise InvalidInput(
                f"{called}: numbers must be at most {MOST:g}, and counts from 0: {name} has {float(held.min()):g} to "
                f"{float(held.max()):g}. Bring weights of SOHO."
            )
    return dictionary.train()


def dictionary_tensors(dictionary: VisualDictionary, under: str) -> dict[str, torch.Tensor]:
    """The buffers by the names that published weights have, such as `under` "neck." for "neck.vq.embed"."""
    return {f"{under}{UNDER}{name}": getattr(dictionary, name) for name in BUFFERS}


def _holds(name: str, buffer: str) -> bool:
    return name == UNDER + buffer or name.endswith(f".{UNDER}{buffer}")
