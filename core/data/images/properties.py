"""Properties measured on the pixels: the plain causes of failure that embeddings do not name.

All are measured on an RGB copy whose longer side is at most `SIDE` pixels (never enlarged), so that they mean the same
for a large and a small file of one picture; size and format come from the file. `PROPERTIES` has the unit of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from core.data.images.decoding import DecodedPicture
from core.data.images.noise import noise
from core.data.images.tint import tint
from core.records import F32, Column

SIDE = 256
VERSION = "properties 2"
"""Change it with anything that changes a value: it is part of the cache's key."""

PROPERTIES: dict[str, str] = {
    "brightness": "mean luma, 0 (black) to 1 (white)",
    "contrast": "standard deviation of luma, 0 to 0.5",
    "colourfulness": "Hasler and Süsstrunk 2003: 0 (grey), about 15 slightly, 45 rather, 80 highly colourful",
    "saturation": "mean HSV saturation, 0 to 1",
    "grey": "'grey' if 99% of the pixels have no colour, else 'colour'",
    "dominant colour": "the name that most pixels bear, of twelve",
    "blur": "Crete et al. 2007, 0 (sharp) to 1 (blurred)",
    "noise": "standard deviation of the noise where the picture is flattest, 0 to 1: 0.01 is seen, 0.05 is heavy",
    "tint": "the colour that lies over all of it: 'none', red, orange, yellow, green, blue or purple",
    "tint strength": "of the light's colour, 0 (neutral) to 1 and more (a pure colour); from 0.25 it has a name",
    "edge density": "share of pixels on an edge (Sobel gradient above 0.1 of the range a pixel)",
    "entropy": "of the luma histogram, 0 (one grey level) to 8 bits",
    "underexposed share": "share of pixels with luma below 0.05",
    "overexposed share": "share of pixels with luma above 0.95",
    "plain border": "share of the border's pixels near the border's own median colour: 1 is a uniform ground",
    "width": "pixels, upright",
    "height": "pixels, upright",
    "megapixels": "millions of pixels",
    "aspect ratio": "width / height, upright",
    "file size": "kilobytes",
    "file format": "as the file's bytes say, whatever its name",
}
OF_PICTURE = " of the picture"
"""Behind the name of a property that a row, which is a crop, has from its whole picture."""
_CATEGORIES = ("grey", "dominant colour", "tint", "file format")
COLOURS = ("black", "grey", "white", "red", "orange", "brown", "yellow", "green", "cyan", "blue", "purple", "pink")


def measure_properties(picture: DecodedPicture) -> dict[str, Any]:
    """One value for each of `PROPERTIES`: a str for a category, a float otherwise."""
    image = shrink(picture.image, SIDE)
    rgb = np.asarray(image, np.float32) / np.float32(255)  # (h, w, 3)
    grey = image.convert("L")
    luma = np.asarray(grey, np.float32) / np.float32(255)  # (h, w), Rec. 601
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    high = np.maximum(np.maximum(red, green), blue)  # many times faster than rgb.max(2)
    chroma = high - np.minimum(np.minimum(red, green), blue)
    small = shrink(image, 64)
    tint_strength, tint_colour = tint(np.asarray(small, np.float32).reshape(-1, 3) / np.float32(255))
    return {
        "brightness": float(luma.mean()),
        "contrast": float(luma.std()),
        "colourfulness": colourfulness(rgb),
        "saturation": float((chroma / np.maximum(high, 1e-6)).mean()),
        "grey": "grey" if float((chroma <= 0.04).mean()) >= 0.99 else "colour",
        "dominant colour": dominant_colour(small),
        "blur": blur(luma),
        "noise": noise(luma),
        "tint": tint_colour,
        "tint strength": tint_strength,
        "edge density": edge_density(luma),
        "entropy": max(float(grey.entropy()), 0.0),
        "underexposed share": float((luma < 0.05).mean()),
        "overexposed share": float((luma > 0.95).mean()),
        "plain border": plain_border(rgb),
        "width": float(picture.width),
        "height": float(picture.height),
        "megapixels": picture.width * picture.height / 1e6,
        "aspect ratio": picture.width / picture.height,
        "file size": picture.file_bytes / 1e3,
        "file format": picture.file_format,
    }


def columns(measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The measurements of many images as columns, in the order of `PROPERTIES`."""

    def column(name: str) -> Column:
        values = [row[name] for row in measured]
        if name in _CATEGORIES:
            return Column(name, "category", np.array(values, object), measured=True)
        return Column(name, "number", np.array(values, np.float64), measured=True)

    return tuple(column(name) for name in PROPERTIES)


def shrink(image: Image.Image, side: int) -> Image.Image:
    """A copy whose longer side is at most `side` pixels; a smaller picture is left as it is."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def colourfulness(rgb: F32) -> float:
    """Spread plus 0.3 of the mean of the two opponent colours, on a scale of 0-255 (Hasler and Süsstrunk 2003, eq. for
    M-hat-3)."""
    red_green = rgb[..., 0] - rgb[..., 1]
    yellow_blue = (rgb[..., 0] + rgb[..., 1]) / 2 - rgb[..., 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(255 * (spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean())))


def blur(luma: F32) -> float:
    """How little is lost when the picture is blurred once more, the worse of both directions.

    A sharp picture changes much under a nine-pixel mean, a blurred one hardly; contrast cancels. A flat picture, in
    which
    nothing can be lost, has 1. Source: Crete, Dolmiere, Ladret and Nicolas 2007, "The blur effect".
    """
    return max(_blur_along_rows(luma), _blur_along_rows(np.ascontiguousarray(luma.T)))


def _blur_along_rows(luma: F32, width: int = 9) -> float:
    half = width // 2
    if len(luma) < 2:
        return 1.0
    padded = np.pad(luma, ((half + 1, half), (0, 0)), mode="edge")
    sums = np.cumsum(padded, 0, dtype=np.float64)
    smooth = (sums[width:] - sums[:-width]) / width
    steps = np.abs(np.diff(luma.astype(np.float64), axis=0))
    lost = np.maximum(steps - np.abs(np.diff(smooth, axis=0)), 0)
    total = float(steps.sum())
    return 1.0 if total < 1e-3 * steps.size / 255 else float(1 - lost.sum() / total)


def edge_density(luma: F32) -> float:
    """Share of inner pixels whose Sobel gradient is above 0.1 of the full range a pixel."""
    if min(luma.shape) < 3:
        return 0.0
    down = luma[:-2] + 2 * luma[1:-1] + luma[2:]
    across = luma[:, :-2] + 2 * luma[:, 1:-1] + luma[:, 2:]
    gradient = np.hypot(down[:, 2:] - down[:, :-2], across[2:] - across[:-2]) / 8
    return float((gradient > 0.1).mean())


def plain_border(rgb: F32) -> float:
    """Share of the outer twentieth (at least one pixel) within 0.08 of its own median colour, the farthest channel
    counting."""
    height, width = rgb.shape[:2]
    depth = max(min(height, width) // 20, 1)
    ring = np.ones((height, width), np.bool_)
    ring[depth : height - depth, depth : width - depth] = False
    border = rgb[ring]
    return float((np.abs(border - np.median(border, 0)).max(1) <= 0.08).mean())


def dominant_colour(image: Image.Image) -> str:
    """The colour name that most pixels of a small copy bear. The bounds between names are ours."""
    hue, saturation, value = np.asarray(image.convert("HSV"), np.float32).reshape(-1, 3).T
    degrees, saturation, value = hue * (360 / 255), saturation / 255, value / 255
    upper = np.array([15, 45, 70, 165, 195, 255, 290, 340])  # hue up to which a name holds
    by_hue = np.array("red orange yellow green cyan blue purple pink red".split())[
        np.searchsorted(upper, degrees, "right")
    ]
    pale = (saturation < 0.15) | (value < 0.15)
    brown = (by_hue == "orange") & (value < 0.6)
    pink = (by_hue == "red") & (saturation < 0.5) & (value > 0.7)
    greys = np.where(value < 0.2, "black", np.where(value > 0.85, "white", "grey"))
    names = np.where(pale, greys, np.where(brown, "brown", np.where(pink, "pink", by_hue)))
    counts = [int((names == colour).sum()) for colour in COLOURS]
    return COLOURS[int(np.argmax(counts))]
