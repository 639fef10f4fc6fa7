"""Properties measured on a scan: what a scanner, its settings and a file's making leave in it.

Those of intensity are measured on three slices around the middle, each from 0 to 1 between its 0.5th and 99.5th
percentile and sampled to at most `SIDE` pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.data.images.noise import noise
from core.data.images.properties import blur
from core.data.scans.slices import fit_square, unit
from core.data.scans.volume import Scan
from core.records import F32, F64, Column

SIDE = 128
VERSION = "scan properties 2"
"""Change it with anything that changes a value: it is part of the cache's key."""
PROPERTIES: dict[str, str] = {
    "bias field": "standard deviation over the head of the logarithm of a smooth field that lights it unevenly: "
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
    "file format": "as the file's bytes say, whatever its name",
}
_CATEGORIES = ("file format",)
DARK = 0.1
_ROUNDS = 10


def measure_scan(scan: Scan) -> dict[str, Any]:
    """One value for each of `PROPERTIES`: a str for a category, a float otherwise."""
    raw = [_small(scan, at) for at in scan.planes()]
    fields = [fitted_field(plane) for plane in raw]
    # a field makes dark and bright parts, so it would count as contrast: what else is measured, is without it
    shown = [unit(plane * np.exp(-field)) for plane, field in zip(raw, fields, strict=True)]
    return {
        "bias field": _mean([_spread(plane, field) for plane, field in zip(raw, fields, strict=True)]),
        "noise": _mean([noise(plane) for plane in shown]),
        "contrast": _mean([_contrast(plane) for plane in shown]),
        "blur": _mean([blur(plane) for plane in shown]),
        "foreground": _mean([float((plane > DARK).mean()) for plane in shown]),
        "voxel spacing": max(scan.spacing),
        "anisotropy": max(scan.spacing) / min(scan.spacing),
        "slices": float(scan.shape[scan.across]),
        "voxels": scan.voxels.size / 1e6,
        "file size": scan.n_bytes / 1e3,
        "file format": scan.kind,
    }


def columns(measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The measurements of many scans as columns, in the order of `PROPERTIES`."""
    made: list[Column] = []
    for name in PROPERTIES:
        values = [row[name] for row in measured]
        if name in _CATEGORIES:
            made.append(Column(name, "category", np.array(values, object), measured=True))
        else:
            made.append(Column(name, "number", np.array(values, np.float64), measured=True))
    return tuple(made)


def bias_field(plane: F32) -> float:
    """How unevenly a slice, 0 to 1, is lit: the standard deviation over its foreground of `fitted_field`. Scans without
    any fault have about 0.1 (docs/evidence/scans.md); heavy noise adds as much."""
    return _spread(plane, fitted_field(plane))


def fitted_field(plane: F32) -> F32:
    """(h, w) logarithm of a smooth field that lights a slice unevenly, 0 in the mean over its foreground.

    The logarithm of the light is tissue plus field. Between most neighboring pixels the tissue is the same, so their
    difference is the field's: the slopes of a field of nine terms (up to squares in both directions) are fitted to
    these differences with weights that leave out the borders of tissues (Cauchy's, squared).
    """
    if min(plane.shape) < 8:
        return np.zeros(plane.shape, np.float32)
    padded = np.pad(plane.astype(np.float64), 1, mode="edge")
    down = padded[:-2] + padded[1:-1] + padded[2:]
    calm = (down[:, :-2] + down[:, 1:-1] + down[:, 2:]) / 9
    inside = calm > DARK
    light = np.log(np.maximum(calm, 1e-3))
    field = _terms(*plane.shape)
    rows = inside[1:] & inside[:-1]
    sides = inside[:, 1:] & inside[:, :-1]
    steps = np.r_[(light[1:] - light[:-1])[rows], (light[:, 1:] - light[:, :-1])[sides]]
    slopes = np.concatenate([(field[1:] - field[:-1])[rows], (field[:, 1:] - field[:, :-1])[sides]])
    if len(steps) < 100:
        return np.zeros(plane.shape, np.float32)
    weights = np.zeros(slopes.shape[1])
    for _ in range(_ROUNDS):
        rest = steps - slopes @ weights
        own = 1 / (1 + (rest / max(float(np.median(np.abs(rest))), 1e-6)) ** 2) ** 2
        weighted = slopes * own[:, None]
        weights = np.linalg.lstsq(weighted.T @ slopes, weighted.T @ steps, rcond=None)[0]
    # beyond the head nothing is known of the field: at most e^3 there
    return np.clip(field @ weights - (field[inside] @ weights).mean(), -3, 3).astype(np.float32)


def _spread(plane: F32, field: F32) -> float:
    inside = plane > DARK
    return float(field[inside].std()) if inside.any() else 0.0


def _terms(height: int, width: int) -> F64:
    """(h, w, 8) powers of the place, -1 to 1, up to squares; the constant lights nothing unevenly."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([y**a * x**b for a in range(3) for b in range(3) if a + b], -1)


def _small(scan: Scan, at: int) -> F32:
    plane = unit(scan.plane(at))
    fitted = fit_square(plane.shape, scan.pixel, min(SIDE, max(plane.shape)))
    return fitted.into(plane)[fitted.box]


def _contrast(plane: F32) -> float:
    inside = plane[plane > DARK]
    return float(inside.std() / inside.mean()) if len(inside) else 0.0


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
