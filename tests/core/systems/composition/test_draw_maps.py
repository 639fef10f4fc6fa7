"""Maps over an image: their colours, the cells that fill it, and what cannot be drawn."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from core.systems.composition.draw_maps import AGAINST, FOR, draw_map, render_map
from tests.support.pictures import plain


def test_what_speaks_for_is_orange_what_speaks_against_blue_and_what_says_nothing_clear() -> None:
    layer = draw_map(Image.new("RGB", (30, 20)), np.array([[1.0, 0.0, -0.5]], np.float32))
    assert layer.shape == (20, 30, 4)
    assert tuple(layer[0, 0]) == (*FOR, 191)
    assert layer[0, 15, 3] == 0
    assert tuple(layer[19, 29]) == (*AGAINST, 96)
    assert draw_map(Image.new("RGB", (30, 20)), np.array([[1.0]], np.float32), scale=2.0)[0, 0, 3] == 96


def test_cells_fill_a_picture_that_they_do_not_divide() -> None:
    assert draw_map(Image.new("RGB", (31, 17)), np.ones((7, 5), np.float32)).shape == (17, 31, 4)


def test_a_map_is_rendered_over_the_picture() -> None:
    drawn = Image.open(io.BytesIO(render_map(plain("white", (64, 64)), np.array([[1.0, 0.0]], np.float32))))
    assert drawn.format == "PNG"
    assert drawn.size == (64, 64)
    assert drawn.getpixel((63, 0)) == (255, 255, 255)
    np.testing.assert_allclose(np.asarray(drawn)[0, 0], [0.25 * 255 + 0.75 * channel for channel in FOR], atol=2)
