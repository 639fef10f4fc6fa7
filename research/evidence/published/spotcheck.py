"""Images of simple layers with blindspots that are known: SpotCheck's generator, drawn anew at a quarter of its size.

A configuration has a background, a square and one to three of rectangle, circle and text. Each layer's presence and
some of its options (size, color, texture; of the square the number) are rolled, each with chance 1/2; the rest stay
at their first value. Asked is whether there is a square. A blindspot fixes four to six rolled attributes and the
square's presence; in training its images have the wrong label.

Source: Plumb et al. 2023, arXiv 2207.04104, and the authors' released generator (github.com/njohnson99/spotcheck,
`data_utils.py`): layers, options, their values, how many of each are drawn, the rule that two blindspots contradict
each other in two attributes. The drawing here is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from core.records import Bool
from research.scoreboard.planted_embeddings import Failure

SIDE = 56
"""Pixels; theirs are 224, and all lengths are a quarter of theirs, rounded."""
APART = 1
"""Pixels between the boxes of two things."""
TARGET = "square"
PLACE = "relative position"
OPTIONS: dict[str, tuple[str, ...]] = {
    "background": ("colour", "texture"),
    TARGET: ("size", "colour", "texture", "number"),
    "rectangle": ("size", "colour", "texture"),
    "circle": ("size", "colour", "texture"),
    "text": ("size", "colour", "texture"),
}
SIZES: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    TARGET: ((10, 10), (5, 5)),
    "rectangle": ((12, 8), (6, 4)),
    "circle": ((10, 10), (5, 5)),
}
"""Width and height at the first and the second value."""
TEXT_SIZES = (6, 12)
COLOURS = np.array([[31, 119, 180], [255, 127, 14]], np.uint8)
GROUNDS = (255, 200)
SPECKLE = 100
SPECKLED = 0.1
Attribute = tuple[str, str]
Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class BlindspotConfiguration:
    """What is rolled, and where the model is taught wrong."""

    layers: tuple[str, ...]
    """Besides background and square."""
    rolled: tuple[Attribute, ...]
    """Attributes that vary, the square's presence first and the square's place ("above the middle") last."""
    blindspots: tuple[Failure, ...]
    """Of class 1 ("there is a square"), by positions in `rolled`."""

    @property
    def n_buckets(self) -> int:
        """Two to the number of rolled attributes without the place: images are counted by these."""
        return 2 ** (len(self.rolled) - 1)


def draw_configuration(rng: np.random.Generator) -> BlindspotConfiguration:
    """A configuration as the released generator draws it: one to three layers, five to seven layers and options
    together, one to three blindspots of four to six attributes each."""
    while True:
        n_layers = int(rng.integers(1, 4))
        n_options = int(rng.integers(5, 8)) - n_layers
        layers = tuple(str(name) for name in rng.choice(("rectangle", "circle", "text"), n_layers, replace=False))
        options = _options(layers, n_options, rng)
        rolled = ((TARGET, "presence"), *((name, "presence") for name in layers), *options, ("background", PLACE))
        sizes = sorted(rng.integers(4, 7, rng.integers(1, 4)).tolist())
        blindspots = _blindspots(rolled, sizes, rng)
        if blindspots is not None:
            return BlindspotConfiguration(layers, rolled, blindspots)


def _options(layers: tuple[str, ...], n: int, rng: np.random.Generator) -> list[Attribute]:
    """n options: each time a layer is drawn among those that have any left, then one of its options."""
    left = {name: list(OPTIONS[name]) for name in ("background", TARGET, *layers)}
    found = list[Attribute]()
    while len(found) < n:
        name = str(rng.choice([key for key, options in left.items() if options]))
        found.append((name, left[name].pop(int(rng.integers(len(left[name]))))))
    return found


def _blindspots(
    rolled: tuple[Attribute, ...], sizes: list[int], rng: np.random.Generator, tries: int = 2000
) -> tuple[Failure, ...] | None:
    """One blindspot of each size, any two of which contradict each other in two attributes; None if none is found."""
    found = list[dict[Attribute, bool]]()
    for _ in range(tries):
        candidate = _blindspot(rolled, sizes[len(found)], rng)
        if all(sum(candidate.get(key, value) != value for key, value in other.items()) >= 2 for other in found):
            found.append(candidate)
        if len(found) == len(sizes):
            return tuple(_failure(rolled, one) for one in found)
    return None


def _blindspot(rolled: tuple[Attribute, ...], size: int, rng: np.random.Generator) -> dict[Attribute, bool]:
    """`size` attributes beside the square's presence; an option only of a layer that is there."""
    fixed: dict[Attribute, bool] = {(TARGET, "presence"): True}
    present = {TARGET, "background"}
    for _ in range(size):
        choices = [a for a in rolled if a not in fixed and (a[1] == "presence" or a[0] in present)]
        name, option = choices[int(rng.integers(len(choices)))]
        fixed[name, option] = bool(rng.integers(2))
        if option == "presence":
            present.add(name)
        elif (name, "presence") in fixed:
            fixed[name, "presence"] = True
    return fixed


def _failure(rolled: tuple[Attribute, ...], fixed: dict[Attribute, bool]) -> Failure:
    having = tuple(i for i, a in enumerate(rolled) if fixed.get(a) is True)
    return Failure(1, having, tuple(i for i, a in enumerate(rolled) if fixed.get(a) is False))


def draw_pictures(configuration: BlindspotConfiguration, n: int, rng: np.random.Generator) -> tuple[Pixels, Bool]:
    """(n, 3, SIDE, SIDE) pixels, and (n, K) the value of each rolled attribute; those of a layer that is not there are
    rolled all the same, and a square that is not there is not above the middle."""
    values = rng.integers(0, 2, (n, len(configuration.rolled))).astype(bool)
    pixels = np.empty((n, 3, SIDE, SIDE), np.uint8)
    for i, row in enumerate(values):
        rolls = dict(zip(configuration.rolled, row.tolist()))
        picture, boxes = _paint(configuration.layers, rolls, rng)
        pixels[i] = np.moveaxis(picture, -1, 0)
        tops = [(box[1] + box[3]) // 2 for box in boxes if rolls[TARGET, "presence"]]
        values[i, -1] = bool(tops) and min(tops) < SIDE // 2
    return pixels, values


def _paint(layers: tuple[str, ...], rolls: dict[Attribute, bool], rng: np.random.Generator) -> tuple[Pixels, list[Box]]:
    """(SIDE, SIDE, 3) the image, and the boxes of its squares."""
    boxes: list[Box] | None = None
    while boxes is None:  # begun anew where a thing found no place
        picture = np.full((SIDE, SIDE, 3), GROUNDS[rolls.get(("background", "colour"), False)], np.uint8)
        if rolls.get(("background", "texture"), False):
            picture[rng.random((SIDE, SIDE)) < SPECKLED] = SPECKLE
        boxes = _place(picture, layers, rolls, rng)
    return picture, boxes[: 1 + rolls.get((TARGET, "number"), False)]


def _place(
    picture: Pixels, layers: tuple[str, ...], rolls: dict[Attribute, bool], rng: np.random.Generator
) -> list[Box] | None:
    taken = list[Box]()
    for name in (TARGET, *layers):
        if not rolls[name, "presence"]:
            continue
        colour, textured, size = (rolls.get((name, option), False) for option in ("colour", "texture", "size"))
        for _ in range(1 + rolls.get((name, "number"), False)):
            box = _free_box(_mask(name, size), taken, rng)
            if box is None:
                return None
            taken.append(box)
            inside = picture[box[1] : box[3], box[0] : box[2]]
            mask = _mask(name, size)
            inside[mask] = COLOURS[int(colour)]
            if textured:
                inside[mask & (np.arange(box[0], box[2]) % 2 == 0)] = 0
    return taken


def _free_box(mask: Bool, taken: list[Box], rng: np.random.Generator, tries: int = 50) -> Box | None:
    height, width = mask.shape
    for _ in range(tries):
        left = int(rng.integers(SIDE - width + 1))
        top = int(rng.integers(SIDE - height + 1))
        box = (left, top, left + width, top + height)
        if not any(_meet(box, other) for other in taken):
            return box
    return None


def _meet(a: Box, b: Box) -> bool:
    return all(max(a[i], b[i]) < min(a[i + 2], b[i + 2]) + APART for i in (0, 1))


@cache
def _mask(name: str, second: bool) -> Bool:
    """(height, width) where a thing is, at its first or second size."""
    if name == "text":
        font = ImageFont.load_default(TEXT_SIZES[second])
        left, top, right, bottom = (int(v) for v in font.getbbox("text"))
        image = Image.new("1", (right - left, bottom - top))
        ImageDraw.Draw(image).text((-left, -top), "text", fill=1, font=font)
        return np.asarray(image)
    width, height = SIZES[name][second]
    image = Image.new("1", (width, height), int(name != "circle"))
    if name == "circle":
        ImageDraw.Draw(image).ellipse((0, 0, width - 1, height - 1), fill=1)
    return np.asarray(image)
