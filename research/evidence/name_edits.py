"""Corruptions of photographs for the benchmark of names: by other code, at other strengths, than what the encoder was
fitted on."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from core.records import F64

Rng = np.random.Generator
Edit = Callable[[Image.Image, Rng], Image.Image]
WORDS = ("SALE", "No. 47", "HOTEL", "March 1998", "open daily", "PROOF", "exit 12", "new stock")


def _pixels(image: Image.Image) -> F64:
    return np.asarray(image, np.float64) / 255


def _picture(pixels: F64) -> Image.Image:
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))


def grey(image: Image.Image, rng: Rng) -> Image.Image:
    weights = np.array([0.25, 0.6, 0.15])
    return _picture(np.repeat((_pixels(image) @ weights)[..., None], 3, axis=2))


def sepia(image: Image.Image, rng: Rng) -> Image.Image:
    return ImageOps.colorize(image.convert("L"), "#22140a", "#f7e6c2", mid="#a07a4e")


def dark(image: Image.Image, rng: Rng) -> Image.Image:
    return _picture(_pixels(image) ** 1.6 * rng.uniform(0.28, 0.42))


def bright(image: Image.Image, rng: Rng) -> Image.Image:
    return _picture(1 - (1 - _pixels(image)) ** rng.uniform(2.6, 3.6))


def low_contrast(image: Image.Image, rng: Rng) -> Image.Image:
    pixels = _pixels(image)
    return _picture(pixels.mean() + (pixels - pixels.mean()) * rng.uniform(0.18, 0.28))


def blur(image: Image.Image, rng: Rng) -> Image.Image:
    side = round(min(image.size) / rng.uniform(4.5, 6.5))
    return image.resize((side, side), Image.Resampling.BOX).resize(image.size, Image.Resampling.BICUBIC)


def motion(image: Image.Image, rng: Rng) -> Image.Image:
    reach = int(rng.integers(14, 22))
    wide = ImageOps.expand(image, reach)
    moved = [np.asarray(ImageChops.offset(wide, k, k // 3), np.float64) for k in range(-reach // 2, reach // 2 + 1)]
    return _picture(np.mean(moved, axis=0)[reach:-reach, reach:-reach] / 255)


def noise(image: Image.Image, rng: Rng) -> Image.Image:
    pixels = _pixels(image)
    return _picture(pixels + rng.normal(0, rng.uniform(0.1, 0.17), pixels.shape))


def specks(image: Image.Image, rng: Rng) -> Image.Image:
    pixels = _pixels(image).copy()
    drawn = rng.random(image.size[::-1])
    pixels[drawn < 0.04], pixels[drawn > 0.96] = 0, 1
    return _picture(pixels)


def tint(red: float, green: float, blue_: float) -> Edit:
    """The image through a gel of that color."""

    def edit(image: Image.Image, rng: Rng) -> Image.Image:
        gel = np.array([red, green, blue_])
        strength = rng.uniform(0.6, 0.8)
        return _picture(_pixels(image) * (1 - strength + strength * gel) + 0.12 * strength * gel)

    return edit


def upside_down(image: Image.Image, rng: Rng) -> Image.Image:
    return image.transpose(Image.Transpose.ROTATE_180)


def quarter_turn(image: Image.Image, rng: Rng) -> Image.Image:
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)
    return image.transpose(turns[int(rng.integers(2))])


def fog(image: Image.Image, rng: Rng) -> Image.Image:
    height, width = image.size[::-1]
    patches = _picture(rng.uniform(0.35, 1, (5, 5, 1)).repeat(3, 2)).resize((width, height), Image.Resampling.BICUBIC)
    share = 0.5 * _pixels(patches) + np.linspace(0.45, 0.2, height)[:, None, None]
    return _picture(_pixels(image) * (1 - share) + share * rng.uniform(0.78, 0.86))


def snowfall(image: Image.Image, rng: Rng) -> Image.Image:
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    for x, y, size in rng.random((int(rng.integers(150, 260)), 3)):
        left = x * image.width
        top = y * image.height
        r = 0.8 + 2.8 * size**2
        draw.ellipse((left - r, top - 1.3 * r, left + r, top + 1.3 * r), fill=int(170 + 80 * size))
    pale = Image.blend(image, Image.new("RGB", image.size, "#dfe6ee"), 0.15)
    return Image.composite(Image.new("RGB", image.size, "white"), pale, mask.filter(ImageFilter.GaussianBlur(0.5)))


def compressed(image: Image.Image, rng: Rng) -> Image.Image:
    memory = io.BytesIO()
    image.save(memory, "JPEG", quality=int(rng.integers(3, 7)))
    return Image.open(memory).convert("RGB")


def pixelated(image: Image.Image, rng: Rng) -> Image.Image:
    side = round(min(image.size) / rng.uniform(9, 13))
    return image.resize((side, side), Image.Resampling.BOX).resize(image.size, Image.Resampling.NEAREST)


def framed(image: Image.Image, rng: Rng) -> Image.Image:
    width = round(image.width * rng.uniform(0.09, 0.13))
    inner = image.resize((image.width - 2 * width, image.height - 2 * width))
    return ImageOps.expand(inner, width, fill=("black", "white")[int(rng.integers(2))])


def lettered(image: Image.Image, rng: Rng) -> Image.Image:
    made = image.copy()
    draw = ImageDraw.Draw(made)
    for _ in range(3):
        where = (rng.uniform(0, 0.5) * image.width, rng.uniform(0, 0.85) * image.height)
        words = WORDS[int(rng.integers(len(WORDS)))]
        size = image.width * rng.uniform(0.11, 0.16)
        draw.text(where, words, fill="white", font_size=size, stroke_width=2, stroke_fill="black")
    return made


def covered(image: Image.Image, rng: Rng) -> Image.Image:
    made = image.copy()
    share = rng.uniform(0.55, 0.68)
    left, top = (rng.uniform(0.08, 0.92 - share) for _ in range(2))
    box = [round(v * image.width) for v in (left, top, left + share, top + share)]
    ImageDraw.Draw(made).rectangle(box, fill=tuple(int(v) for v in rng.integers(40, 216, 3)))
    return made


def inverted(image: Image.Image, rng: Rng) -> Image.Image:
    return ImageOps.invert(image)


def close_up(image: Image.Image, rng: Rng) -> Image.Image:
    side = image.width * rng.uniform(0.24, 0.32)
    x, y = (rng.uniform(0.3, 0.7) * image.width - side / 2 for _ in range(2))
    return image.resize(image.size, Image.Resampling.BICUBIC, (x, y, x + side, y + side))


def vivid(image: Image.Image, rng: Rng) -> Image.Image:
    return ImageEnhance.Color(image).enhance(rng.uniform(3.2, 4.2))


EDITS: Mapping[str, Edit] = {
    "grey": grey,
    "sepia": sepia,
    "dark": dark,
    "bright": bright,
    "low contrast": low_contrast,
    "blur": blur,
    "motion blur": motion,
    "noise": noise,
    "specks": specks,
    "red tint": tint(1, 0.2, 0.25),
    "green tint": tint(0.25, 1, 0.3),
    "blue tint": tint(0.2, 0.35, 1),
    "yellow tint": tint(1, 0.92, 0.25),
    "upside down": upside_down,
    "quarter turn": quarter_turn,
    "fog": fog,
    "snowfall": snowfall,
    "compressed": compressed,
    "pixelated": pixelated,
    "framed": framed,
    "lettered": lettered,
    "covered": covered,
    "inverted": inverted,
    "close-up": close_up,
    "vivid": vivid,
}
"""Each gives an RGB image of the same size."""
