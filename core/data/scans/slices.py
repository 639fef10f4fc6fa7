"""Turn slices of a scan into images: from 0 to 1, with square pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.records import F32

LOW_PERCENTILE = 0.5
HIGH_PERCENTILE = 99.5
"""Percentiles of a slice that become 0 and 1."""


def scale_to_unit(plane: F32) -> F32:
    """Scale (h, w) to 0 to 1 between its 0.5th and 99.5th percentile; a plane of one value becomes 0."""
    low, high = np.percentile(plane, (LOW_PERCENTILE, HIGH_PERCENTILE))
    if not high > low:
        low = float(plane.min())
        high = float(plane.max())
    if not high > low:
        return np.zeros(plane.shape, np.float32)
    return np.clip((plane - low) / (high - low), 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SliceFit:
    """The position of a slice in a square."""

    side: int
    shape: tuple[int, int]
    """(h, w) of the slice."""
    size: tuple[int, int]
    """(h, w) of the slice inside the square."""

    @property
    def box(self) -> tuple[slice, slice]:
        top = (self.side - self.size[0]) // 2
        left = (self.side - self.size[1]) // 2
        return slice(top, top + self.size[0]), slice(left, left + self.size[1])

    def into(self, plane: F32, *, mask: bool = False) -> F32:
        """Paste the slice into (side, side), black around; masks stay 0 or 1."""
        square = np.zeros((self.side, self.side), np.float32)
        square[self.box] = _resize(plane, self.size, mask)
        return square

    def back(self, square: F32) -> F32:
        """Cut the slice out of the square, at its original size."""
        return _resize(square[self.box], self.shape, False)


def fit_square(shape: tuple[int, int], pixel: tuple[float, float], side: int) -> SliceFit:
    """Fit a slice of (h, w) pixels of `pixel` (down, right) mm into a square of `side` pixels, as large as possible."""
    down = shape[0] * pixel[0]
    right = shape[1] * pixel[1]
    scale = side / max(down, right)
    height = min(side, max(1, round(down * scale)))
    width = min(side, max(1, round(right * scale)))
    return SliceFit(side, shape, (height, width))


def _resize(plane: F32, size: tuple[int, int], mask: bool) -> F32:
    if plane.shape == size:
        return plane
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    method = Image.Resampling.BILINEAR
    if size[0] < plane.shape[0]:
        method = Image.Resampling.BOX
    resized = np.asarray(image.resize((size[1], size[0]), method), np.float32)
    if mask:
        return (resized >= 0.5).astype(np.float32)
    return resized


def render_slice(plane: F32, pixel: tuple[float, float], size: int) -> Image.Image:
    """Render the slice in RGB with square pixels, its longest side at most `size`."""
    fitted = fit_square(plane.shape, pixel, min(size, max(plane.shape)))
    return Image.fromarray(np.round(255 * fitted.into(plane)[fitted.box]).astype(np.uint8)).convert("RGB")
