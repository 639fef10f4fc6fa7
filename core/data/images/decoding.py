"""From encoded bytes to an upright RGB picture, or to the reason why not.

What is done to unusual files: the EXIF orientation is applied; of an animation the first frame is taken; transparency
is laid on white; CMYK, palette, grey and other modes become RGB; 16-bit grey is scaled from 0-65535, and 32-bit
integers and floats from their own lowest to highest value; colour profiles are ignored. Large pictures are shrunk while
decoding, to a short side of at least `SHORT_SIDE`.
"""

from __future__ import annotations

import contextlib
import io
import threading
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.data.modality import Unreadable
from core.limits import Limits

SHORT_SIDE = 896
"""Pictures are never shrunk below this while decoding, so encoders see the same as from the full file for any input up
to half of it."""
MAX_ASPECT = 100
VERSION = "decoding 1"
"""Change it with anything that changes the pixels: it is part of the cache's key."""
_LARGE = 25_000_000
_one_large_at_a_time = threading.Lock()
_WIDE = ("I", "F")  # 32-bit integers and floats


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """An upright RGB picture and what its file said about it."""

    image: Image.Image
    width: int
    """Of the file, upright, before any shrinking; pixels."""
    height: int
    file_format: str
    file_bytes: int


def decode(data: bytes, limits: Limits = Limits()) -> DecodedPicture:
    """The picture in `data`, upright and RGB.

    Raises:
        Unreadable: the bytes are no picture, are cut short, or hold more pixels than the limit or an extreme shape.
    """
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise Unreadable(_unidentified(data)) from None
    except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
        raise Unreadable(f"is not a readable picture ({error}).") from error
    width, height = image.size
    if width * height > limits.max_pixels:
        raise Unreadable(f"has {width} x {height} pixels, more than the {limits.max_pixels:,} that are read.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise Unreadable(f"is {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide.")
    file_format = image.format or "unknown"
    try:
        if width * height > _LARGE:
            with _one_large_at_a_time:
                upright = _upright_rgb(image)
        else:
            upright = _upright_rgb(image)
    except Exception as error:
        raise Unreadable(f"is damaged or cut short ({error}).") from error
    if (upright.width > upright.height) != (width > height) and width != height:
        width, height = height, width
    return DecodedPicture(upright, width, height, file_format, len(data))


def _unidentified(data: bytes) -> str:
    if not data:
        return "is empty."
    start = data[:512].lstrip().lower()
    if start.startswith((b"<svg", b"<?xml")):
        return "is a drawing (SVG or XML), not pixels: export it as PNG."
    return "is not a picture in a format that is known here (JPEG, PNG, WebP, GIF, TIFF, BMP and others are)."


def _upright_rgb(image: Image.Image) -> Image.Image:
    image.draft(None, (SHORT_SIDE, SHORT_SIDE))  # JPEG only: decodes at 1/2, 1/4 or 1/8 where that is enough
    image.load()
    factor = min(image.size) // SHORT_SIDE
    if factor >= 2 and image.mode not in ("P", "PA", "1") and not image.mode.startswith("I;"):
        image = _keep_orientation(image.reduce(factor), image)
    with contextlib.suppress(Exception):  # a broken EXIF block is no reason to refuse the pixels
        image = ImageOps.exif_transpose(image)
    return _to_rgb(image)


def _keep_orientation(reduced: Image.Image, original: Image.Image) -> Image.Image:
    reduced.info.update({key: original.info[key] for key in ("exif", "transparency") if key in original.info})
    return reduced


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;"):
        grey = np.asarray(image, np.float32) / 257
        return Image.fromarray(np.rint(grey).astype(np.uint8)).convert("RGB")
    if image.mode in _WIDE:
        values = np.nan_to_num(np.asarray(image, np.float64))
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
