"""Outlines of masks over the slice that is shown: the true one an orange line, the predicted one blue dashes, which
tell them apart where colors do not."""

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
"""Of a reference mask, in the true one's place: no truth, and so not in its color."""
RIM = 0.45
"""Share of its light that a pixel beside a line keeps, so that lines stand out from bright tissue."""
DASH = 6
"""Pixels of a dash, and of the gap behind it."""
WIDE = 240
"""Pixels of an image from which on lines are two pixels wide: WebP keeps the colors of every second pixel only."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaskedScans(ItemStore):
    """Scans with a true and a predicted mask each."""

    base: ItemStore
    readers: tuple[Callable[[int], Mask | str], ...]
    """Of the true and the predicted mask of a row of the table, or why there is none."""
    rows: I64
    """(n,) row of the table of each scan."""

    def __len__(self) -> int:
        return len(self.base)

    def name(self, index: int) -> str:
        return self.base.name(index)

    def read(self, index: int) -> bytes:
        return self.base.read(index)

    def marks(self, index: int) -> tuple[Mask, ...]:
        found = [read(int(self.rows[index])) for read in self.readers]
        masks = tuple(one for one in found if not isinstance(one, str))
        return masks if len(masks) == len(found) else ()

    def keep(self, rows: I64 | Sequence[int]) -> ItemView:
        return ItemView(self, np.asarray(rows, np.int64))


def on_slice(scan: Scan, mask: Mask, at: int) -> Mask | None:
    """(h, w) what the mask holds on a slice of the scan; None if it is of another size.

    Args:
        mask: of all voxels (right, front, up), or of one slice, rows top down, of any size if it has the slice's shape.
    """
    height, width = scan.plane_shape
    if mask.ndim == 3:
        return np.take(mask, at, scan.across).T[::-1] if mask.shape == scan.shape else None
    # a kept slice has square pixels, and its masks have too
    alike = mask.ndim == 2 and abs(mask.shape[0] * width - mask.shape[1] * height) <= max(mask.shape[0], height)
    return mask if alike else None


def slice_marks(scan: Scan, masks: Sequence[Mask], size: int) -> tuple[Mask, ...]:
    """(h, w) uint8 what the masks hold on the slice that is shown, its pixels as wide as high and at most `size` a
    side; nothing if one is of another size. Class values keep their differences, not themselves."""
    fitted = fit_square(scan.plane_shape, scan.pixel, min(size, max(scan.plane_shape)))
    found = list[Mask]()
    for mask in masks:
        plane = on_slice(scan, mask, scan.middle)
        if plane is None:
            return ()
        classes = np.unique(plane[plane != 0])
        small = np.where(plane == 0, 0, 1 + np.searchsorted(classes, plane) % 255).astype(np.uint8)
        found.append(_resized(small, fitted.size))
    return tuple(found)


def outlined(
    picture: Image.Image, marks: Sequence[Mask], size: int, line: tuple[int, int, int] = COLOURS[0]
) -> Image.Image:
    """The image, its longest side `size` pixels, with the edges of (h, w) masks of the same slice: those of the first
    as a line of that color, those of the second as dashes."""
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    drawn = np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
    places = np.add.outer(np.arange(height), np.arange(width))
    edges = [_edge(_resized(mask, (height, width)), size >= WIDE) for mask in marks]
    true, predicted = (*edges, places < 0, places < 0)[:2]
    dashes = predicted & (places // DASH % 2 == 0)
    beside = _grown(true | dashes) & ~true & ~dashes
    drawn[beside] = (RIM * drawn[beside]).astype(np.uint8)
    drawn[true], drawn[dashes] = line, COLOURS[1]
    return Image.fromarray(drawn)


def mask_png(mask: Mask) -> bytes:
    """A (h, w) uint8 mask as a file that holds its values."""
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG", optimize=True)
    return out.getvalue()


def _edge(mask: Mask, wide: bool) -> Bool:
    """Pixels of a class beside one of another class, or of none; with the next ones inside, if it is wide."""
    padded = np.pad(mask, 1)
    sides = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    edge = (mask != 0) & np.logical_or.reduce([mask != side for side in sides])
    return _grown(edge) & (mask != 0) if wide else edge


def _grown(edge: Bool) -> Bool:
    padded = np.pad(edge, 1)
    return padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | edge


def _resized(mask: Mask, size: tuple[int, int]) -> Mask:
    if mask.shape == size:
        return mask
    return np.asarray(Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.NEAREST))
