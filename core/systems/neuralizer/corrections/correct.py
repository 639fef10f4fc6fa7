"""Take a fault out of a scan, told by examples alone: scans of low loss, spoilt and whole.

What the network gives is carried over to the scan's own pixels and values: of a bias field only a smooth factor, of all
else the difference. So a scan keeps its resolution, whatever the network sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from core.data.scans.slices import fit_square, unit
from core.data.scans.volume import Scan
from core.errors import InvalidInput
from core.records import F32, F64
from core.systems.neuralizer.corrections.faults import FAULTS
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.use import treat

EXAMPLES = 8
MOST_SIDE = 192
"""Pixels of a slice that the network sees at most; the published one was trained on as many."""
_POWERS = 4
_ALONG = 3.0
"""Slices over which a field is smoothed."""


@dataclass(frozen=True, slots=True, eq=False)
class Corrector:
    """A network, and scans of which the user's model thinks well."""

    network: Neuralizer
    side: int
    """Pixels on which the network was taught."""
    examples: Sequence[Scan]
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.examples:
            raise InvalidInput("A correction needs at least one scan of low loss as an example: there is none.")

    def correct(self, scan: Scan, task: str, *, wrong: bool = False) -> F32:
        """(slices, h, w) the scan without that fault, in its own values.

        Args:
            task: one of `core.systems.neuralizer.corrections.names.CORRECTIONS`.
            wrong: the control: in the examples the fault stays where it is. What the network does then, it does of
                its own accord (it knows what heads look like) and not because it was shown the fault.
        """
        n = scan.shape[scan.across]
        given = np.stack([scan.plane(at) for at in range(n)])
        fields = np.stack([self._one(scan, at, task, wrong) for at in range(n)])
        if n > 1 and task == "bias":
            fields = gaussian_filter1d(fields, _ALONG, axis=0, mode="nearest")
        if task == "bias":
            low = given.min()
            return (low + (given - low) * np.exp(fields)).astype(np.float32)
        return (given + fields).astype(np.float32)

    def _one(self, scan: Scan, at: int, task: str, wrong: bool) -> F32:
        """(h, w) of one slice the logarithm of the factor, or the difference in the scan's own values."""
        plane = scan.plane(at)
        side = self.side if task == "bias" else _multiple(min(MOST_SIDE, max(self.side, *plane.shape)))
        fitted = fit_square(plane.shape, scan.pixel, side)
        whole = unit(plane)
        target = fitted.into(whole)
        if not target.any():
            return np.zeros(plane.shape, np.float32)
        after = np.stack(
            [_square(example, at / max(scan.shape[scan.across] - 1, 1), side) for example in self.examples]
        )
        before = self._spoilt(after, task)
        out = treat(self.network, before, before if wrong else after, target[None], mask=False)[0]
        if task == "bias":
            return _smooth_factor(target, out, fitted.box, plane.shape)
        low, high = np.percentile(plane, (0.5, 99.5))
        return fitted.back(out - target) * np.float32(max(float(high - low), 0.0))

    def _spoilt(self, after: F32, task: str) -> F32:
        generator = torch.Generator().manual_seed(self.seed)
        return FAULTS[task](torch.from_numpy(after)[:, None], generator)[:, 0].clamp(0, 1).numpy()


def _square(scan: Scan, along: float, side: int) -> F32:
    """The slice of an example as far along as the target's, 0 to 1."""
    at = round(along * (scan.shape[scan.across] - 1))
    fitted = fit_square(scan.plane(at).shape, scan.pixel, side)
    return fitted.into(unit(scan.plane(at)))


def _smooth_factor(target: F32, out: F32, box: tuple[slice, slice], shape: tuple[int, int]) -> F32:
    """(h, w) logarithm of a smooth factor from target to out, 0 in the mean over what is not dark, at the slice's own
    size."""
    inside = (target > 0.1) & (out > 0.05)
    if inside.sum() < 30:
        return np.zeros(shape, np.float32)
    ratio = np.log(out[inside].astype(np.float64) / target[inside])
    terms = _terms(*target.shape)
    weights = np.linalg.lstsq(terms[inside], np.clip(ratio, -2, 2), rcond=None)[0]
    # the field at the slice's own pixels: the square's coordinates of each
    rows = np.linspace(box[0].start, box[0].stop - 1, shape[0]) / max(target.shape[0] - 1, 1)
    columns = np.linspace(box[1].start, box[1].stop - 1, shape[1]) / max(target.shape[1] - 1, 1)
    field = _powers(rows, columns) @ weights
    return np.asarray(np.clip(field - (terms[inside] @ weights).mean(), -2, 2), np.float32)


def _terms(height: int, width: int) -> F64:
    return _powers(np.linspace(0, 1, height), np.linspace(0, 1, width))


def _powers(rows: F64, columns: F64) -> F64:
    """(h, w, 16) products of powers of both places, 0 to 1, up to cubes."""
    y, x = np.meshgrid(2 * rows - 1, 2 * columns - 1, indexing="ij")
    return np.stack([y**a * x**b for a in range(_POWERS) for b in range(_POWERS)], -1)


def _multiple(side: int) -> int:
    return -(-side // 8) * 8
