"""Scans drawn from label maps, in contrasts that no scanner has: a network that learned from them relies on no
contrast.

Source: SynthSeg (Billot et al. 2023, Medical Image Analysis 86): a Gaussian of random mean and spread for each label,
random deformation, bias field and gamma. The label maps are SynthSeg's own training maps (Apache-2.0), cut to coronal
slices (`research/weights/neuralizer/cut_labels.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

from core.arrays import read_arrays
from core.files import ASSETS
from core.systems.neuralizer.corrections.faults import smooth

FILE = ASSETS / "scans" / "labels.npz"
SIDE = 64
"""Pixels of a drawn slice: 3 mm each."""
TRAINED = tuple(range(16))
UNSEEN = tuple(range(16, 20))
"""Subjects to learn from, and those kept for tests."""
STRUCTURES = {
    "white matter": (2, 41),
    "cortex": (3, 42),
    "thalamus": (10, 49),
    "brain stem": (16,),
    "putamen": (12, 51),
    "ventricles": (4, 43),
    "CSF": (24,),
}
"""FreeSurfer's numbers, left and right."""
HELD_OUT = ("putamen", "ventricles")
"""Never asked for in training."""
OTHER_SIDE = {2: 41, 3: 42, 4: 43, 5: 44, 7: 46, 8: 47, 10: 49, 11: 50, 12: 51, 13: 52, 17: 53, 18: 54, 26: 58, 28: 60}
_CSF = 24
_FIRST_OUTSIDE = 100


@dataclass(frozen=True, slots=True, eq=False)
class LabelSlices:
    """Coronal slices of label maps."""

    places: torch.Tensor
    """(subjects, planes, H, W) whole numbers, places in `values`."""
    values: tuple[int, ...]
    """FreeSurfer's numbers of V labels; from 100 on they lie outside the brain."""

    def chosen(self, labels: Sequence[int]) -> torch.Tensor:
        """(V,) 1 for these labels, else 0."""
        return torch.tensor([float(value in labels) for value in self.values])

    @property
    def brain(self) -> tuple[int, ...]:
        """The labels inside the skull but for the fluid around."""
        return tuple(value for value in self.values if 0 < value < _FIRST_OUTSIDE and value != _CSF)

    @property
    def tissues(self) -> torch.Tensor:
        """(V,) place of the label whose tissue each has: left and right are of one."""
        left = {right: left for left, right in OTHER_SIDE.items()}
        return torch.tensor([self.values.index(left.get(v, v)) for v in self.values])


@cache
def read_label_slices(side: int = SIDE, path: Path = FILE) -> LabelSlices:
    """Those that ship: 20 subjects, 13 planes of 4 mm distance through the deep gray matter."""
    stored = read_arrays(path)
    raw = stored["labels"]  # (subjects, planes, H, W), 2 mm, rows top down
    values, places = np.unique(raw, return_inverse=True)
    at = np.linspace(0, raw.shape[-1] - 1, side).round().astype(np.int64)
    kept = places.reshape(raw.shape)[..., at[:, None], at]
    return LabelSlices(torch.from_numpy(np.ascontiguousarray(kept)).long(), tuple(int(v) for v in values))


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """How bright each tissue is, and how much that varies within it; both (N, V), 0 to 1."""

    mean: torch.Tensor
    spread: torch.Tensor

    def for_each(self, times: int, generator: torch.Generator, jitter: float = 0.03) -> Contrast:
        """(N * times, V): each drawn `times` times, with a little difference as between patients."""
        mean, spread = (x.repeat_interleave(times, 0) for x in (self.mean, self.spread))
        return Contrast(mean + jitter * torch.randn(mean.shape, generator=generator), spread)

    def at(self, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and spread at each pixel of (N, H, W) labels."""
        mean, spread = (x.gather(1, labels.flatten(1)).view(labels.shape) for x in (self.mean, self.spread))
        return mean, spread


def draw_contrast(slices: LabelSlices, n: int, generator: torch.Generator) -> Contrast:
    """`n` contrasts that no scanner has; the ground is black in 70 of 100."""
    tissues = slices.tissues
    size = (n, len(slices.values))
    mean = torch.rand(size, generator=generator)[:, tissues]
    spread = (0.02 + 0.1 * torch.rand(size, generator=generator))[:, tissues]
    mean[:, 0] *= torch.rand(n, generator=generator) < 0.3
    return Contrast(mean, spread)


def deform(labels: torch.Tensor, generator: torch.Generator, amount: float = 0.7) -> torch.Tensor:
    """(N, H, W) labels turned, scaled, moved and bent at random, each in its own way."""
    n, height, width = labels.shape

    def draw(*size: int) -> torch.Tensor:
        return torch.rand(size, generator=generator) - 0.5

    angle = 0.35 * amount * draw(n)
    scale = 1 + 0.3 * amount * draw(n, 2)
    shift = 0.15 * amount * draw(n, 2)
    cos = torch.cos(angle)
    sin = torch.sin(angle)
    rows = [
        torch.stack([cos * scale[:, 0], -sin, shift[:, 0]], 1),
        torch.stack([sin, cos * scale[:, 1], shift[:, 1]], 1),
    ]
    grid = affine_grid(torch.stack(rows, 1), [n, 1, height, width], align_corners=False)
    bend = 0.03 * amount * torch.randn((n, 2, 5, 5), generator=generator)
    grid = grid + smooth(bend, height, width).permute(0, 2, 3, 1)
    return grid_sample(labels[:, None].float(), grid, mode="nearest", align_corners=False)[:, 0].long()


def blurred(images: torch.Tensor) -> torch.Tensor:
    """Mean of 3 x 3 pixels."""
    return avg_pool2d(images, 3, 1, 1, count_include_pad=False)


def to_unit(images: torch.Tensor) -> torch.Tensor:
    """Each of (N, C, H, W) from 0 to 1."""
    low = images.amin((1, 2, 3), keepdim=True)
    high = images.amax((1, 2, 3), keepdim=True)
    return (images - low) / (high - low + 1e-6)


def draw_clean(labels: torch.Tensor, contrast: Contrast, generator: torch.Generator) -> torch.Tensor:
    """(N, 1, H, W) images of (N, H, W) labels, without a fault: 0 to 1."""
    mean, spread = contrast.at(labels)
    images = (mean + 0.5 * spread * torch.randn(labels.shape, generator=generator))[:, None]
    return to_unit(0.5 * blurred(images) + 0.5 * images)


def draw_any(labels: torch.Tensor, contrast: Contrast, generator: torch.Generator) -> torch.Tensor:
    """(N, 1, H, W) images as scanners may give them: noisy, sharp or not, with a weak bias field and any gamma."""
    n, (height, width) = len(labels), labels.shape[1:]
    mean, spread = contrast.at(labels)
    images = (mean + spread * torch.randn(labels.shape, generator=generator))[:, None]
    if float(torch.rand(1, generator=generator)) < 0.5:
        images = 0.6 * blurred(images) + 0.4 * images
    strength = 0.25 * torch.rand((n, 1, 1, 1), generator=generator)
    field = strength * torch.randn((n, 1, 4, 4), generator=generator)
    images = to_unit(images * torch.exp(smooth(field, height, width)))
    return images ** torch.exp(0.3 * torch.randn((n, 1, 1, 1), generator=generator))


def masks_of(labels: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) of (N, H, W) labels: 1 where the label is chosen by that row of (N, V)."""
    return chosen.gather(1, labels.flatten(1)).view(labels.shape)[:, None]
