"""The network on disk: weights and a card that says what it was taught on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from core.documents import read_json
from core.encoders.neuralizer.checkpoint import network_of, read_tensor_file
from core.encoders.neuralizer.network import Neuralizer
from core.errors import InvalidInput
from core.files import ASSETS, replacing, write_json
from core.limits import Limits

FOLDER = ASSETS / "scans"
"""The network that comes along."""
USUAL_SIDE = 64
WEIGHTS, CARD = "neuralizer.safetensors", "neuralizer.json"


def write_network(network: Neuralizer, folder: Path, card: Mapping[str, Any]) -> None:
    """Write `WEIGHTS` and `CARD`, which gets the digest of the weights."""
    safetensors: Any = import_module("safetensors.torch")
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.state_dict().items()}
    content = safetensors.save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as part:
        part.write_bytes(content)
    write_json(folder / CARD, {**card, "sha256": hashlib.sha256(content).hexdigest()})


def read_network(source: Path = FOLDER) -> tuple[Neuralizer, Mapping[str, Any]]:
    """The network of a folder that `write_network` wrote, or of a checkpoint file, and its card (empty of a file).

    Args:
        source: a folder, a `.safetensors` file, or a Lightning `.ckpt` as the authors released it.

    Raises:
        InvalidInput: it is not there, or holds no Neuralizer.
    """
    if source.is_file():
        return network_of(read_tensor_file(source), source.name), {}
    if not (source / WEIGHTS).is_file():
        raise InvalidInput(
            f"There is no Neuralizer in {source}: it needs {WEIGHTS}. Name a checkpoint, or a folder that "
            "`scripts/scans/fit.py` wrote."
        )
    card = read_json(source / CARD, most=Limits().max_document_bytes) if (source / CARD).is_file() else {}
    network = network_of(read_tensor_file(source / WEIGHTS), WEIGHTS)
    return network, card if isinstance(card, dict) else {}


def side_of(card: Mapping[str, Any]) -> int:
    """Pixels of a slice on which the network was taught; `USUAL_SIDE` where its card does not say."""
    return int(card.get("side", USUAL_SIDE))
