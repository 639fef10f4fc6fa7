"""Whether an image has a tint, of which color and how strong: a wrong white balance, a colored lamp, a filter or a
veil of color, and not a scene that is mostly of one color.

A tint colors what would else be white and what would else be black, a lawn does neither. The light's color is
estimated by shades of gray with a high norm (Finlayson and Trezzi 2004), which the brightest parts decide; half of what
color the darkest parts have is added, since a veil lies over them too. Of an image of one color all over, nothing
can tell whether it is tinted; it counts as tinted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from core.data.images.noise import quantile
from core.records import F32

NORM = 24
"""Of the Minkowski mean. The paper has 6, for images in linear light with known lights; figures in
docs/evidence/properties.md."""
DARKEST = 0.01
WEIGHT = 0.5
"""Quantile of each channel that stands for black, and how much its color counts."""
FAINTEST = 0.1
"""A light darker than this is measured against it, so that the color errors of black images are no tint."""
TINTED = 0.25
"""Strength from which a tint has a name."""
HUES = ("red", "orange", "yellow", "green", "blue", "purple")
_UPPER = (15.0, 46.0, 88.0, 165.0, 260.0, 330.0)  # degrees up to which a name holds; red goes on from the last
TINTS = ("none", *HUES)


def tint(pixels: F32) -> tuple[float, str]:
    """How strong the tint is and its name, one of `TINTS`.

    Strength is the HSV saturation of the estimated light (0 neutral, 1 a pure color), and half the color of the
    darkest parts.

    Args:
        pixels: (n, 3) RGB, 0 to 1, of a small copy of the image.
    """
    light = minkowski_mean(pixels) if len(pixels) else np.zeros(3, np.float32)
    red_green, blue_yellow = _opponents(light / np.float32(max(float(light.max()), FAINTEST)))
    length = float(np.hypot(red_green, blue_yellow))
    if length < 1e-4:
        return 0.0, "none"
    along = _opponents([quantile(channel, DARKEST) for channel in pixels.T])
    veil = max((along[0] * red_green + along[1] * blue_yellow) / length, 0.0)
    strength = length + WEIGHT * veil
    hue = float(np.degrees(np.arctan2(blue_yellow, red_green))) % 360
    name = HUES[int(np.searchsorted(_UPPER, hue, "right")) % len(HUES)]
    return strength, name if strength >= TINTED else "none"


def minkowski_mean(pixels: F32) -> F32:
    """(3,) the `NORM`-th root of each channel's mean `NORM`-th power."""
    highest = np.float32(max(float(pixels.max()), 1e-6))
    eighth = np.square(np.square(np.square(pixels / highest)))
    return np.asarray(highest * (eighth * eighth * eighth).mean(0) ** (1 / NORM), np.float32)


def _opponents(colour: Iterable[Any]) -> tuple[float, float]:
    """The plane of HSV's hues: its angle is the hue, its length the chroma."""
    red, green, blue = (float(value) for value in colour)
    return red - (green + blue) / 2, 0.8660254 * (green - blue)
