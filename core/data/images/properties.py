"""Measure properties of the pixels: the plain causes of failure that embeddings do not name.

All are measured on an RGB copy whose longer side is at most `SIDE` pixels (never enlarged), so that they mean the same
for a large and a small file of one image; size and format come from the file. `PROPERTIES` has the unit of each.
"""

from __future__ import annotations

from math import hypot, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data.images.decoding import DecodedPicture
from core.data.images.noise import BAND_ROWS, noise
from core.data.images.tint import tint
from core.records import F32, I64

SIDE = 256
VERSION = "properties 2"
"""Change it with anything that changes a value: it is part of the cache's key."""

PROPERTIES: dict[str, str] = {
    "brightness": "mean luma, 0 (black) to 1 (white)",
    "contrast": "standard deviation of luma, 0 to 0.5",
    "colourfulness": "Hasler and Süsstrunk 2003: 0 (gray), about 15 slightly, 45 rather, 80 highly colorful",
    "saturation": "mean HSV saturation, 0 to 1",
    "grey": "'grey' if 99% of the pixels have no color, else 'colour'",
    "dominant color": "the most frequent of twelve color names",
    "blur": "Crete et al. 2007, 0 (sharp) to 1 (blurred)",
    "noise": "standard deviation of the noise where the image is flattest, 0 to 1: 0.01 is visible, 0.05 is heavy",
    "tint": "color cast over the whole image: 'none', red, orange, yellow, green, blue or purple",
    "tint strength": "of the light's color, 0 (neutral) to 1 and above (a pure color); named from 0.25",
    "edge density": "share of pixels on an edge (Sobel gradient above 0.1 of the range a pixel)",
    "entropy": "of the luma histogram, 0 (one gray level) to 8 bits",
    "underexposed share": "share of pixels with luma below 0.05",
    "overexposed share": "share of pixels with luma above 0.95",
    "plain border": "share of the border's pixels near the border's median color: 1 is a uniform background",
    "width": "pixels, upright",
    "height": "pixels, upright",
    "megapixels": "millions of pixels",
    "aspect ratio": "width / height, upright",
    "file size": "kilobytes",
    "file format": "from the file's bytes, not its name",
}
OF_PICTURE = " of the image"
"""Suffix of the name of a property that a crop has from its whole image."""
_GREY = 10
_DARK = 13
_BRIGHT = 243
_PLAIN = 40
"""In bytes: chroma up to 0.04 of the range counts as gray, luma below 0.05 as dark and above 0.95 as bright;
0.08 of the range from the border's median, doubled, bounds a plain border. The bounds are conventions."""
U8 = npt.NDArray[np.uint8]
COLOURS = ("black", "grey", "white", "red", "orange", "brown", "yellow", "green", "cyan", "blue", "purple", "pink")
_CODE = {name: code for code, name in enumerate(COLOURS)}
_HUES = "red orange yellow green cyan blue purple pink red".split()
_UPPER = (15, 45, 70, 165, 195, 255, 290, 340)  # degrees at which each name ends
_SHARE = np.arange(256, dtype=np.float32) / 255
_CODE_OF_HUE = np.array([_CODE[name] for name in _HUES])[np.searchsorted(_UPPER, 360 * _SHARE, "right")]
_CODE_OF_VALUE = np.where(_SHARE < 0.2, _CODE["black"], np.where(_SHARE > 0.85, _CODE["white"], _CODE["grey"]))


def measure_properties(picture: DecodedPicture, image: Image.Image | None = None) -> dict[str, Any]:
    """Measure each of `PROPERTIES`: a str for a category, a float otherwise.

    Args:
        image: the image shrunk to `SIDE`, if the caller has it.
    """
    if image is None:
        image = shrink(picture.image, SIDE)
    red, green, blue = (np.asarray(channel) for channel in image.split())  # (h, w) each, contiguous
    high = np.maximum(np.maximum(red, green), blue)  # many times faster than rgb.max(2)
    chroma = high - np.minimum(np.minimum(red, green), blue)
    grey = image.convert("L")
    luma = np.asarray(grey, np.float32) / np.float32(255)  # (h, w), Rec. 601
    small = shrink(image, 64)
    is_grey = np.count_nonzero(chroma <= _GREY) >= 0.99 * chroma.size
    tint_strength, tint_colour = tint(np.asarray(small, np.float32).reshape(-1, 3) / np.float32(255))
    return {
        **_levels(np.array(grey.histogram())),
        "colourfulness": colourfulness(red, green, blue),
        "saturation": float((chroma / np.maximum(high, 1).astype(np.float32)).mean()),
        "grey": "grey" if is_grey else "colour",
        "dominant color": dominant_colour(small),
        "blur": blur(luma),
        "noise": noise(luma),
        "tint": tint_colour,
        "tint strength": tint_strength,
        "edge density": edge_density(luma),
        "entropy": max(float(grey.entropy()), 0.0),
        "plain border": plain_border(red, green, blue),
        "width": float(picture.width),
        "height": float(picture.height),
        "megapixels": picture.width * picture.height / 1e6,
        "aspect ratio": picture.width / picture.height,
        "file size": picture.file_bytes / 1e3,
        "file format": picture.file_format,
    }


def _levels(counts: I64) -> dict[str, float]:
    """Properties from the (256,) histogram of luma."""
    levels = np.arange(256)
    n = int(counts.sum())
    total = int((counts * levels).sum())
    squares = int((counts * levels**2).sum())
    return {
        "brightness": total / n / 255,
        "contrast": sqrt(n * squares - total * total) / n / 255,
        "underexposed share": int(counts[:_DARK].sum()) / n,
        "overexposed share": int(counts[_BRIGHT:].sum()) / n,
    }


def shrink(image: Image.Image, side: int) -> Image.Image:
    """Shrink an image so that its longer side is at most `side` pixels; a smaller image is returned unchanged."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def colourfulness(red: U8, green: U8, blue: U8) -> float:
    """Spread plus 0.3 of the mean of the two opponent colors, on a scale of 0-255 (Hasler and Süsstrunk 2003, eq. for
    M-hat-3), from (h, w) channels."""
    red_green = np.subtract(red, green, dtype=np.int32)
    yellow_blue = np.add(red, green, dtype=np.int32) - np.multiply(blue, 2, dtype=np.int32)  # doubled
    mean, spread = _mean_and_deviation(red_green)
    yellow_blue_mean, yellow_blue_spread = _mean_and_deviation(yellow_blue)
    return hypot(spread, yellow_blue_spread / 2) + 0.3 * hypot(mean, yellow_blue_mean / 2)


def _mean_and_deviation(plane: npt.NDArray[np.int32]) -> tuple[float, float]:
    """Computed in integers, so that the deviation is exactly 0 where all values are equal."""
    total = int(plane.sum(dtype=np.int64))
    squares = int(np.einsum("ij,ij->i", plane, plane).sum(dtype=np.int64))
    return total / plane.size, sqrt(plane.size * squares - total * total) / plane.size


def blur(luma: F32) -> float:
    """How little is lost when the image is blurred once more, the worse of both directions.

    A sharp image changes much under a nine-pixel mean, a blurred one hardly; contrast cancels. A flat image, in
    which
    nothing can be lost, has 1. Source: Crete, Dolmiere, Ladret and Nicolas 2007, "The blur effect".
    """
    return max(_blur_along_rows(luma), _blur_along_rows(np.ascontiguousarray(luma.T)))


def _blur_along_rows(luma: F32, width: int = 9) -> float:
    n = len(luma)
    half = width // 2
    if n < 2:
        return 1.0
    total = lost = 0.0
    for start in range(0, n - 1, BAND_ROWS):
        row = np.arange(start, min(start + BAND_ROWS, n - 1))
        steps = np.abs(luma[row[0] + 1 : row[-1] + 2] - luma[row[0] : row[-1] + 1])
        # from one row to the next the mean of nine changes by a ninth of (row that enters - row that leaves)
        smooth = luma[np.minimum(row + half + 1, n - 1)] - luma[np.maximum(row - half, 0)]
        total += float(steps.sum())
        lost += float(np.maximum(steps - np.abs(smooth) / np.float32(width), 0).sum())
    if total < 1e-3 * (n - 1) * luma.shape[1] / 255:
        return 1.0
    return 1 - lost / total


def edge_density(luma: F32) -> float:
    """Share of inner pixels whose Sobel gradient is above 0.1 of the full range a pixel."""
    height, width = luma.shape
    if min(height, width) < 3:
        return 0.0
    edges = sum(_count_edges(luma[start : start + BAND_ROWS + 2]) for start in range(0, height - 2, BAND_ROWS))
    return edges / ((height - 2) * (width - 2))


def _count_edges(luma: F32) -> int:
    down = luma[:-2] + 2 * luma[1:-1] + luma[2:]
    across = luma[:, :-2] + 2 * luma[:, 1:-1] + luma[:, 2:]
    right = down[:, 2:] - down[:, :-2]
    below = across[2:] - across[:-2]
    squared = right * right + below * below
    edges = squared > 0.64
    close = np.abs(squared - np.float32(0.64)) < 1e-5
    edges[close] = np.hypot(right[close], below[close]) / 8 > 0.1  # np.hypot everywhere would be half the cost
    return int(np.count_nonzero(edges))


def plain_border(*channels: U8) -> float:
    """Share of the outer twentieth (at least one pixel) whose farthest channel is within 0.08 of the border's median,
    from (h, w) channels."""
    height, width = channels[0].shape
    depth = max(min(height, width) // 20, 1)
    near = np.True_
    for channel in channels:
        ends = (channel[:depth], channel[max(height - depth, depth) :])
        middle = channel[depth : height - depth]
        sides = (middle[:, :depth], middle[:, max(width - depth, depth) :])
        ring = np.concatenate([part.ravel() for part in (*ends, *sides)])
        ordered = np.sort(ring, kind="stable")  # a counting sort, since these are bytes
        twice = int(ordered[(len(ring) - 1) // 2]) + int(ordered[len(ring) // 2])
        lowest = max((twice - _PLAIN + 1) // 2, 0)
        highest = min((twice + _PLAIN) // 2, 255)
        near = near & (ring >= lowest) & (ring <= highest)
    return float(near.mean())


def dominant_colour(image: Image.Image) -> str:
    """The most frequent color name in a small copy. The bounds between names are a convention of Errata."""
    hue, saturation, value = (np.asarray(channel).ravel() for channel in image.convert("HSV").split())
    by_hue = _CODE_OF_HUE[hue]
    pink = (by_hue == _CODE["red"]) & (_SHARE < 0.5)[saturation] & (_SHARE > 0.7)[value]
    brown = (by_hue == _CODE["orange"]) & (_SHARE < 0.6)[value]
    pale = (_SHARE < 0.15)[saturation] | (_SHARE < 0.15)[value]
    named = np.where(brown, _CODE["brown"], np.where(pink, _CODE["pink"], by_hue))
    names = np.where(pale, _CODE_OF_VALUE[value], named)
    return COLOURS[int(np.argmax(np.bincount(names, minlength=len(COLOURS))))]
