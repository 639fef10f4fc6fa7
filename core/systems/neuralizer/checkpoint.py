"""A Neuralizer's weights under the names of the released code, with sizes from their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from core.encoders.weights import load_network
from core.errors import InvalidInput
from core.systems.neuralizer.network import NetworkSizes, Neuralizer

PREFIX = "net."
"""Start of the network's names in a checkpoint of Lightning; other names belong to losses."""
_UNIT = re.compile(r"enc_blocks\.0\.target_conv\.layers\.(\d+)\.weight")


def released_names(network: Neuralizer) -> dict[str, torch.Tensor]:
    """The weights by their names in a released checkpoint."""
    return {f"{PREFIX}{name}": tensor for name, tensor in network.state_dict().items()}


def network_of(tensors: Mapping[str, torch.Tensor], source: str) -> Neuralizer:
    """The network with these weights, in evaluation mode.

    Raises:
        InvalidInput: a weight is missing, has another shape, is not finite, or belongs to no part of the network.
    """
    if any(name.startswith(PREFIX) for name in tensors):
        tensors = {name.removeprefix(PREFIX): t for name, t in tensors.items() if name.startswith(PREFIX)}
    sizes = _sizes(tensors, source)
    return load_network(lambda: Neuralizer(sizes), tensors, source, "a Neuralizer in two dimensions")


def _sizes(tensors: Mapping[str, torch.Tensor], source: str) -> NetworkSizes:
    into = tensors.get("target_embedding.weight")
    out = tensors.get("output_block.block.1.weight")
    units = [name for name in tensors if _UNIT.fullmatch(name)]
    convolutions = [tensor.ndim == 4 and tensor.numel() > 0 for tensor in (into, out) if tensor is not None]
    if into is None or out is None or not all(convolutions) or not units:
        raise InvalidInput(
            f"{source} is not a Neuralizer of slices: it lacks 2-D convolutions in target_embedding, output_block or "
            "enc_blocks. Use a checkpoint of the released code, or of `research/weights/neuralizer/fit.py`."
        )
    stages = {name.split(".")[1] for name in tensors if name.startswith("enc_blocks.")}
    return NetworkSizes(len(stages), into.shape[0], into.shape[1], out.shape[0], len(units))
