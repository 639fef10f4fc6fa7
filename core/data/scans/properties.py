"""Measure properties of a scan: traces of the scanner, its settings and the making of the file.

Intensity is measured on three slices around the middle, each from 0 to 1 between its 0.5th and 99.5th
percentile and sampled to at most `SIDE` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.data.images.noise import noise
from core.data.images.properties import blur
from core.data.scans.slices import fit_square, scale_to_unit
from core.data.scans.volume import Scan
from core.records import F32, F64

SIDE = 128
VERSION = "scan properties 2"
"""Change it with anything that changes a value: it is part of the cache's key."""
PROPERTIES: dict[str, str] = {
    "bias field": "standard deviation over the head of the logarithm of the smooth field of uneven light: "
    "0.1 is usual, 0.3 is heavy",
    "noise": "standard deviation of the noise where the slice is flattest, 0 to 1",
    "contrast": "standard deviation over mean of what is not dark, the bias field taken out, 0 to about 1",
    "blur": "Crete et al. 2007, 0 (sharp) to 1 (blurred)",
    "foreground": "share of the slice that is not dark",
    "voxel spacing": "mm, the coarsest of the three directions",
    "anisotropy": "coarsest over finest spacing",
    "slices": "along the direction in which the scan is shown",
    "voxels": "millions",
    "file size": "kilobytes",
    "file format": "from the file's bytes, not its name",
}
DARK_LEVEL = 0.1
"""Intensity up to which a pixel counts as background. A convention."""
_FIT_ROUNDS = 10
_MIN_FIT_SIDE = 8  # pixels; a smaller slice gets no field
_MIN_FIT_STEPS = 100  # differences between neighbors


def measure_scan(scan: Scan) -> dict[str, Any]:
    """Measure each of `PROPERTIES`: a str for a category, a float otherwise."""
    raw = [_small(scan, at) for at in scan.planes()]
    fields = [fit_field(plane) for plane in raw]
    # a field makes dark and bright parts and would count as contrast: the other properties are measured without it
    flat = [scale_to_unit(plane * np.exp(-field)) for plane, field in zip(raw, fields, strict=True)]
    return {
        "bias field": _mean([_spread(plane, field) for plane, field in zip(raw, fields, strict=True)]),
        "noise": _mean([noise(plane) for plane in flat]),
        "contrast": _mean([_contrast(plane) for plane in flat]),
        "blur": _mean([blur(plane) for plane in flat]),
        "foreground": _mean([float((plane > DARK_LEVEL).mean()) for plane in flat]),
        "voxel spacing": max(scan.spacing),
        "anisotropy": max(scan.spacing) / min(scan.spacing),
        "slices": float(scan.shape[scan.across]),
        "voxels": scan.voxels.size / 1e6,
        "file size": scan.n_bytes / 1e3,
        "file format": scan.kind,
    }


def bias_field(plane: F32) -> float:
    """Measure how unevenly a slice, 0 to 1, is lit: the standard deviation of `fit_field` over its foreground. Scans
    without faults have about 0.1 (docs/evidence/scans.md); heavy noise adds as much."""
    return _spread(plane, fit_field(plane))


def fit_field(plane: F32) -> F32:
    """Fit (h, w) the logarithm of a smooth field that lights a slice unevenly, mean 0 over its foreground.

    The logarithm of the light is tissue plus field. Between most neighboring pixels the tissue is the same, so their
    difference is the field's. The slopes of a field of nine terms (up to squares in both directions) are fitted to
    these differences, with weights that leave out the borders of tissues (Cauchy's, squared).
    """
    if min(plane.shape) < _MIN_FIT_SIDE:
        return np.zeros(plane.shape, np.float32)
    padded = np.pad(plane.astype(np.float64), 1, mode="edge")
    down = padded[:-2] + padded[1:-1] + padded[2:]
    calm = (down[:, :-2] + down[:, 1:-1] + down[:, 2:]) / 9
    inside = calm > DARK_LEVEL
    light = np.log(np.maximum(calm, 1e-3))
    field = _terms(*plane.shape)
    rows = inside[1:] & inside[:-1]
    sides = inside[:, 1:] & inside[:, :-1]
    steps = np.r_[(light[1:] - light[:-1])[rows], (light[:, 1:] - light[:, :-1])[sides]]
    slopes = np.concatenate([(field[1:] - field[:-1])[rows], (field[:, 1:] - field[:, :-1])[sides]])
    if len(steps) < _MIN_FIT_STEPS:
        return np.zeros(plane.shape, np.float32)
    weights = np.zeros(slopes.shape[1])
    for _ in range(_FIT_ROUNDS):
        residuals = steps - slopes @ weights
        scale = max(float(np.median(np.abs(residuals))), 1e-6)
        step_weights = 1 / (1 + (residuals / scale) ** 2) ** 2
        weighted = slopes * step_weights[:, None]
        weights = np.linalg.lstsq(weighted.T @ slopes, weighted.T @ steps, rcond=None)[0]
    # the field is unknown beyond the head: bounded to e^3 there
    return np.clip(field @ weights - (field[inside] @ weights).mean(), -3, 3).astype(np.float32)


def _spread(plane: F32, field: F32) -> float:
    inside = plane > DARK_LEVEL
    if not inside.any():
        return 0.0
    return float(field[inside].std())


def _terms(height: int, width: int) -> F64:
    """(h, w, 8) products of powers of the coordinates, -1 to 1, up to squares, without the constant."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    powers = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    return np.stack([y**a * x**b for a, b in powers], -1)


def _small(scan: Scan, at: int) -> F32:
    plane = scale_to_unit(scan.plane(at))
    fitted = fit_square(plane.shape, scan.pixel, min(SIDE, max(plane.shape)))
    return fitted.into(plane)[fitted.box]


def _contrast(plane: F32) -> float:
    inside = plane[plane > DARK_LEVEL]
    if not len(inside):
        return 0.0
    return float(inside.std() / inside.mean())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
