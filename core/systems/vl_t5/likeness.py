"""Whether a picture is like those that a model learned from: of others its answers are not to be trusted, however sure
it is of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.records import F32, F64, Bool
from core.systems.common.checkpoints import write_tensors
from core.systems.common.picture_cells import Whitening, fit_whitening

FILE = "likeness.safetensors"
COMPONENTS = 64
SHARE = 0.99
"""Components in which pictures are compared, and the share of like pictures that is let through."""
_NAMES = ("mean", "basis", "most")


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How far the mean of a picture's cells may lie from that of the pictures that were learned from: Mahalanobis's
    distance in their leading components, squared."""

    whitening: Whitening
    most: float

    def distance(self, means: F32) -> F64:
        """(n,) of (n, f) means of cells; about `COMPONENTS` of a like picture."""
        return np.square(self.whitening(means).astype(np.float64)).sum(1)

    def alike(self, means: F32) -> Bool:
        """(n,) whether each is near enough; one that is no finite number is not."""
        return self.distance(means) <= self.most


def fit_likeness(learned: F32, others: F32) -> Likeness:
    """Of (n, f) means of cells of the pictures that were learned from; the distance is that within which `SHARE` of
    (m, f) like ones lie that were not."""
    whitening = fit_whitening(learned, COMPONENTS)
    found = Likeness(whitening, np.inf)
    return Likeness(whitening, float(np.quantile(found.distance(others), SHARE)))


def write_likeness(likeness: Likeness, folder: Path) -> None:
    values = (likeness.whitening.mean, likeness.whitening.basis, np.array([likeness.most], np.float32))
    write_tensors(folder / FILE, {name: torch.from_numpy(v) for name, v in zip(_NAMES, values, strict=True)})


def read_likeness(folder: Path) -> Likeness | None:
    """What `write_likeness` wrote; None where there is none.

    Raises:
        InvalidInput: the file is damaged, or is no such file.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    found = {name: tensor.float().numpy() for name, tensor in read_tensors(path).items()}
    shapes = tuple(found[name].ndim if name in found else -1 for name in _NAMES)
    if shapes != (1, 2, 1) or len(found["mean"]) != len(found["basis"]) or len(found["most"]) != 1:
        raise InvalidInput(f"{path} must hold mean (f), basis (f, k) and most (1). Copy the model again.")
    return Likeness(Whitening(found["mean"], found["basis"]), float(found["most"][0]))
