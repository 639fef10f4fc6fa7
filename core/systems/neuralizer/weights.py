"""The network on disk: weights and a card that says what it was taught on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import ASSETS, replacing, write_json
from core.limits import Limits
from core.received import digest
from core.records import F32
from core.systems.neuralizer.checkpoint import network_of, read_tensors
from core.systems.neuralizer.network import Neuralizer

FOLDER = ASSETS / "scans"
"""The network that comes along."""
USUAL_SIDE, MOST_SIDE = 64, 256
"""Pixels of a slice."""
LEAST_SCALE, MOST_NUMBER = 1e-6, 1_000_000
"""Of a feature: a lower scale would blow up what is noise of rounding."""
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
        InvalidInput: it is not there, or holds no Neuralizer; or the card's digest is that of other weights.
    """
    if source.is_file():
        return network_of(read_tensors(source), source.name), {}
    if not (source / WEIGHTS).is_file():
        raise InvalidInput(
            f"There is no Neuralizer in {source}: it needs {WEIGHTS}. Name a checkpoint, or a folder that "
            "`research/weights/neuralizer/fit.py` wrote."
        )
    said = read_json(source / CARD, most=Limits().max_document_bytes) if (source / CARD).is_file() else {}
    card = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    network = network_of(read_tensors(source / WEIGHTS), WEIGHTS)
    if card.get("sha256", found := digest(source / WEIGHTS)) != found:
        raise InvalidInput(
            f"{CARD} in {source} is the card of other weights than {WEIGHTS}: its sha256 is not theirs. Take both from "
            "one place."
        )
    return network, card


def side_of(card: Mapping[str, Any], network: Neuralizer) -> int:
    """Pixels of a slice on which the network was taught; `USUAL_SIDE`, or what it needs, where its card does not say.

    Raises:
        InvalidInput: the card says no whole number, more than `MOST_SIDE`, or fewer than twice what the side is divided
            by: at the lowest level a slice has two pixels or more.
    """
    least = 2 * network.sizes.divisor
    side = card.get("side", max(USUAL_SIDE, least))
    if type(side) is not int or not least <= side <= MOST_SIDE:
        raise InvalidInput(
            f"'side' in {CARD} must be a whole number of pixels from {least} to {MOST_SIDE}: got {side!r:.40}. "
            "Correct it there."
        )
    return side


def centre_of(card: Mapping[str, Any], n: int) -> tuple[F32, F32]:
    """(n,) mean and scale of the pooled features, by which vectors are centred; 0 and 1 where the card does not say.

    Raises:
        InvalidInput: the card says something that is no mean and scale of n features.
    """
    said = card.get("features", {"mean": [0.0] * n, "scale": [1.0] * n})
    found = [_numbers(said.get(name), n) for name in ("mean", "scale")] if isinstance(said, dict) else []
    if len(found) < 2 or found[0] is None or found[1] is None or not (found[1] >= LEAST_SCALE).all():
        raise InvalidInput(
            f"'features' in {CARD} must hold 'mean' and 'scale' of {n} numbers each, from {LEAST_SCALE:g} (mean: "
            f"-{MOST_NUMBER:,}) to {MOST_NUMBER:,}. Take the card that was written with these weights."
        )
    return found[0], found[1]


def _numbers(said: Any, n: int) -> F32 | None:
    """(n,) a list of n numbers, each within `MOST_NUMBER`; None if it is none."""
    plain = isinstance(said, list) and len(said) == n and all(type(x) in (int, float) for x in said)
    if not plain or not all(abs(x) <= MOST_NUMBER for x in said):
        return None
    return np.array(said, np.float32)
