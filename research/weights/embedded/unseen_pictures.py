"""What `measure_words.py` tests with: edits of photographs, and stamps over photographs. Other code and strengths than
in the fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

SIDE = 224
Rng = np.random.Generator
FITTED_GROUNDS = ("ocean-waves", "lake-sherburne", "tea-gardens", "extreme-desert-hike", "beacon-street-sunset")
UNUSABLE = ("Dune", "mossy_bark", "burnt_bark")
WORD_OF = {
    "water": "on water",
    "grass": "on grass",
    "forest": "in a forest",
    "desert": "in the desert",
    "sky": "in the sky",
    "mountain": "in the mountains",
    "city": "in the city",
    "indoor": "indoors",
}


def read_square(path: Path) -> Image.Image:
    """The largest centered square, 224 pixels."""
    return ImageOps.fit(Image.open(path).convert("RGB"), (SIDE, SIDE), Image.Resampling.BICUBIC)


def _table(image: Image.Image, curve: Callable[[float], float]) -> Image.Image:
    return image.point([int(min(max(curve(v / 255), 0), 1) * 255) for v in range(256)] * 3)


def dark(image: Image.Image, rng: Rng) -> Image.Image:
    return _table(image, lambda v: 0.38 * v) if rng.random() < 0.5 else _table(image, lambda v: 0.8 * v**2.2)


def bright(image: Image.Image, rng: Rng) -> Image.Image:
    return _table(image, lambda v: 1.7 * v) if rng.random() < 0.5 else _table(image, lambda v: 0.1 + 0.9 * v**0.5)


def noisy(image: Image.Image, rng: Rng) -> Image.Image:
    grain = rng.normal(0, rng.choice([15.0, 25.0, 40.0]), (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(np.asarray(image, np.float32) + grain, 0, 255).astype(np.uint8))


def blurred(image: Image.Image, rng: Rng) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(2.5)) if rng.random() < 0.6 else image.filter(ImageFilter.BoxBlur(4))


def tinted(colour: str) -> Callable[[Image.Image, Rng], Image.Image]:
    """Halfway to the image seen through a sheet of that color."""

    def edit(image: Image.Image, rng: Rng) -> Image.Image:
        sheet = Image.new("RGB", image.size, colour)
        return Image.blend(image, Image.blend(ImageChops.multiply(image, sheet), sheet, 0.3), rng.uniform(0.4, 0.7))

    return edit


def upside_down(image: Image.Image, rng: Rng) -> Image.Image:
    return image.rotate(180)


def rotated(image: Image.Image, rng: Rng) -> Image.Image:
    return image.rotate(int(rng.choice([90, 270])))


def foggy(image: Image.Image, rng: Rng) -> Image.Image:
    depth = np.linspace(1.6, 0.5, SIDE)[:, None, None] * rng.uniform(0.5, 1.1)
    clear = np.exp(-depth)
    return Image.fromarray((np.asarray(image, np.float32) * clear + 208 * (1 - clear)).astype(np.uint8))


def snowy(image: Image.Image, rng: Rng) -> Image.Image:
    mask = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(mask)
    for x, y, u in rng.random((220, 3)):
        r = 0.7 + 2.4 * u**2
        draw.ellipse((SIDE * x - r, SIDE * y - r, SIDE * x + r, SIDE * y + r), fill=int(150 + 105 * u))
    return Image.composite(Image.new("RGB", image.size, "white"), image, mask.filter(ImageFilter.GaussianBlur(0.6)))


def rainy(image: Image.Image, rng: Rng) -> Image.Image:
    drops = Image.fromarray((255 * (rng.random((SIDE, SIDE)) > 0.988)).astype(np.uint8))
    kernel = int(rng.integers(9, 18))
    pixels = np.asarray(drops, np.float32)
    streaks = sum(np.roll(np.roll(pixels, k, 0), k // 5, 1) for k in range(kernel)) * 0.5
    return Image.fromarray(
        np.clip(0.75 * np.asarray(image, np.float32) + 20 + np.minimum(streaks, 110)[..., None], 0, 255).astype(
            np.uint8
        )
    )


EDITS: dict[str, Callable[[Image.Image, Rng], Image.Image]] = {
    "dark": dark,
    "bright": bright,
    "black-and-white": lambda image, rng: ImageOps.grayscale(image).convert("RGB"),
    "blurred": blurred,
    "noisy": noisy,
    **{
        f"{name} tint": tinted(colour)
        for name, colour in {
            "red": "#e02020",
            "green": "#20c040",
            "blue": "#2050e0",
            "yellow": "#f0e020",
            "orange": "#f08010",
            "purple": "#9020c0",
        }.items()
    },
    "upside-down": upside_down,
    "rotated": rotated,
    "fog": foggy,
    "snowfall": snowy,
    "rain": rainy,
}


class Scenes:
    """Photographic stamps over photographs that the fit has not seen; other words as positives than as negatives."""

    words = (
        "small object",
        "plain background",
        "busy background",
        "on grass",
        "in the city",
        "in a forest",
        "on water",
        "in the desert",
        "indoors",
        "in the sky",
        "in the mountains",
    )

    def __init__(self, data: Path, stamps_folder: Path) -> None:
        stamps = pd.read_csv(data / "tuxpaint_stamps" / "index.csv")
        self.stamps = [stamps_folder / file for file in stamps["source"] if (stamps_folder / file).exists()]
        grounds = pd.read_csv(data / "backgrounds" / "index.csv")
        grounds = grounds[~grounds["name"].isin((*FITTED_GROUNDS, *UNUSABLE)) & (grounds["environment"] != "texture")]
        self.grounds = {
            word: [
                Image.open(data / "backgrounds" / f).convert("RGB")
                for f in grounds[grounds["environment"] == e]["file"]
            ]
            for e, word in WORD_OF.items()
        }
        self.cut: dict[int, Image.Image] = {}

    def _stamp(self, rng: Rng) -> Image.Image:
        k = int(rng.integers(len(self.stamps)))
        if k not in self.cut:
            self.cut[k] = Image.open(self.stamps[k]).convert("RGBA")
        return self.cut[k]

    def _ground(self, word: str, rng: Rng) -> Image.Image:
        photo = self.grounds[word][int(rng.integers(len(self.grounds[word])))]
        side = min(photo.size) * rng.uniform(0.6, 1)
        x = rng.uniform(0, photo.width - side)
        y = rng.uniform(0, photo.height - side)
        return photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, (x, y, x + side, y + side))

    def _put(self, image: Image.Image, share: float, rng: Rng, place: tuple[float, float] | None = None) -> None:
        stamp = self._stamp(rng)
        scale = share * SIDE / max(stamp.size)
        stamp = stamp.resize(
            (max(1, round(stamp.width * scale)), max(1, round(stamp.height * scale))), Image.Resampling.LANCZOS
        )
        x, y = place or (rng.uniform(share / 2, 1 - share / 2), rng.uniform(share / 2, 1 - share / 2))
        image.paste(
            stamp.convert("RGB"),
            (round(x * SIDE - stamp.width / 2), round(y * SIDE - stamp.height / 2)),
            stamp.getchannel("A"),
        )

    def draw(self, word: str, shown: bool, n: int) -> list[Image.Image]:
        """`n` images that have, or have not, what the word says; all else is drawn alike."""
        rng = np.random.default_rng(len(word) * 2 + shown)
        return [self._one(word, shown, rng) for _ in range(n)]

    def _one(self, word: str, shown: bool, rng: Rng) -> Image.Image:
        places = list(self.grounds)
        if word in places:
            others = [place for place in places if place != word]
            ground = self._ground(word if shown else others[int(rng.integers(len(others)))], rng)
            self._put(ground, rng.uniform(0.3, 0.6), rng)
            return ground
        if word == "plain background" and shown:
            ground = Image.new("RGB", (SIDE, SIDE), tuple(int(v) for v in rng.integers(20, 256, 3)))
        else:
            ground = self._ground(places[int(rng.integers(len(places)))], rng)
        if word == "busy background" and shown:
            for _ in range(18):
                self._put(ground, rng.uniform(0.12, 0.3), rng, (float(rng.random()), float(rng.random())))
        size = (
            (rng.uniform(0.14, 0.25) if shown else rng.uniform(0.45, 0.85))
            if word == "small object"
            else rng.uniform(0.35, 0.6)
        )
        self._put(ground, size, rng)
        return ground
