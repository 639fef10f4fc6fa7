"""Whether an image resembles a model's training images; elsewhere its answers are unreliable, however sure it is."""

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
"""Leading components in which images are compared. A convention."""
SHARE = 0.99
"""Share of similar images to accept: at most 1 in 100 of them is called unlike."""
_NAMES = ("mean", "basis", "most")


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Largest distance of an image from the training images: squared Mahalanobis distance of the mean of its cells in
    their leading components."""

    whitening: Whitening
    max_distance: float

    def distance(self, means: F32) -> F64:
        """(n,) distances of (n, f) means of cells; about `COMPONENTS` for a similar image."""
        return np.square(self.whitening(means).astype(np.float64)).sum(1)

    def alike(self, means: F32) -> Bool:
        """(n,) whether each is near enough; a mean that is not finite is not."""
        return self.distance(means) <= self.max_distance


def fit_likeness(learned: F32, others: F32) -> Likeness:
    """Fit on (n, f) means of cells of training images; `SHARE` of (m, f) similar new images lie within the distance."""
    whitening = fit_whitening(learned, COMPONENTS)
    distances = Likeness(whitening, np.inf).distance(others)
    return Likeness(whitening, float(np.quantile(distances, SHARE)))


def write_likeness(likeness: Likeness, folder: Path) -> None:
    values = (likeness.whitening.mean, likeness.whitening.basis, np.array([likeness.max_distance], np.float32))
    write_tensors(folder / FILE, {name: torch.from_numpy(v) for name, v in zip(_NAMES, values, strict=True)})


def read_likeness(folder: Path) -> Likeness | None:
    """The likeness that `write_likeness` wrote; None without its file.

    Raises:
        InvalidInput: the file is damaged, or holds other arrays.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    arrays = {name: tensor.float().numpy() for name, tensor in read_tensors(path).items()}
    shapes = tuple(arrays[name].ndim if name in arrays else -1 for name in _NAMES)
    if shapes != (1, 2, 1) or len(arrays["mean"]) != len(arrays["basis"]) or len(arrays["most"]) != 1:
        raise InvalidInput(f"{path} must hold mean (f), basis (f, k) and most (1). Copy the model again.")
    return Likeness(Whitening(arrays["mean"], arrays["basis"]), float(arrays["most"][0]))
