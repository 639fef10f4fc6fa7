"""The network on disk: weights and a card about their training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from core.documents import read_json
from core.encoders.weights import load_network, read_tensors
from core.errors import InvalidInput
from core.files import ASSETS, write_json
from core.forms import Form, read_form
from core.limits import Limits
from core.received import digest
from core.records import F32
from core.systems.common.checkpoints import write_tensors
from core.systems.neuralizer.network import NetworkSizes, Neuralizer

FOLDER = ASSETS / "scans"
"""The shipped network."""
DEFAULT_SIDE = 64
MAX_SIDE = 256
"""Pixels of a slice."""
MIN_SCALE = 1e-6
"""A lower scale of a feature would amplify rounding errors."""
MAX_FEATURE = 1_000_000
WEIGHTS = "neuralizer.safetensors"
CARD = "neuralizer.json"
PREFIX = "net."
"""Start of the network's names in a checkpoint of Lightning; other names belong to losses."""
_UNIT = re.compile(r"enc_blocks\.0\.target_conv\.layers\.(\d+)\.weight")


def write_network(network: Neuralizer, folder: Path, card: Mapping[str, Any]) -> None:
    """Write `WEIGHTS`, and `CARD` with their digest."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, network.state_dict())
    write_json(folder / CARD, {**card, "sha256": digest(folder / WEIGHTS)})


def read_network(source: Path = FOLDER) -> tuple[Neuralizer, Mapping[str, Any]]:
    """The network of a folder from `write_network` or of a checkpoint file, and its card, empty for a file.

    Args:
        source: a folder, a `.safetensors` file, or a Lightning `.ckpt` as the authors released it.

    Raises:
        InvalidInput: it does not exist, or is not a Neuralizer; or the card belongs to other weights.
    """
    if source.is_file():
        return network_of(read_tensors(source), source.name), {}
    if not (source / WEIGHTS).is_file():
        raise InvalidInput(
            f"{source} does not contain {WEIGHTS}. Use a checkpoint, or a folder from "
            "`research/weights/neuralizer/fit.py`."
        )
    card = {}
    if (source / CARD).is_file():
        card = read_json(source / CARD, most=Limits().max_document_bytes)
    network = network_of(read_tensors(source / WEIGHTS), WEIGHTS)
    if "sha256" in card and card["sha256"] != digest(source / WEIGHTS):
        raise InvalidInput(
            f"{CARD} in {source} belongs to other weights than {WEIGHTS}: the sha256 differs. Copy both together."
        )
    return network, card


def network_of(tensors: Mapping[str, torch.Tensor], source: str) -> Neuralizer:
    """The network with these weights under the names of the released code, in evaluation mode; sizes come from their
    shapes.

    Raises:
        InvalidInput: a weight is missing, has another shape, is not finite, or belongs to no part of the network.
    """
    if any(name.startswith(PREFIX) for name in tensors):
        tensors = {name.removeprefix(PREFIX): t for name, t in tensors.items() if name.startswith(PREFIX)}
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
    sizes = NetworkSizes(len(stages), into.shape[0], into.shape[1], out.shape[0], len(units))
    return load_network(lambda: Neuralizer(sizes), tensors, source, "a Neuralizer in two dimensions")


class _Features(Form):
    mean: tuple[Annotated[float, Field(ge=-MAX_FEATURE, le=MAX_FEATURE)], ...]
    scale: tuple[Annotated[float, Field(ge=MIN_SCALE, le=MAX_FEATURE)], ...]


class _Card(Form):
    side: int | None = None
    features: _Features | None = None


def _read_card(card: Mapping[str, Any]) -> _Card:
    return read_form(_Card, card, CARD, "Use the card written with these weights.")


def side_of(card: Mapping[str, Any], network: Neuralizer) -> int:
    """Pixels of a slice in training; without it in the card `DEFAULT_SIDE`, or the network's minimum if larger.

    Raises:
        InvalidInput: the card's side is not a whole number, above `MAX_SIDE`, or below twice the network's divisor: at
            the lowest level a slice needs two pixels.
    """
    min_side = 2 * network.sizes.divisor
    side = _read_card(card).side
    if side is None:
        return max(DEFAULT_SIDE, min_side)
    if not min_side <= side <= MAX_SIDE:
        raise InvalidInput(
            f"{CARD}: side must be a whole number of pixels from {min_side} to {MAX_SIDE}: got {side}. Fix it there."
        )
    return side


def centre_of(card: Mapping[str, Any], n: int) -> tuple[F32, F32]:
    """(n,) mean and scale that center the pooled features; 0 and 1 without them in the card.

    Raises:
        InvalidInput: the card's mean and scale are not of n features.
    """
    features = _read_card(card).features
    if features is None:
        return np.zeros(n, np.float32), np.ones(n, np.float32)
    n_mean = len(features.mean)
    n_scale = len(features.scale)
    if n_mean != n or n_scale != n:
        raise InvalidInput(
            f"{CARD}: features must hold mean and scale of {n} numbers each: got {n_mean} and {n_scale}. "
            "Use the card written with these weights."
        )
    return np.array(features.mean, np.float32), np.array(features.scale, np.float32)
