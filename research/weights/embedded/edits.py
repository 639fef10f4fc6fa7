"""Edits of an image, such as darker, blurred or in the rain: each gives the image and what it changes in its
labels."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from research.weights.embedded.grounds import SIDE, Rng

Labels = dict[str, float]


def _gain(image: Image.Image, gain: float, gamma: float = 1.0, lift: float = 0.0) -> Image.Image:
    pixels = (np.asarray(image, np.float32) / 255) ** gamma * gain + lift
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def darken(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    return _gain(image, rng.uniform(0.18, 0.55), rng.uniform(0.9, 1.4)), {"light": -1}


def brighten(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    if rng.random() < 0.5:
        return _gain(image, rng.uniform(1.4, 2.2)), {"light": 1}
    return _gain(image, 1, rng.uniform(0.35, 0.6), rng.uniform(0, 0.12)), {"light": 1}


def decolour(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    return image.convert("L").convert("RGB"), {"colour": -1, **dict.fromkeys(TINTS, 0.0)}


def saturate(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    return ImageEnhance.Color(image).enhance(rng.uniform(1.8, 3.0)), {"colour": 1}


def soften(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    if rng.random() < 0.65:
        return image.filter(ImageFilter.GaussianBlur(rng.uniform(1.8, 6))), {"blur": 1}
    length = int(rng.integers(9, 22))
    pixels = np.asarray(image, np.float32)
    axis = int(rng.integers(2))
    moved = np.mean([np.roll(pixels, k - length // 2, axis) for k in range(length)], 0)
    return Image.fromarray(moved.astype(np.uint8)), {"blur": 1}


def add_noise(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    pixels = np.asarray(image, np.float32)
    kind = rng.random()
    if kind < 0.8:
        shape = (*pixels.shape[:2], 3 if kind < 0.5 else 1)
        pixels = pixels + rng.normal(0, rng.uniform(14, 50), shape)
    else:
        specks = rng.random(pixels.shape[:2])
        share = rng.uniform(0.02, 0.1)
        pixels = np.where((specks < share)[..., None], 255 * (rng.random((*pixels.shape[:2], 1)) < 0.5), pixels)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), {"noise": 1}


TINTS: dict[str, tuple[float, float, float]] = {
    "red": (1, 0.12, 0.12),
    "orange": (1, 0.55, 0.1),
    "yellow": (1, 0.95, 0.15),
    "green": (0.15, 0.9, 0.2),
    "blue": (0.12, 0.3, 1),
    "purple": (0.6, 0.15, 0.85),
}


def tint(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    name = str(rng.choice(list(TINTS)))
    colour = np.clip(np.array(TINTS[name], np.float32) + rng.uniform(-0.07, 0.07, 3).astype(np.float32), 0, 1)
    pixels = np.asarray(image, np.float32) / 255
    strength = rng.uniform(0.3, 0.75)
    seen_through = pixels * (1 - strength + strength * colour * 1.4)
    washed_over = pixels * (1 - strength * 0.65) + colour * strength * 0.65
    pixels = seen_through if rng.random() < 0.5 else washed_over
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8)), {
        **dict.fromkeys(TINTS, 0.0),
        name: 1,
        "colour": np.nan,
        "light": np.nan,
    }


def flatten(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    level = rng.uniform(90, 190)
    keep = rng.uniform(0.2, 0.45)
    pixels = np.asarray(image, np.float32) * keep + level * (1 - keep)
    return Image.fromarray(pixels.astype(np.uint8)), {
        "contrast": -1,
        "light": np.nan,
        "colour": np.nan,
        "fog": np.nan,
        **dict.fromkeys(TINTS, np.nan),
    }


def harden(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    return ImageEnhance.Contrast(image).enhance(rng.uniform(1.8, 3)), {"contrast": 1, "colour": np.nan, "light": np.nan}


def turn(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    kind = int(rng.integers(4))
    if kind == 3:
        return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM), {"turned": 1}
    return image.transpose((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[kind]), {
        "turned": 1
    }


def befog(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    level = rng.uniform(170, 228)
    mist = np.array([level - 4, level, level + 3], np.float32)
    share = np.linspace(rng.uniform(0.35, 0.8), rng.uniform(0.25, 0.7), image.height, dtype=np.float32)[:, None, None]
    pixels = np.asarray(image, np.float32) * (1 - share) + mist * share
    thick = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    thick = thick.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))
    return thick, {"fog": 1, "contrast": np.nan, "light": np.nan, "colour": np.nan, "blur": np.nan}


def let_snow(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    mask = Image.new("L", (2 * SIDE, 2 * SIDE))
    draw = ImageDraw.Draw(mask)
    largest = rng.uniform(4, 9)
    for x, y, u, v in rng.random((int(rng.integers(90, 420)), 4)):
        r = 1.3 + largest * u**3
        draw.ellipse(
            (2 * SIDE * x - r, 2 * SIDE * y - r, 2 * SIDE * x + r, 2 * SIDE * y + r), fill=int(255 * (0.5 + 0.5 * v))
        )
    mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6))).resize((SIDE, SIDE), Image.Resampling.BOX)
    veiled = Image.blend(image, Image.new("RGB", image.size, (226, 232, 240)), rng.uniform(0, 0.28))
    return Image.composite(Image.new("RGB", image.size, (250, 252, 255)), veiled, mask), {
        "snowfall": 1,
        "light": np.nan,
        "noise": np.nan,
        "contrast": np.nan,
    }


def let_rain(image: Image.Image, rng: Rng) -> tuple[Image.Image, Labels]:
    mask = Image.new("L", (2 * SIDE, 2 * SIDE))
    draw = ImageDraw.Draw(mask)
    slant = rng.uniform(-0.35, 0.35)
    longest = rng.uniform(30, 80)
    for x, y, u, v in rng.random((int(rng.integers(120, 420)), 4)):
        x0 = 2 * SIDE * x
        y0 = 2 * SIDE * (1.2 * y - 0.2)
        length = longest * (0.4 + 0.6 * u)
        draw.line(
            (x0, y0, x0 + slant * length, y0 + length), fill=int(255 * (0.25 + 0.45 * v)), width=int(rng.integers(1, 4))
        )
    mask = mask.filter(ImageFilter.GaussianBlur(0.6)).resize((SIDE, SIDE), Image.Resampling.BOX)
    dull = Image.blend(
        _gain(image, rng.uniform(0.6, 0.95)), Image.new("RGB", image.size, (120, 128, 138)), rng.uniform(0.1, 0.35)
    )
    return Image.composite(Image.new("RGB", image.size, (215, 222, 232)), dull, mask), {
        "rain": 1,
        "light": np.nan,
        "colour": np.nan,
        "noise": np.nan,
        "contrast": np.nan,
    }


EDITS: tuple[Callable[[Image.Image, Rng], tuple[Image.Image, Labels]], ...] = (
    *(
        darken,
        brighten,
        decolour,
        saturate,
        soften,
        add_noise,
        tint,
        tint,
        flatten,
        harden,
        turn,
        turn,
        befog,
        let_snow,
        let_rain,
    ),
)
"""A tint is drawn twice as often, as it is six words; a turn too, as it is the hardest to see."""


def edited(image: Image.Image, labels: Labels, rng: Rng, n: int) -> tuple[Image.Image, Labels]:
    """`n` different edits one after the other, in an order in which the later does not undo the earlier."""
    for k in sorted(
        rng.choice(len(EDITS), n, replace=False), key=lambda k: (EDITS[k] is add_noise, EDITS[k] is soften)
    ):
        image, change = EDITS[k](image, rng)
        labels = {
            **labels,
            **{name: value for name, value in change.items() if not (np.isnan(value) and labels.get(name, 0) != 0)},
        }
    return image, labels


def stored(image: Image.Image, rng: Rng) -> Image.Image:
    """After a JPEG of random quality, as photographs come."""
    memory = io.BytesIO()
    image.save(memory, "JPEG", quality=int(rng.integers(60, 97)))
    return Image.open(memory).convert("RGB")
