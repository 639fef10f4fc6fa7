"""Maps over an image, drawn: what speaks for a word in orange, what speaks against it in blue."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.encoders import Encoder
from core.records import F32
from core.systems.composition.word_maps import cell_edges

FOR = (213, 94, 0)
AGAINST = (0, 114, 178)
"""Vermilion and blue of Okabe and Ito's palette, which people with any common colour blindness tell apart; against grey
they also differ in lightness from what is left clear."""
_OPAQUE = 0.75
"""Of the strongest cell: the image stays visible beneath."""


def as_seen(image: Image.Image, encoder: Encoder) -> Image.Image:
    """The image cropped and scaled as the encoder takes it in, in its own colours: what the maps lie over.

    Black and white, prepared alike, tell how pixels were scaled, for any encoder that scales each channel linearly.
    """
    rgb = image.convert("RGB")
    pixels, black, white = (
        encoder.preprocess(one)
        for one in (rgb, Image.new("RGB", rgb.size, "black"), Image.new("RGB", rgb.size, "white"))
    )
    span = np.where(white == black, 1, white - black)
    levels = np.clip(np.rint(255 * (pixels - black) / span), 0, 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))


def draw_map(picture: Image.Image, values: F32, scale: float | None = None) -> npt.NDArray[np.uint8]:
    """(height, width, 4) a layer to lay over the image: colour by sign, opacity by strength, cells with sharp edges.

    Args:
        image: gives the size; see `as_seen`.
        values: (R, C) one map of `PatchWords`.
        scale: the value of the strongest colour, such as `word_maps.strongest`; None takes the map's own largest.
    """
    top = scale or float(np.abs(values).max()) or 1.0
    cells = np.zeros((*values.shape, 4), np.uint8)
    cells[..., :3] = np.where((values > 0)[..., None], FOR, AGAINST)
    cells[..., 3] = np.rint(255 * _OPAQUE * np.clip(np.abs(values) / top, 0, 1))
    return np.repeat(
        np.repeat(cells, _sizes(picture.height, values.shape[0]), 0), _sizes(picture.width, values.shape[1]), 1
    )


def render_map(picture: Image.Image, values: F32, scale: float | None = None) -> bytes:
    """The image with the map over it, as PNG; arguments as of `draw_map`."""
    layer = Image.fromarray(draw_map(picture, values, scale))
    out = io.BytesIO()
    Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB").save(out, "PNG")
    return out.getvalue()


def _sizes(size: int, cells: int) -> npt.NDArray[Any]:
    """Pixels of each cell, whose sum is `size`."""
    return np.diff(cell_edges(size, cells))
