"""Remove a fault from a scan by examples: low-loss scans before and after adding the fault.

The network's result is transferred to the scan's pixels and values: for a bias field as a smooth factor, otherwise as a
difference. So a scan keeps its resolution, whatever the network sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from core.data.scans.slices import fit_square, scale_to_unit
from core.data.scans.volume import Scan
from core.errors import InvalidInput
from core.records import F32, F64
from core.systems.neuralizer.corrections.faults import FAULTS
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.use import treat

EXAMPLES = 8
MAX_SIDE = 192
"""Largest side of a slice for the network in pixels, as in the training of the published one."""
N_POWERS = 4
SMOOTHED_SLICES = 3.0
"""Standard deviation of the smoothing of a field across slices."""


@dataclass(frozen=True, slots=True, eq=False)
class Corrector:
    """A network, and low-loss scans as its examples."""

    network: Neuralizer
    side: int
    """Pixels of a slice in the network's training."""
    examples: Sequence[Scan]
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.examples:
            raise InvalidInput("A correction needs a low-loss scan as an example: got 0. Add scans.")

    def correct(self, scan: Scan, task: str, *, wrong: bool = False) -> F32:
        """(slices, h, w) the scan without that fault, in its original values.

        Args:
            task: one of `core.systems.neuralizer.corrections.names.CORRECTIONS`.
            wrong: the control: the fault stays in the examples. The network's change then comes from its knowledge of
                heads, not from the examples.
        """
        n = scan.shape[scan.across]
        planes = np.stack([scan.plane(at) for at in range(n)])
        fields = np.stack([self._change(scan, at, task, wrong) for at in range(n)])
        if n > 1 and task == "bias":
            fields = gaussian_filter1d(fields, SMOOTHED_SLICES, axis=0, mode="nearest")
        if task == "bias":
            low = planes.min()
            return (low + (planes - low) * np.exp(fields)).astype(np.float32)
        return (planes + fields).astype(np.float32)

    def _change(self, scan: Scan, at: int, task: str, wrong: bool) -> F32:
        """(h, w) logarithm of the factor of one slice, or the difference in the scan's values."""
        plane = scan.plane(at)
        side = self.side
        if task != "bias":
            side = min(MAX_SIDE, max(self.side, *plane.shape))
            side = -(-side // 8) * 8  # up to a multiple of 8
        fitted = fit_square(plane.shape, scan.pixel, side)
        target = fitted.into(scale_to_unit(plane))
        if not target.any():
            return np.zeros(plane.shape, np.float32)
        along = at / max(scan.shape[scan.across] - 1, 1)
        after = np.stack([_square(example, along, side) for example in self.examples])
        generator = torch.Generator().manual_seed(self.seed)
        before = FAULTS[task](torch.from_numpy(after)[:, None], generator)[:, 0].clamp(0, 1).numpy()
        out = treat(self.network, before, before if wrong else after, target[None], mask=False)[0]
        if task == "bias":
            return _smooth_factor(target, out, fitted.box, plane.shape)
        low, high = np.percentile(plane, (0.5, 99.5))
        return fitted.back(out - target) * np.float32(max(float(high - low), 0.0))


def _square(scan: Scan, along: float, side: int) -> F32:
    """An example's slice at the same relative position as the target's, 0 to 1."""
    at = round(along * (scan.shape[scan.across] - 1))
    fitted = fit_square(scan.plane(at).shape, scan.pixel, side)
    return fitted.into(scale_to_unit(scan.plane(at)))


def _smooth_factor(target: F32, out: F32, box: tuple[slice, slice], shape: tuple[int, int]) -> F32:
    """(h, w) logarithm of a smooth factor from target to out at the slice's size, with mean 0 over bright pixels."""
    inside = (target > 0.1) & (out > 0.05)
    if inside.sum() < 30:
        return np.zeros(shape, np.float32)
    ratio = np.log(out[inside].astype(np.float64) / target[inside])
    terms = _powers(np.linspace(0, 1, target.shape[0]), np.linspace(0, 1, target.shape[1]))
    weights = np.linalg.lstsq(terms[inside], np.clip(ratio, -2, 2), rcond=None)[0]
    # coordinates of the slice's pixels in the square
    rows = np.linspace(box[0].start, box[0].stop - 1, shape[0]) / max(target.shape[0] - 1, 1)
    columns = np.linspace(box[1].start, box[1].stop - 1, shape[1]) / max(target.shape[1] - 1, 1)
    field = _powers(rows, columns) @ weights
    return np.asarray(np.clip(field - (terms[inside] @ weights).mean(), -2, 2), np.float32)


def _powers(rows: F64, columns: F64) -> F64:
    """(h, w, 16) products of powers of both coordinates, 0 to 1, up to cubes."""
    y, x = np.meshgrid(2 * rows - 1, 2 * columns - 1, indexing="ij")
    terms = list[F64]()
    for a in range(N_POWERS):
        for b in range(N_POWERS):
            terms.append(y**a * x**b)
    return np.stack(terms, -1)
