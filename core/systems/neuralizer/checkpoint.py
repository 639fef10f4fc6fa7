"""A Neuralizer's weights by the names of the released code, with its sizes read from their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from core.encoders.weights import load_network
from core.errors import InvalidInput
from core.systems.neuralizer.network import NetworkSizes, Neuralizer

UNDER = "net."
"""Before every name in a checkpoint of Lightning; what lies elsewhere belongs to losses."""
_UNIT = re.compile(r"enc_blocks\.0\.target_conv\.layers\.(\d+)\.weight")


def released_names(network: Neuralizer) -> dict[str, torch.Tensor]:
    """The weights by their names in a released checkpoint."""
    return {f"{UNDER}{name}": tensor for name, tensor in network.state_dict().items()}


def network_of(tensors: Mapping[str, torch.Tensor], source: str) -> Neuralizer:
    """The network that these weights are of, ready to be used.

    Raises:
        InvalidInput: a weight is missing, of another shape, not finite, or of no part of it.
    """
    if any(name.startswith(UNDER) for name in tensors):
        tensors = {name.removeprefix(UNDER): t for name, t in tensors.items() if name.startswith(UNDER)}
    sizes = _sizes(tensors, source)
    return load_network(lambda: Neuralizer(sizes), tensors, source, "a Neuralizer in two dimensions")


def _sizes(tensors: Mapping[str, torch.Tensor], source: str) -> NetworkSizes:
    into = tensors.get("target_embedding.weight")
    out = tensors.get("output_block.block.1.weight")
    units = [match for name in tensors if (match := _UNIT.fullmatch(name))]
    convolutions = [tensor.ndim == 4 and tensor.numel() > 0 for tensor in (into, out) if tensor is not None]
    if into is None or out is None or not all(convolutions) or not units:
        raise InvalidInput(
            f"{source} holds no Neuralizer of slices: it has no target_embedding, output_block and enc_blocks of 2-D "
            "convolutions. Bring a checkpoint of the released code, or of `research/weights/neuralizer/fit.py`."
        )
    stages = {name.split(".")[1] for name in tensors if name.startswith("enc_blocks.")}
    return NetworkSizes(len(stages), into.shape[0], into.shape[1], out.shape[0], len(units))
