"""Draw outlines of masks over the slice that is shown: the true one as an orange line, the predicted one as blue
dashes, so that they differ without color too."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data.scans.slices import fit_square
from core.data.scans.volume import Scan
from core.records import I64, Bool, ItemStore, ItemView

Mask = npt.NDArray[Any]
COLOURS = ((255, 150, 0), (70, 190, 255))
"""Of the true and the predicted mask."""
REFERENCE_COLOUR = (150, 255, 120)
"""Of a reference mask, drawn instead of a true one: it is not the truth, so it has another color."""
RIM_BRIGHTNESS = 0.45
"""Share of its light that a pixel beside a line keeps, so that lines stand out from bright tissue."""
DASH_PIXELS = 6
"""Length of a dash, and of the gap after it."""
MIN_SIDE_OF_WIDE_LINES = 240
"""Size of an image, in pixels, from which lines are two pixels wide: WebP stores color for every second pixel only."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaskedScans(ItemStore):
    """Scans with a true and a predicted mask each."""

    base: ItemStore
    readers: tuple[Callable[[int], Mask | str], ...]
    """Of the true and the predicted mask: from a row of the table to the mask, or the reason why it has none."""
    rows: I64
    """(n,) each scan's row in the table."""

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

    def keep(self, rows: I64 | Sequence[int]) -> ItemView:
        return ItemView(self, np.asarray(rows, np.int64))


def take_mask_slice(scan: Scan, mask: Mask, at: int) -> Mask | None:
    """Cut (h, w) of the mask on slice `at` of the scan; None if the mask has another size.

    Args:
        mask: of all voxels (right, front, up), or of one slice, rows top down, of the slice's aspect ratio.
    """
    height, width = scan.plane_shape
    if mask.ndim == 3 and mask.shape == scan.shape:
        return np.take(mask, at, scan.across).T[::-1]
    # a stored slice has square pixels, and so do its masks
    if mask.ndim == 2 and abs(mask.shape[0] * width - mask.shape[1] * height) <= max(mask.shape[0], height):
        return mask
    return None


def slice_marks(scan: Scan, masks: Sequence[Mask], size: int) -> tuple[Mask, ...]:
    """Cut the masks to (h, w) uint8 on the slice that is shown, with square pixels and at most `size` a side; () if one
    has another size. Classes stay distinct, but are renumbered."""
    fitted = fit_square(scan.plane_shape, scan.pixel, min(size, max(scan.plane_shape)))
    planes = list[Mask]()
    for mask in masks:
        plane = take_mask_slice(scan, mask, scan.middle)
        if plane is None:
            return ()
        classes = np.unique(plane[plane != 0])
        small = np.where(plane == 0, 0, 1 + np.searchsorted(classes, plane) % 255).astype(np.uint8)
        planes.append(_resize(small, fitted.size))
    return tuple(planes)


def draw_outlines(
    picture: Image.Image, marks: Sequence[Mask], size: int, line: tuple[int, int, int] = COLOURS[0]
) -> Image.Image:
    """Resize the image to `size` pixels on its longest side and draw the edges of (h, w) masks of the same slice: those
    of the first mask as a line of that color, those of the second as dashes."""
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    drawn = np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
    diagonal = np.add.outer(np.arange(height), np.arange(width))  # dashes follow it
    edges = [_edge(_resize(mask, (height, width)), size >= MIN_SIDE_OF_WIDE_LINES) for mask in marks]
    nothing = np.zeros((height, width), np.bool_)
    true, predicted = (*edges, nothing, nothing)[:2]
    dashes = predicted & (diagonal // DASH_PIXELS % 2 == 0)
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


def _resize(mask: Mask, size: tuple[int, int]) -> Mask:
    if mask.shape == size:
        return mask
    return np.asarray(Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.NEAREST))
