"""Draw outlines of masks and boxes over an image: the true one as an orange line, the predicted one as blue dashes, so
that they differ without color too."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.records import F64, I64, Bool, ItemStore, ItemView

Mask = npt.NDArray[Any]
COLOURS = ((255, 150, 0), (70, 190, 255))
"""Of the true and the predicted mask."""
REFERENCE_COLOUR = (150, 255, 120)
"""Of a reference mask, drawn instead of a true one: it is not the truth, so it has another color."""
RIM_BRIGHTNESS = 0.45
"""Share of its light that a pixel beside a line keeps, so that lines stand out from bright tissue."""
DASH_PIXELS = 6
"""Length of a dash, and of the gap after it; twice as many on wide lines, so that a true line below it shows."""
MIN_SIDE_OF_WIDE_LINES = 240
"""Size of an image, in pixels, from which lines are two pixels wide: WebP stores color for every second pixel only."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaskedItems(ItemStore):
    """Images or scans with a true and a predicted mask each."""

    base: ItemStore
    readers: tuple[Callable[[int], Mask | str], ...]
    """Of the true and the predicted mask: from a row of the table to the mask, or the reason why it has none."""
    rows: I64
    """(n,) each item's row in the table."""

    def __len__(self) -> int:
        return len(self.base)

    def name(self, index: int) -> str:
        return self.base.name(index)

    def read(self, index: int) -> bytes:
        return self.base.read(index)

    def marks(self, index: int) -> tuple[Mask, ...]:
        masks = list[Mask]()
        for read in self.readers:
            mask = read(int(self.rows[index]))
            if isinstance(mask, str):
                return ()
            masks.append(mask)
        return tuple(masks)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ClassMasks(ItemView):
    """Rows that each are about one class of their image's masks."""

    values: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    """(n,) the class's value in the masks."""

    def marks(self, index: int) -> tuple[Mask, ...]:
        return tuple(mask == self.values[index] for mask in self.base.marks(int(self.rows[index])))

    def keep(self, rows: I64 | Sequence[int]) -> ClassMasks:
        picked = np.asarray(rows, np.int64)
        return ClassMasks(self.base, self.rows[picked], self.shared, self.values[picked])


def has_shape(mask: Mask, shape: tuple[int, int]) -> bool:
    """Whether a mask has the aspect ratio of (h, w) pixels."""
    height, width = shape
    return mask.ndim == 2 and abs(mask.shape[0] * width - mask.shape[1] * height) <= max(mask.shape[0], height)


def shrink_mask(mask: Mask, shape: tuple[int, int]) -> Mask:
    """Resize to (h, w) uint8. Classes stay distinct, but are renumbered."""
    small = _resize(mask, shape)
    classes = np.unique(small[small != 0])
    return np.where(small == 0, 0, 1 + np.searchsorted(classes, small) % 255).astype(np.uint8)


def box_mask(xywh: F64, window: tuple[int, int, int, int], size: int) -> Mask:
    """Fill boxes in (h, w) uint8 pixels, each with its own value, small ones above large ones.

    Args:
        xywh: (k, 4) left, top, width, height in pixels of an image.
        window: left, top, right, bottom of the part of the image that is shown.
        size: most pixels a side.
    """
    left, top, right, bottom = window
    scale = min(1.0, size / max(right - left, bottom - top))
    width = max(1, round((right - left) * scale))
    height = max(1, round((bottom - top) * scale))
    mask = np.zeros((height, width), np.uint8)
    corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1) - (left, top, left, top)
    corners = np.clip(np.round(corners * scale), 0, (width, height, width, height)).astype(int)
    largest_first = np.argsort(-xywh[:, 2] * xywh[:, 3], kind="stable")
    for value, (x0, y0, x1, y1) in enumerate(corners[largest_first].tolist()):
        mask[y0:y1, x0:x1] = 1 + value % 255
    return mask


def draw_outlines(
    picture: Image.Image, marks: Sequence[Mask], size: int, line: tuple[int, int, int] = COLOURS[0]
) -> Image.Image:
    """Resize the image to `size` pixels on its longest side and draw the edges of (h, w) masks of the same shape: those
    of the first mask as a line of that color, those of the second as dashes."""
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    drawn = np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
    diagonal = np.add.outer(np.arange(height), np.arange(width))  # dashes follow it
    wide = size >= MIN_SIDE_OF_WIDE_LINES
    edges = [_edge(_resize(mask, (height, width)), wide) for mask in marks]
    nothing = np.zeros((height, width), np.bool_)
    true, predicted = (*edges, nothing, nothing)[:2]
    dash = DASH_PIXELS * 2 if wide else DASH_PIXELS
    dashes = predicted & (diagonal // dash % 2 == 0)
    beside = _grow(true | dashes) & ~true & ~dashes
    drawn[beside] = (RIM_BRIGHTNESS * drawn[beside]).astype(np.uint8)
    drawn[true] = line
    drawn[dashes] = COLOURS[1]
    return Image.fromarray(drawn)


def encode_mask_png(mask: Mask) -> bytes:
    """Encode a (h, w) uint8 mask as PNG, which preserves its values."""
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG", optimize=True)
    return out.getvalue()


def _edge(mask: Mask, wide: bool) -> Bool:
    """Pixels of a class beside another class or background; if `wide`, also the next pixels inside."""
    padded = np.pad(mask, 1)
    sides = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    edge = (mask != 0) & np.logical_or.reduce([mask != side for side in sides])
    if wide:
        edge = _grow(edge) & (mask != 0)
    return edge


def _grow(edge: Bool) -> Bool:
    padded = np.pad(edge, 1)
    return padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | edge


def _resize(mask: Mask, shape: tuple[int, int]) -> Mask:
    """Take the nearest pixel of the mask for each of (h, w)."""
    rows, columns = (((np.arange(n) + 0.5) * length / n).astype(int) for n, length in zip(shape, mask.shape))
    return mask[rows][:, columns]
