"""The network on disk: weights and a card that says what it was taught on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from core.documents import read_json
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.files import ASSETS, replacing, write_json
from core.forms import Form, read_form
from core.limits import Limits
from core.received import digest
from core.records import F32
from core.systems.neuralizer.checkpoint import network_of
from core.systems.neuralizer.network import Neuralizer

FOLDER = ASSETS / "scans"
"""The network that comes along."""
USUAL_SIDE = 64
MOST_SIDE = 256
"""Pixels of a slice."""
LEAST_SCALE = 1e-6
MOST_NUMBER = 1_000_000
"""Of a feature: a lower scale would blow up what is noise of rounding."""
WEIGHTS = "neuralizer.safetensors"
CARD = "neuralizer.json"


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
        InvalidInput: it is not there, or holds no Neuralizer; or the card's digest is that of other weights.
    """
    if source.is_file():
        return network_of(read_tensors(source), source.name), {}
    if not (source / WEIGHTS).is_file():
        raise InvalidInput(
            f"There is no Neuralizer in {source}: it needs {WEIGHTS}. Name a checkpoint, or a folder that "
            "`research/weights/neuralizer/fit.py` wrote."
        )
    card = read_json(source / CARD, most=Limits().max_document_bytes) if (source / CARD).is_file() else {}
    network = network_of(read_tensors(source / WEIGHTS), WEIGHTS)
    if card.get("sha256", found := digest(source / WEIGHTS)) != found:
        raise InvalidInput(
            f"{CARD} in {source} is the card of other weights than {WEIGHTS}: its sha256 is not theirs. Take both from "
            "one place."
        )
    return network, card


class _Features(Form):
    mean: tuple[Annotated[float, Field(ge=-MOST_NUMBER, le=MOST_NUMBER)], ...]
    scale: tuple[Annotated[float, Field(ge=LEAST_SCALE, le=MOST_NUMBER)], ...]


class _Card(Form):
    side: int | None = None
    features: _Features | None = None


def _said(card: Mapping[str, Any]) -> _Card:
    return read_form(_Card, card, CARD, "Take the card that was written with these weights.")


def side_of(card: Mapping[str, Any], network: Neuralizer) -> int:
    """Pixels of a slice on which the network was taught; `USUAL_SIDE`, or what it needs, where its card does not say.

    Raises:
        InvalidInput: the card says no whole number, more than `MOST_SIDE`, or fewer than twice what the side is divided
            by: at the lowest level a slice has two pixels or more.
    """
    least = 2 * network.sizes.divisor
    side = _said(card).side
    if side is None:
        return max(USUAL_SIDE, least)
    if not least <= side <= MOST_SIDE:
        raise InvalidInput(
            f"{CARD}: side must be a whole number of pixels from {least} to {MOST_SIDE}: got {side}. Correct it there."
        )
    return side


def centre_of(card: Mapping[str, Any], n: int) -> tuple[F32, F32]:
    """(n,) mean and scale of the pooled features, by which vectors are centered; 0 and 1 where the card does not say.

    Raises:
        InvalidInput: the card says something that is no mean and scale of n features.
    """
    said = _said(card).features
    if said is None:
        return np.zeros(n, np.float32), np.ones(n, np.float32)
    if (sizes := (len(said.mean), len(said.scale))) != (n, n):
        raise InvalidInput(
            f"{CARD}: features must hold mean and scale of {n} numbers each: got {sizes[0]} and {sizes[1]}. "
            "Take the card that was written with these weights."
        )
    return np.array(said.mean, np.float32), np.array(said.scale, np.float32)
