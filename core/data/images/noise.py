"""How noisy an image is where it is flattest: noise lies over the whole image, texture leaves some place out.

Grass, fur and knitwear have edges as fine as a sensor's noise; what tells them apart is that nearly every image has a
few calm patches, and that noise is there too. So the noise is read in small patches with Immerkær's mask (1996), which
answers to neither plains nor slopes nor straight edges, and of the patches a low quantile counts. Within a patch the
median of the answers is taken, as of wavelets by Donoho and Johnstone (1994): a line or a letter through a calm patch
is no noise. Patches that are clipped to black or white can show none and are left out. The choice among nine other
estimators: docs/evidence/properties.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import F32

PATCH = 6
"""Pixels a side."""
QUANTILE = 0.02
"""Of the patches' deviations. Less, and one plain patch speaks for the image; more, and lawns count as noisy."""
BLACK = 2.5 / 255
WHITE = 252.5 / 255
CLIPPED = 0.95
"""A patch is left out where at least this share of its pixels is beyond either end."""
BAND = 8 * PATCH
"""Rows that are worked on at a time: what they need stays in the processor's cache, and no memory is asked of the
system for each step, which took as long as the steps."""
_NORM = 6.0  # root of the mask's sum of squares: of noise the answers have the noise's own deviation
_MEDIAN = 0.6745  # of a standard normal's size
_LOWEST = 0.56
"""The `QUANTILE` of the patches' deviations where all is white noise of deviation 1, at 256 pixels a side: measured."""


def noise(luma: F32) -> float:
    """Standard deviation of the noise in the flattest patches, on the scale of `luma`, 0 to 1.

    Of white noise all over it is the noise's own deviation; 0 of an image without patches (fewer than eight pixels
    along a side) or with clipped ones alone.
    """
    if min(luma.shape) < PATCH + 2:
        return 0.0
    bands = [_unclipped(luma[start : start + BAND + 2]) for start in range(0, len(luma) - PATCH - 1, BAND)]
    sizes = np.sort(np.concatenate(bands), 1)  # a third of what np.median takes
    if not len(sizes):
        return 0.0
    half = PATCH * PATCH // 2
    deviations = (sizes[:, half - 1] + sizes[:, half]) / (2 * _NORM * _MEDIAN)
    return quantile(deviations, QUANTILE) / _LOWEST


def quantile(values: F32, share: float) -> float:
    """As `np.quantile` of a few thousand, at a tenth of its cost."""
    ordered = np.sort(values)
    place = share * (len(values) - 1)
    below = float(ordered[int(place)])
    above = float(ordered[min(int(place) + 1, len(values) - 1)])
    return below + (above - below) * (place - int(place))


def _unclipped(luma: F32) -> F32:
    """(patches, PATCH * PATCH) sizes of the mask's answers in those patches that are not clipped."""
    bend = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    answers = np.abs(bend[:, :-2] - 2 * bend[:, 1:-1] + bend[:, 2:])  # (h - 2, w - 2)
    inner = luma[1:-1, 1:-1]
    clipped = np.add.reduce(_patches((inner < BLACK) | (inner > WHITE)), 1, np.uint8)
    return _patches(answers)[clipped < CLIPPED * PATCH * PATCH]


def _patches(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(patches, PATCH * PATCH) of a plane; what is over at the right and at the bottom is left out."""
    height = values.shape[0] // PATCH
    width = values.shape[1] // PATCH
    cut = values[: height * PATCH, : width * PATCH].reshape(height, PATCH, width, PATCH)
    return cut.transpose(0, 2, 1, 3).reshape(height * width, PATCH * PATCH)
