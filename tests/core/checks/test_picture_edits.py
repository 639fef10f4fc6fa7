"""Edits change what they are called after, the same way every time."""

from __future__ import annotations

import io
from itertools import product

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
    plain = {row: pixels(store().read(row)).mean((0, 1)) for row in (0, 1)}
    for index, (row, name) in enumerate(made.edits):
        data = made.read(index)
        assert data == made.read(index)
        assert pixels(data).shape == (SIDE, SIDE, 3)
        assert made.name(index) == f"{'ab'[row]}.png ({name})"
    dark = pixels(made.read(list(EDITS).index("dark"))).mean((0, 1))
    assert (dark < 0.5 * plain[0]).all()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dark", lambda p: p.mean() < 0.35),
        ("without colour", lambda p: np.ptp(p, axis=2).mean() < 0.02),
        ("red", lambda p: p[..., 0].mean() > p[..., 1].mean() + 0.1),
        ("blurred", lambda p: blur(p.mean(2).astype(np.float32)) > 0.3),
        ("overexposed", lambda p: p.mean() > 0.8),
    ],
)
def test_an_edit_shows_what_it_is_called(name: str, shown: object) -> None:
    picture = EditedStore(store(), ((0, name),)).read(0)
    assert shown(pixels(picture))  # type: ignore[operator]
