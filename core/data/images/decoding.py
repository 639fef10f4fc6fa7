"""From encoded bytes to an upright RGB image, or to the reason why not.

What is done to unusual files: the EXIF orientation is applied; of an animation the first frame is taken; transparency
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

# what Pillow finds odd in an image is said of that image, or is no matter: nothing of it is for the log
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

SHORT_SIDE = 896
"""Images are never shrunk below this while decoding, so encoders see the same as from the full file for any input up
to half of it."""
MAX_ASPECT = 100
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")
"""The formats that are read, by Pillow's names; JPEG includes those of several images (MPO)."""
VERSION = "decoding 1"
"""Change it with anything that changes the pixels: it is part of the cache's key."""
_BYTES_A_PIXEL = {"WEBP": 16, "AVIF": 9}
"""What their decoders hold at a time, measured; the others hold four or fewer."""
_LARGE = 25_000_000
_one_large_at_a_time = threading.Lock()
_STRIP = 2**22  # pixels
_ORIENTATION = 0x0112
_WIDE = ("I", "F")  # 32-bit integers and floats


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """An upright RGB image and what its file said about it."""

    image: Image.Image
    width: int
    """Of the file, upright, before any shrinking; pixels."""
    height: int
    file_format: str
    file_bytes: int


def open_picture(data: bytes, limits: Limits = Limits()) -> Image.Image:
    """The image by its header, its pixels still to be decoded. The one door for bytes that somebody brought: only
    `FORMATS` are tried, so that none reaches a program outside (as PostScript would) or a reader that is rarely used.

    Raises:
        Unreadable: the bytes are no image, or declare more pixels than the limit.
    """
    try:
        _check_pixels(*declared_size(data[:64]), limits)
        image = Image.open(io.BytesIO(checked_header(data, limits)), formats=FORMATS)
    except UnidentifiedImageError:
        raise Unreadable(_unidentified(data)) from None
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
        raise Unreadable(f"is not a readable image ({_why(error)}).") from error
    _check_pixels(*image.size, limits, image.format or "")
    return image


def upright_size(data: bytes, limits: Limits = Limits()) -> tuple[int, int]:
    """(width, height) of the image as it is shown, from its header.

    Raises:
        Unreadable: no header says it, or see `open_picture`.
    """
    with open_picture(data, limits) as image:
        try:
            # of a TIFF Pillow gives the size as it is shown
            turned = image.format != "TIFF" and _orientation(image) in range(5, 9)
        except Exception as error:
            raise Unreadable(f"is not a readable image ({_why(error)}).") from error
        return (image.height, image.width) if turned else image.size


def decode(data: bytes, limits: Limits = Limits()) -> DecodedPicture:
    """The image in `data`, upright and RGB.

    Raises:
        Unreadable: the bytes are no image, are cut short, or hold more pixels than the limit or an extreme shape.
    """
    image = open_picture(data, limits)
    width, height = image.size
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
        raise Unreadable(f"is damaged or cut short ({_why(error)}).") from error
    if (upright.width > upright.height) != (width > height) and width != height:
        width, height = height, width
    return DecodedPicture(upright, width, height, file_format, len(data))


def _check_pixels(width: int, height: int, limits: Limits, file_format: str = "") -> None:
    most = limits.max_pixels
    if file_format in _BYTES_A_PIXEL:
        most = min(most, limits.max_decoder_bytes // _BYTES_A_PIXEL[file_format])
    if width * height > most:
        kind = f" of a {file_format} file" if most < limits.max_pixels else ""
        raise Unreadable(f"has {width} x {height} pixels, more than the {most:,} that are read{kind}.")


def _why(error: Exception) -> str:
    return "there is not enough memory" if isinstance(error, MemoryError) else str(error)


def _unidentified(data: bytes) -> str:
    if not data:
        return "is empty."
    start = data[:512].lstrip().lower()
    if start.startswith((b"<svg", b"<?xml")):
        return "is a drawing (SVG or XML), not pixels: export it as PNG."
    return "is not an image in a format that is known here (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000)."


def _upright_rgb(image: Image.Image) -> Image.Image:
    image.draft(None, (SHORT_SIDE, SHORT_SIDE))  # JPEG only: decodes at 1/2, 1/4 or 1/8 where that is enough
    if isinstance(image, Jpeg2KImageFile) and image.width * image.height > _LARGE:
        image.reduce = 1  # whole, it takes over a gigabyte and half a minute
    image.load()
    factor = min(image.size) // SHORT_SIDE
    if factor >= 2 and image.mode not in ("P", "PA", "1") and not image.mode.startswith("I;"):
        image = _keep_orientation(Image.Image.reduce(image, factor), image)
    with contextlib.suppress(Exception):  # a broken EXIF block is no reason to refuse the pixels
        image = ImageOps.exif_transpose(image) if _orientation(image) in range(2, 9) else image
    return to_rgb(image)


def _orientation(image: Image.Image) -> int:
    """As EXIF numbers it, 1 for upright.

    Raises:
        Unreadable, or what Pillow raises: the EXIF block is broken.
    """
    exif = image.info.get("exif")
    if isinstance(exif, bytes):
        check_tags(exif.removeprefix(b"Exif\0\0"), Limits())
    return image.getexif().get(_ORIENTATION, 1)


def _keep_orientation(reduced: Image.Image, original: Image.Image) -> Image.Image:
    reduced.info.update({key: original.info[key] for key in ("exif", "transparency") if key in original.info})
    return reduced


def to_rgb(image: Image.Image) -> Image.Image:
    """The image as it is read from a file (above).

    In strips: one of a hundred million pixels would else be held four times, or as numbers of 8 bytes.
    """
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    rows = max(_STRIP // image.width, 1)
    strips = [(0, top, image.width, min(top + rows, image.height)) for top in range(0, image.height, rows)]
    low = 0.0
    high = 0.0
    if image.mode in _WIDE:
        ends = [(float(values.min()), float(values.max())) for values in map(_numbers, map(image.crop, strips))]
        low = min(lowest for lowest, _ in ends)
        high = max(highest for _, highest in ends)
    whole = Image.new("RGB", image.size)
    for strip in strips:
        whole.paste(_strip_to_rgb(image.crop(strip), low, high), strip)
    return whole


def _numbers(image: Image.Image) -> F64:
    return np.nan_to_num(np.asarray(image, np.float64))


def _strip_to_rgb(image: Image.Image, low: float, high: float) -> Image.Image:
    """Numbers of 32 bits are scaled from `low` and `high`, the ends of the whole image."""
    if image.mode.startswith("I;"):
        grey = np.asarray(image, np.float32) / 257
        return Image.fromarray(np.rint(grey).astype(np.uint8)).convert("RGB")
    if image.mode in _WIDE:
        scaled = (_numbers(image) - low) * (255 / max(high - low, 1e-12))
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
