"""Edits change what they are called after, the same way every time."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.checks.picture_edits import EDITS, SIDE, EditedStore
from core.data.images.properties import blur
from tests.support.diagnoses import MemoryImages, draw_picture


def store() -> MemoryImages:
    return MemoryImages(("a.png", "b.png"), (draw_picture(1, size=96), draw_picture(2, size=96)))


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float) / 255


def test_every_edit_gives_a_square_picture_that_differs_and_repeats() -> None:
    made = EditedStore(store(), tuple(product((0, 1), EDITS)))
    for index, (row, name) in enumerate(made.edits):
        data = made.read(index)
        assert data == made.read(index)
        assert pixels(data).shape == (SIDE, SIDE, 3)
        assert made.name(index) == f"{'ab'[row]}.png ({name})"


FLAT = np.array([102, 76.5, 51]) / 255
DRAWN = 60


def drawn(name: str, plain: Image.Image) -> np.ndarray:
    """(60, h, w, 3) what the edit makes of an image with other seeds, 0 to 1."""
    return np.stack([np.asarray(EDITS[name](plain, np.random.default_rng(seed)), float) for seed in range(DRAWN)]) / 255


def spread(rgb: np.ndarray) -> np.ndarray:
    return (rgb[:, 0] - rgb[:, 2]) / (FLAT[0] - FLAT[2])


@pytest.mark.parametrize(
    ("name", "strength", "low", "high"),
    [
        ("dark", lambda rgb: rgb[:, 0] / FLAT[0] ** 1.3, 0.2, 0.4),
        ("overexposed", lambda rgb: (rgb[:, 2] - 0.12) / FLAT[2], 1.8, 2.6),
        ("without colour", spread, 0.0, 0.001),
        ("faded", spread, 0.25, 0.45),
        ("vivid", spread, 2.2, 3.2),
        ("low contrast", lambda rgb: (rgb[:, 2] - 0.5) / (FLAT[2] - 0.5), 0.2, 0.35),
        ("high contrast", lambda rgb: (rgb[:, 0] - 0.5) / (FLAT[0] - 0.5), 2.2, 3.2),
        ("inverted", lambda rgb: rgb[:, 2], 0.8, 0.8),
    ],
)
def test_of_a_flat_picture_an_edit_makes_what_its_strengths_say(name: str, strength: Any, low: float, high: float):
    flat = Image.fromarray(np.tile((255 * FLAT).astype(np.uint8), (8, 8, 1)))
    found, loose = strength(drawn(name, flat)[:, 0, 0]), 0.1 * (high - low) + 0.03
    assert found.min() == pytest.approx(low, abs=loose)
    assert found.max() == pytest.approx(high, abs=loose)


@pytest.mark.parametrize(
    ("name", "lamp"),
    [("red", (1, 0.25, 0.2)), ("green", (0.3, 1, 0.3)), ("blue", (0.2, 0.4, 1)), ("yellow", (1, 0.95, 0.2))],
)
def test_a_cast_takes_from_each_colour_what_its_lamp_lacks(name: str, lamp: tuple[float, ...]) -> None:
    """Of white 0.55 to 0.85 of what is lacking, the same share of every color, and 0.08 of the lamp is added."""
    white = drawn(name, Image.new("RGB", (8, 8), "white"))[:, 0, 0]
    for colour in range(3):
        least, most = (min(1.0, 1 - share * (1 - lamp[colour]) + 0.08 * lamp[colour]) for share in (0.85, 0.55))
        assert white[:, colour].min() == pytest.approx(least, abs=0.03)
        assert white[:, colour].max() == pytest.approx(most, abs=0.03)


def test_what_lies_over_or_moves_a_picture_has_the_size_that_is_said() -> None:
    black = Image.new("RGB", (SIDE, SIDE))
    line = black.copy()
    line.paste("white", (100, 0, 101, SIDE))
    grey = Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    for name, low, high in (("hidden", 0.25 * np.pi / 4, 0.65**2 * np.pi / 4), ("text", 0.03, 0.15)):
        changed = (drawn(name, grey) != 128 / 255).any(3).mean((1, 2))
        assert low - 0.01 <= changed.min()
        assert changed.max() <= high + 0.01
    assert set((drawn("smeared", line)[:, 0, :, 0] > 0).sum(1)) == set(range(11, 20))
    noise = drawn("noisy", grey).std((1, 2))
    assert (noise.min(), noise.max()) == (pytest.approx(0.07, abs=0.01), pytest.approx(0.2, abs=0.01))
    fog = drawn("fog", black)[:, :, 0, 0]
    assert fog[:, 0].min() >= 0.6 * 0.72 - 0.01
    assert fog[:, 0].max() <= 0.8 * 0.88
    assert fog[:, -1].min() >= 0.25 * 0.72 - 0.01
    assert fog[:, -1].max() <= 0.5 * 0.88
    ramp = Image.fromarray(np.tile(np.arange(SIDE, dtype=np.uint8)[None, :, None], (SIDE, 1, 3)))
    assert {len(np.unique(one[0, :, 0])) for one in drawn("pixelated", ramp)} <= set(range(16, 30))
    np.testing.assert_array_equal(drawn("upside down", ramp)[0], np.asarray(ramp)[::-1, ::-1] / 255)
    turned = {bool(one[0, 0, 0] < one[-1, 0, 0]) for one in drawn("quarter turn", ramp)}
    assert turned == {False, True}
    edges = {round(float((one[112, :, 0] != 0).sum()) / 2) for one in drawn("border", black)} - {0}
    assert min(edges) >= 15
    assert max(edges) <= 26
    for name in ("snow", "rain"):
        bright = (drawn(name, black)[..., 0] > 0.5).mean((1, 2))
        assert 0.003 < bright.min() < bright.max() < 0.2
    assert blur(pixels(EditedStore(store(), ((0, "blurred"),)).read(0)).mean(2).astype(np.float32)) > 0.3
