"""Photographs, each changed in one known way, to measure whether an encoder knows a word for light, color, sharpness,
weather or framing. The embedded encoder was not fitted on these edits, and its names are not tested with them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from core.records import F32, ItemStore

Pixels = npt.NDArray[np.floating[Any]]
Edit = Callable[[Image.Image, np.random.Generator], Image.Image]
SIDE = 224
QUALITY = 90


def _shades(change: Callable[[F32, np.random.Generator], Pixels]) -> Edit:
    """An edit of the (h, w, 3) pixels, in 0 to 1."""

    def edit(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        pixels = change(np.asarray(image, np.float32) / np.float32(255), rng)
        return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))

    return edit


def _cast(*colour: float) -> Edit:
    """A color cast over everything, like a wrong white balance or a colored lamp."""
    target = np.array(colour, np.float32)
    return _shades(lambda p, rng: p * (1 + rng.uniform(0.55, 0.85) * (target - 1)) + 0.08 * target)


def _towards(level: float, low: float, high: float) -> Edit:
    """All pixels moved toward one level of gray."""
    return _shades(lambda p, rng: level + (p - level) * rng.uniform(low, high))


def _less_colour(low: float, high: float) -> Edit:
    def change(pixels: F32, rng: np.random.Generator) -> Pixels:
        luma = pixels.mean(2, keepdims=True)
        return luma + (pixels - luma) * rng.uniform(low, high)

    return _shades(change)


def _sepia(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.colorize(ImageOps.grayscale(image), "#1a0f05", "#fff0d2", mid="#9a7146")


def _blurred(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(2.2, 4.5)))


def _smeared(pixels: F32, rng: np.random.Generator) -> Pixels:
    length = int(rng.integers(11, 20))
    return np.stack([np.roll(pixels, k, axis=1) for k in range(length)]).mean(0)


def _grained(pixels: F32, rng: np.random.Generator) -> Pixels:
    # 3 channels: colored noise, as of a small sensor; 1: gray grain, as of film
    channels = 1
    if rng.random() < 0.6:
        channels = 3
    return pixels + rng.normal(0, rng.uniform(0.07, 0.2), (*pixels.shape[:2], channels))


def _turned(*turns: Image.Transpose) -> Edit:
    return lambda image, rng: image.transpose(turns[int(rng.integers(len(turns)))])


def _misty(pixels: F32, rng: np.random.Generator) -> Pixels:
    veil = np.linspace(rng.uniform(0.6, 0.8), rng.uniform(0.25, 0.5), len(pixels), dtype=np.float32)[:, None, None]
    return pixels * (1 - veil) + veil * rng.uniform(0.72, 0.88)


def _falling(length: float, width: float, pale: float) -> Edit:
    """Flakes or streaks in front of the image."""

    def edit(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        mask = Image.new("L", image.size)
        slant = rng.uniform(-0.25, 0.25)
        draw = ImageDraw.Draw(mask)
        for x, y, size in rng.random((int(rng.integers(140, 300)), 3)) * (*image.size, 1):
            reach = length * (0.5 + size)
            r = width * (0.5 + size)
            draw.line((x, y, x + slant * reach, y + reach), fill=int(120 + 130 * size), width=max(1, round(2 * r)))
        veiled = Image.blend(image, Image.new("RGB", image.size, "#cfd6de"), pale)
        return Image.composite(Image.new("RGB", image.size, "#f8fafc"), veiled, mask.filter(ImageFilter.BoxBlur(0.6)))

    return edit


def _squeezed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    memory = io.BytesIO()
    image.save(memory, "JPEG", quality=int(rng.integers(4, 9)))
    return Image.open(memory).convert("RGB")


def _coarse(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = int(rng.integers(16, 30))
    return image.resize((side, side), Image.Resampling.BILINEAR).resize(image.size, Image.Resampling.NEAREST)


def _bordered(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    width = int(image.width * rng.uniform(0.07, 0.12))
    colour = ("black", "white", "#806040")[int(rng.integers(3))]
    side = image.width - 2 * width
    return ImageOps.expand(image.resize((side, side)), width, fill=colour)


def _written(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    edited = image.copy()
    draw = ImageDraw.Draw(edited)
    for word in rng.choice(["ENTRANCE", "Caution", "grand opening", "2 for 1", "SAMPLE", "Page 12"], 3, replace=False):
        corner = (rng.uniform(0, 0.4) * edited.width, rng.uniform(0, 0.88) * edited.height)
        draw.text(corner, str(word), fill=("yellow", "white", "black")[int(rng.integers(3))], font_size=30)
    return edited


def _hidden(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    edited = image.copy()
    x = rng.uniform(0.05, 0.35)
    y = rng.uniform(0.05, 0.35)
    share = rng.uniform(0.5, 0.65)
    box = tuple(round(v * edited.width) for v in (x, y, x + share, y + share))
    ImageDraw.Draw(edited).ellipse(box, fill=tuple(int(v) for v in rng.integers(20, 236, 3)))
    return edited


def _near(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = image.width * rng.uniform(0.25, 0.38)
    x, y = (rng.uniform(0.3, 0.7) * image.width - side / 2 for _ in range(2))
    return image.resize(image.size, Image.Resampling.LANCZOS, (x, y, x + side, y + side))


EDITS: Mapping[str, Edit] = {
    "dark": _shades(lambda p, rng: p**1.3 * rng.uniform(0.2, 0.4)),
    "overexposed": _shades(lambda p, rng: p * rng.uniform(1.8, 2.6) + 0.12),
    "without colour": _less_colour(0, 0.001),
    "faded": _less_colour(0.25, 0.45),
    "vivid": _less_colour(2.2, 3.2),
    "sepia": _sepia,
    "low contrast": _towards(0.5, 0.2, 0.35),
    "high contrast": _towards(0.5, 2.2, 3.2),
    "inverted": _shades(lambda p, rng: 1 - p),
    "red": _cast(1, 0.25, 0.2),
    "green": _cast(0.3, 1, 0.3),
    "blue": _cast(0.2, 0.4, 1),
    "yellow": _cast(1, 0.95, 0.2),
    "blurred": _blurred,
    "smeared": _shades(_smeared),
    "noisy": _shades(_grained),
    "upside down": _turned(Image.Transpose.ROTATE_180),
    "quarter turn": _turned(Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270),
    "fog": _shades(_misty),
    "snow": _falling(2, 1.1, 0.18),
    "rain": _falling(26, 0.3, 0.3),
    "compressed": _squeezed,
    "pixelated": _coarse,
    "border": _bordered,
    "text": _written,
    "hidden": _hidden,
    "close up": _near,
}
"""Each turns an image into a square RGB image of 224 pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class EditedStore(ItemStore):
    """Images of another store, edited as they are read, always to the same bytes."""

    base: ItemStore
    edits: tuple[tuple[int, str], ...]
    """(row of `base`, name of the edit) of each image."""

    def __len__(self) -> int:
        return len(self.edits)

    def name(self, index: int) -> str:
        row, edit = self.edits[index]
        return f"{self.base.name(row)} ({edit})"

    def read(self, index: int) -> bytes:
        """The edited image as JPEG."""
        from core.data.images.decoding import open_picture

        row, edit = self.edits[index]
        image = ImageOps.fit(open_picture(self.base.read(row)).convert("RGB"), (SIDE, SIDE), Image.Resampling.BICUBIC)
        rng = np.random.default_rng([row, sorted(EDITS).index(edit)])
        memory = io.BytesIO()
        EDITS[edit](image, rng).save(memory, "JPEG", quality=QUALITY)
        return memory.getvalue()
