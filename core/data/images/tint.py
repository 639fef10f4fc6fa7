"""Measure an image's tint, its color and strength: a wrong white balance, a colored lamp, a filter or a veil of color,
as opposed to a scene that is mostly of one color.

A tint colors what would otherwise be white and what would otherwise be black; a lawn does neither. The light's color is
estimated by shades of gray with a high norm (Finlayson and Trezzi 2004), which the brightest parts decide. Half the
color of the darkest parts is added, since a veil covers them too. An image of a single color gives no evidence either
way; it counts as tinted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from core.data.images.noise import quantile
from core.records import F32

MINKOWSKI_NORM = 24
"""Exponent of the mean. The paper has 6, for images in linear light with known lights; figures in
docs/evidence/properties.md."""
DARK_QUANTILE = 0.01
DARK_WEIGHT = 0.5
"""Quantile of each channel that stands for black, and the weight of its color."""
MIN_LIGHT = 0.1
"""A darker light is measured against this, so that color errors of black images do not count as a tint."""
MIN_STRENGTH = 0.25
"""Strength from which a tint has a name."""
HUES = ("red", "orange", "yellow", "green", "blue", "purple")
_UPPER = (15.0, 46.0, 88.0, 165.0, 260.0, 330.0)  # degrees at which each name ends; red continues after the last
TINTS = ("none", *HUES)


def tint(pixels: F32) -> tuple[float, str]:
    """Estimate the tint's strength and its name, one of `TINTS`.

    Strength is the HSV saturation of the estimated light (0 neutral, 1 a pure color), plus half the color of the
    darkest parts.

    Args:
        pixels: (n, 3) RGB, 0 to 1, of a small copy of the image.
    """
    light = np.zeros(3, np.float32)
    if len(pixels):
        light = minkowski_mean(pixels)
    red_green, blue_yellow = _opponents(light / np.float32(max(float(light.max()), MIN_LIGHT)))
    length = float(np.hypot(red_green, blue_yellow))
    if length < 1e-4:
        return 0.0, "none"
    along = _opponents([quantile(channel, DARK_QUANTILE) for channel in pixels.T])
    veil = max((along[0] * red_green + along[1] * blue_yellow) / length, 0.0)
    strength = length + DARK_WEIGHT * veil
    hue = float(np.degrees(np.arctan2(blue_yellow, red_green))) % 360
    if strength < MIN_STRENGTH:
        return strength, "none"
    return strength, HUES[int(np.searchsorted(_UPPER, hue, "right")) % len(HUES)]


def minkowski_mean(pixels: F32) -> F32:
    """(3,) p-th root of each channel's mean p-th power, p = `MINKOWSKI_NORM`."""
    highest = np.float32(max(float(pixels.max()), 1e-6))
    eighth = np.square(np.square(np.square(pixels / highest)))
    return np.asarray(highest * (eighth * eighth * eighth).mean(0) ** (1 / MINKOWSKI_NORM), np.float32)


def _opponents(colour: Iterable[Any]) -> tuple[float, float]:
    """Coordinates in HSV's plane of hues: the angle is the hue, the length the chroma."""
    red, green, blue = (float(value) for value in colour)
    return red - (green + blue) / 2, 0.8660254 * (green - blue)
