"""Estimate an image's noise where it is flattest: noise covers the whole image, texture leaves some patches out.

Grass, fur and knitwear have edges as fine as a sensor's noise. The difference is that nearly every image has a few calm
patches, and noise reaches them too. So noise is measured in small patches with Immerkær's mask (1996), which does not
respond to flat areas, slopes or straight edges, and a low quantile over the patches counts. Within a patch the median
response is taken, as Donoho and Johnstone (1994) do with wavelets, so that a line or a letter through a calm patch does
not count as noise. Patches clipped to black or white cannot show noise and are left out. The choice among nine other
estimators: docs/evidence/properties.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import F32

PATCH_SIDE = 6
"""Pixels."""
PATCH_QUANTILE = 0.02
"""Quantile of the patches' deviations. Lower, and one plain patch decides for the image; higher, and lawns count as
noisy."""
BLACK = 2.5 / 255
WHITE = 252.5 / 255
MIN_CLIPPED_SHARE = 0.95
"""A patch is left out if at least this share of its pixels is below BLACK or above WHITE."""
BAND_ROWS = 8 * PATCH_SIDE
"""Rows per step: they fit the processor's cache, and no step allocates memory, which took as long as the steps."""
_MASK_NORM = 6.0  # root of the mask's sum of squares: divided by it, responses to noise have the noise's deviation
_NORMAL_MEDIAN = 0.6745  # median of |x| for a standard normal x
_WHITE_NOISE_QUANTILE = 0.56
"""`PATCH_QUANTILE` of the patches' deviations under white noise of deviation 1, at 256 pixels a side: measured."""


def noise(luma: F32) -> float:
    """Estimate the standard deviation of the noise in the flattest patches, on the scale of `luma`, 0 to 1.

    White noise over the whole image gives the noise's deviation. An image without patches (fewer than eight pixels
    along a side) or with only clipped ones gives 0.
    """
    if min(luma.shape) < PATCH_SIDE + 2:
        return 0.0
    starts = range(0, len(luma) - PATCH_SIDE - 1, BAND_ROWS)
    bands = [_unclipped_responses(luma[start : start + BAND_ROWS + 2]) for start in starts]
    sizes = np.sort(np.concatenate(bands), 1)  # takes a third of the time of np.median
    if not len(sizes):
        return 0.0
    half = PATCH_SIDE * PATCH_SIDE // 2
    deviations = (sizes[:, half - 1] + sizes[:, half]) / (2 * _MASK_NORM * _NORMAL_MEDIAN)
    return quantile(deviations, PATCH_QUANTILE) / _WHITE_NOISE_QUANTILE


def quantile(values: F32, share: float) -> float:
    """Compute `np.quantile` of a few thousand values at a tenth of its cost."""
    ordered = np.sort(values)
    position = share * (len(values) - 1)
    index = int(position)
    below = float(ordered[index])
    above = float(ordered[min(index + 1, len(values) - 1)])
    return below + (above - below) * (position - index)


def _unclipped_responses(luma: F32) -> F32:
    """(patches, PATCH_SIDE**2) absolute responses of the mask in the patches that are not clipped."""
    bend = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    responses = np.abs(bend[:, :-2] - 2 * bend[:, 1:-1] + bend[:, 2:])  # (h - 2, w - 2)
    inner = luma[1:-1, 1:-1]
    clipped = np.add.reduce(_patches((inner < BLACK) | (inner > WHITE)), 1, np.uint8)
    return _patches(responses)[clipped < MIN_CLIPPED_SHARE * PATCH_SIDE * PATCH_SIDE]


def _patches(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(patches, PATCH_SIDE**2) of a plane; an incomplete patch at the right or the bottom is left out."""
    height = values.shape[0] // PATCH_SIDE
    width = values.shape[1] // PATCH_SIDE
    cut = values[: height * PATCH_SIDE, : width * PATCH_SIDE].reshape(height, PATCH_SIDE, width, PATCH_SIDE)
    return cut.transpose(0, 2, 1, 3).reshape(height * width, PATCH_SIDE * PATCH_SIDE)
