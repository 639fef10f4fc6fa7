"""A visual dictionary in the layout of SOHO's published weights: buffers embed (K, d), cluster_size (K,),
cluster_sum (K,) and embed_avg (K, d) under a name that ends in "vq."."""

from __future__ import annotations

from pathlib import Path

from core.encoders.weights import load_network, read_tensors
from core.errors import InvalidInput
from core.systems.visual_words.dictionary import VisualDictionary

BUFFERS = ("embed", "cluster_size", "cluster_sum", "embed_avg")
PREFIX = "vq."
MAX_NUMBER = 1e12
"""Largest number in a dictionary: more than all cells of any training together."""


def read_dictionary(path: Path) -> VisualDictionary:
    """The dictionary in a `.safetensors` file or a torch checkpoint, of which only plain tensors are read.

    Raises:
        InvalidInput: the file cannot be read or unpacks to too much; it holds no dictionary or several; the buffers
        differ in shape, or are not counts and vectors.
    """
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist. Use a checkpoint with a visual dictionary.")
    tensors = read_tensors(path, ", or the dictionary alone")
    prefixes = set[str]()
    for name in tensors:
        if name == f"{PREFIX}embed" or name.endswith(f".{PREFIX}embed"):
            prefixes.add(name.removesuffix("embed"))
    if len(prefixes) != 1:
        names = f" ({', '.join(sorted(prefixes)[:3])})" if prefixes else ""
        raise InvalidInput(
            f"{path.name} holds {len(prefixes)} visual dictionaries{names}, and 1 is needed: {', '.join(BUFFERS)} "
            f"under one name ending in '.{PREFIX}'. Use weights of SOHO, or of `python -m core pretrain`."
        )
    prefix = prefixes.pop()
    buffers = {name: tensors[prefix + name] for name in BUFFERS if prefix + name in tensors}
    embed = buffers["embed"]
    source = f"{prefix}* in {path.name}"
    if embed.ndim != 2 or len(embed) < 2 or not embed.numel():
        raise InvalidInput(
            f"{source}: embed must be a table of 2 words or more: got {tuple(embed.shape)}. Use weights of SOHO."
        )
    dictionary: VisualDictionary = load_network(
        lambda: VisualDictionary(*embed.shape), buffers, source, "a visual dictionary"
    )
    for name in BUFFERS:
        values = getattr(dictionary, name)
        low = float(values.min())
        if float(values.abs().max()) > MAX_NUMBER or (name.startswith("cluster") and low < 0):
            raise InvalidInput(
                f"{source}: numbers must be at most {MAX_NUMBER:g}, and counts at least 0: {name} has {low:g} to "
                f"{float(values.max()):g}. Use weights of SOHO."
            )
    return dictionary.train()
