"""Decode bytes to an upright RGB image, or raise the reason why not.

Unusual files: the EXIF orientation is applied; of an animation the first frame is taken; transparency
is laid on white; CMYK, palette, gray and other modes become RGB; 16-bit gray is scaled from 0-65535, and 32-bit
integers and floats from their own lowest to highest value; color profiles are ignored. Large images are shrunk while
decoding, to a short side of at least `SHORT_SIDE`.
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from core.data.images.headers import check_tags, checked_header, declared_size
from core.data.modality import Unreadable
from core.limits import Limits
from core.records import F64

# Pillow's warnings stay out of the log: what matters becomes the reason to reject that image
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

SHORT_SIDE = 896
"""Images are never shrunk below this while decoding, so an encoder with inputs up to half this size sees the same as
from the full file."""
MAX_ASPECT = 100
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")
"""The formats that are read, by Pillow's names; JPEG includes those of several images (MPO)."""
VERSION = "decoding 1"
"""Change it with anything that changes the pixels: it is part of the cache's key."""
_BYTES_PER_PIXEL = {"WEBP": 16, "AVIF": 9}
"""Peak memory of these decoders, measured; the others hold four or fewer."""
_LARGE_PIXELS = 25_000_000
_one_large_at_a_time = threading.Lock()
_STRIP_PIXELS = 2**22
_ORIENTATION = 0x0112
_WIDE_MODES = ("I", "F")  # 32-bit integers and floats


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """An upright RGB image with the size and format of its file."""

    image: Image.Image
    width: int
    """Of the file, upright, before any shrinking; pixels."""
    height: int
    file_format: str
    file_bytes: int


def open_picture(data: bytes, limits: Limits = Limits()) -> Image.Image:
    """Open an image by its header, its pixels still to be decoded. All bytes from users pass here: only `FORMATS` are
    tried, so that none reaches an outside program (as PostScript would) or a rarely used reader.

    Raises:
        Unreadable: the bytes are not an image, or declare more pixels than the limit.
    """
    try:
        _check_pixels(*declared_size(data[:64]), limits)
        image = Image.open(io.BytesIO(checked_header(data, limits)), formats=FORMATS)
    except UnidentifiedImageError:
        raise Unreadable(_unidentified(data)) from None
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
        raise Unreadable(f"is not a readable image ({_describe(error)}).") from error
    _check_pixels(*image.size, limits, image.format or "")
    return image


def upright_size(data: bytes, limits: Limits = Limits()) -> tuple[int, int]:
    """Read (width, height) of the image as it is shown, from its header.

    Raises:
        Unreadable: the header does not hold it, or see `open_picture`.
    """
    with open_picture(data, limits) as image:
        try:
            # Pillow gives a TIFF's size as it is shown
            turned = image.format != "TIFF" and _orientation(image) in range(5, 9)
        except Exception as error:
            raise Unreadable(f"is not a readable image ({_describe(error)}).") from error
        if turned:
            return image.height, image.width
        return image.size


def decode(data: bytes, limits: Limits = Limits()) -> DecodedPicture:
    """Decode the image in `data` to upright RGB.

    Raises:
        Unreadable: the bytes are not an image, are cut short, or hold more pixels than the limit or an extreme shape.
    """
    image = open_picture(data, limits)
    width, height = image.size
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise Unreadable(f"is {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide. Crop it.")
    file_format = image.format or "unknown"
    try:
        if width * height > _LARGE_PIXELS:
            with _one_large_at_a_time:
                upright = _upright_rgb(image)
        else:
            upright = _upright_rgb(image)
    except Exception as error:
        raise Unreadable(f"is damaged or cut short ({_describe(error)}).") from error
    if (upright.width > upright.height) != (width > height) and width != height:
        width, height = height, width
    return DecodedPicture(upright, width, height, file_format, len(data))


def _check_pixels(width: int, height: int, limits: Limits, file_format: str = "") -> None:
    max_pixels = limits.max_pixels
    kind = ""
    if file_format in _BYTES_PER_PIXEL:
        max_pixels = min(max_pixels, limits.max_decoder_bytes // _BYTES_PER_PIXEL[file_format])
        if max_pixels < limits.max_pixels:
            kind = f" for {file_format}"
    if width * height > max_pixels:
        raise Unreadable(f"has {width} x {height} pixels, above the limit of {max_pixels:,}{kind}. Shrink it.")


def _describe(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    return str(error)


def _unidentified(data: bytes) -> str:
    if not data:
        return "is empty."
    start = data[:512].lstrip().lower()
    if start.startswith((b"<svg", b"<?xml")):
        return "is a drawing (SVG or XML), not pixels. Export it as PNG."
    return "is not an image in a known format (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000). Save it as PNG."


def _upright_rgb(image: Image.Image) -> Image.Image:
    image.draft(None, (SHORT_SIDE, SHORT_SIDE))  # JPEG only: decodes at 1/2, 1/4 or 1/8 where that is enough
    if isinstance(image, Jpeg2KImageFile) and image.width * image.height > _LARGE_PIXELS:
        image.reduce = 1  # at full size, it takes over a gigabyte and half a minute
    image.load()
    factor = min(image.size) // SHORT_SIDE
    if factor >= 2 and image.mode not in ("P", "PA", "1") and not image.mode.startswith("I;"):
        kept = {key: image.info[key] for key in ("exif", "transparency") if key in image.info}
        image = Image.Image.reduce(image, factor)
        image.info.update(kept)
    with contextlib.suppress(Exception):  # the pixels count even if the EXIF block is broken
        if _orientation(image) in range(2, 9):
            image = ImageOps.exif_transpose(image)
    return to_rgb(image)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation number, 1 for upright.

    Raises:
        Unreadable, or what Pillow raises: the EXIF block is broken.
    """
    exif = image.info.get("exif")
    if isinstance(exif, bytes):
        check_tags(exif.removeprefix(b"Exif\0\0"), Limits())
    return image.getexif().get(_ORIENTATION, 1)


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image to RGB as if read from a file (see the top of this module).

    Work goes in strips: an image of a hundred million pixels would else be held four times, or as 8-byte numbers.
    """
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    rows = max(_STRIP_PIXELS // image.width, 1)
    strips = [(0, top, image.width, min(top + rows, image.height)) for top in range(0, image.height, rows)]
    low = 0.0
    high = 0.0
    if image.mode in _WIDE_MODES:
        ends = list[float]()
        for strip in strips:
            values = _numbers(image.crop(strip))
            ends += [float(values.min()), float(values.max())]
        low = min(ends)
        high = max(ends)
    whole = Image.new("RGB", image.size)
    for strip in strips:
        whole.paste(_strip_to_rgb(image.crop(strip), low, high), strip)
    return whole


def _numbers(image: Image.Image) -> F64:
    return np.nan_to_num(np.asarray(image, np.float64))


def _strip_to_rgb(image: Image.Image, low: float, high: float) -> Image.Image:
    """Convert one strip; 32-bit numbers are scaled from `low` and `high`, the extremes of the whole image."""
    if image.mode.startswith("I;"):
        grey = np.asarray(image, np.float32) / 257
        return Image.fromarray(np.rint(grey).astype(np.uint8)).convert("RGB")
    if image.mode in _WIDE_MODES:
        scaled = (_numbers(image) - low) * (255 / max(high - low, 1e-12))
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
