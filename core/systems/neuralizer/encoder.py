"""Vectors of scans from a Neuralizer: its target stream, pooled on every level."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from core.encoders.arithmetic import unit_rows
from core.errors import InvalidInput
from core.records import F32
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.weights import FOLDER, centre_of, read_network, side_of

PLANES = 3
"""Slices around the middle that represent a scan."""


class Sliced(Protocol):
    """A scan that gives square slices."""

    def squares(self, side: int, n: int) -> F32:
        """(n, side, side) slices, 0 to 1."""
        ...


class NeuralizerEncoder:
    """Vectors of scans, without a text tower.

    Args:
        folder: folder of a network from `research/weights/neuralizer/fit.py`, or a checkpoint; by default the shipped
            network.
    """

    modality = "scan"
    joint_space = ""
    logit_scale = 1.0
    batch_size = 8

    def __init__(self, folder: str = "") -> None:
        self.name = "neuralizer"
        source = FOLDER
        if folder:
            self.name = f"neuralizer:{folder}"
            source = Path(folder)
        self.network, card = read_network(source)
        self.side = side_of(card, self.network)
        sizes = self.network.sizes
        self.mean, self.scale = centre_of(card, 2 * sizes.stages * sizes.channels)
        weights = b"".join(t.numpy().tobytes() for t in self.network.state_dict().values())
        center = self.mean.tobytes() + self.scale.tobytes()
        self.fingerprint = f"neuralizer-{sha256(weights + center).hexdigest()[:12]}-{self.side}-{PLANES}"
        self.finding_space = f"neuralizer/{self.fingerprint}"

    @property
    def description(self) -> str:
        return (
            "Neuralizer, a small network trained on images drawn from label maps of brains. It sees a scan's "
            f"contrast, noise and anatomy on {PLANES} coronal slices of {self.side} pixels, and knows no words."
        )

    def preprocess(self, scan: Sliced) -> npt.NDArray[Any]:
        """(PLANES, side, side) slices around the middle."""
        return scan.squares(self.side, PLANES)

    def encode_items(self, batch: npt.NDArray[Any]) -> tuple[F32, F32]:
        """(n, 8 * channels) unit rows of (n, PLANES, side, side), the same array twice."""
        slices = np.asarray(batch, np.float32).reshape(-1, self.side, self.side)
        pooled = pooled_features(self.network, slices).reshape(len(batch), PLANES, -1).mean(1)
        vectors = unit_rows(np.asarray((pooled - self.mean) / self.scale, np.float32))
        return vectors, vectors

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """Reject texts.

        Raises:
            InvalidInput: always, because the encoder lacks a text tower.
        """
        raise InvalidInput(f"The encoder {self.name} cannot read text. Remove the texts.")

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0


def pooled_features(network: Neuralizer, slices: F32) -> F32:
    """(n, 2 * stages * channels) mean and standard deviation of the target stream over the positions of each level,
    with each slice as its own example.

    Args:
        slices: (n, side, side), 0 to 1.
    """
    up = -slices.shape[-1] % network.sizes.divisor
    padded = torch.from_numpy(np.pad(slices, ((0, 0), (0, up), (0, up))))[:, None]
    wide = torch.cat([padded, torch.zeros_like(padded).repeat(1, network.sizes.in_channels - 1, 1, 1)], 1)
    out = torch.cat([padded, torch.zeros_like(padded).repeat(1, network.sizes.out_channels - 1, 1, 1)], 1)
    with torch.inference_mode():
        lowest, above = network.encode(wide[:, None], out[:, None], wide)
    features = list[torch.Tensor]()
    for _, target in (*above, lowest):
        level = target.flatten(2)
        features += [level.mean(2), level.std(2)]
    return torch.cat(features, 1).numpy()
