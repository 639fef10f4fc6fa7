"""Slices of a scan as images: from 0 to 1, of square pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.records import F32

LOW = 0.5
HIGH = 99.5
"""Percentiles of a slice that become 0 and 1."""


def unit(plane: F32) -> F32:
    """(h, w) from 0 to 1 between its 0.5th and 99.5th percentile; 0 of a plane of one value."""
    low, high = np.percentile(plane, (LOW, HIGH))
    if not high > low:
        low = float(plane.min())
        high = float(plane.max())
    if not high > low:
        return np.zeros(plane.shape, np.float32)
    return np.clip((plane - low) / (high - low), 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SliceFit:
    """How a slice lies in a square."""

    side: int
    shape: tuple[int, int]
    """(h, w) of the slice."""
    size: tuple[int, int]
    """(h, w) that it has inside the square."""

    @property
    def box(self) -> tuple[slice, slice]:
        top = (self.side - self.size[0]) // 2
        left = (self.side - self.size[1]) // 2
        return slice(top, top + self.size[0]), slice(left, left + self.size[1])

    def into(self, plane: F32, *, mask: bool = False) -> F32:
        """(side, side) the slice, black around; masks stay 0 or 1."""
        square = np.zeros((self.side, self.side), np.float32)
        square[self.box] = _resized(plane, self.size, mask)
        return square

    def back(self, square: F32) -> F32:
        """The slice out of the square, at its own size."""
        return _resized(square[self.box], self.shape, False)


def fit_square(shape: tuple[int, int], pixel: tuple[float, float], side: int) -> SliceFit:
    """How a slice of (h, w) pixels of `pixel` (down, right) mm lies in a square of `side` pixels, as large as
    it can."""
    down = shape[0] * pixel[0]
    right = shape[1] * pixel[1]
    scale = side / max(down, right)
    return SliceFit(side, shape, (min(side, max(1, round(down * scale))), min(side, max(1, round(right * scale)))))


def _resized(plane: F32, size: tuple[int, int], mask: bool) -> F32:
    if plane.shape == size:
        return plane
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    how = Image.Resampling.BOX if size[0] < plane.shape[0] else Image.Resampling.BILINEAR
    found = np.asarray(image.resize((size[1], size[0]), how), np.float32)
    return (found >= 0.5).astype(np.float32) if mask else found


def picture_of(plane: F32, pixel: tuple[float, float], size: int) -> Image.Image:
    """The slice in RGB, its longest side `size` pixels at most, pixels as wide as high."""
    fitted = fit_square(plane.shape, pixel, min(size, max(plane.shape)))
    return Image.fromarray(np.round(255 * fitted.into(plane)[fitted.box]).astype(np.uint8)).convert("RGB")


def webp(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=78, method=2)
    return out.getvalue()
