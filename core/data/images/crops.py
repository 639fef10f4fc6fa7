"""Crops of objects, embedded together with their whole image.

An object is seen twice: its crop shows what it is, the image around it shows light, weather and company. A row's
finding vector is unit([crop, w * image]), so the cosine of two rows is (cosine of the crops + w^2 * cosine of
the images) / (1 + w^2); its joint vector, the one that words are compared with, is unit(crop + w * image). w is
`CONTEXT_WEIGHT`.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from core.data.images.decoding import decode
from core.data.images.outlines import Mask, box_mask
from core.data.images.thumbnails import STORED_SIZE
from core.data.modality import refused
from core.errors import InvalidInput
from core.records import F64, I64, ItemStore, NamedItems

MARGIN_SHARE = 0.2
"""Share of the box's longer side that is added on every side."""
MIN_SIDE_PIXELS = 32
"""Least width and height of a crop, where the image has as much: an encoder reads nothing in fewer pixels."""
_MAX_HELD_IMAGES = 4
"""Decoded images that stay in memory, since the objects of one image follow each other."""


@dataclass(slots=True, eq=False)
class _OpenPictures:
    """Decoded images of a store, the last few held in memory; thread-safe."""

    store: ItemStore
    held: OrderedDict[int, Image.Image] = field(default_factory=OrderedDict[int, Image.Image])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, index: int) -> Image.Image:
        with self.lock:
            if index in self.held:
                self.held.move_to_end(index)
                return self.held[index]
        with refused(f"its image {self.store.name(index)}"):
            picture = decode(self.store.read(index)).image
        with self.lock:
            self.held[index] = picture
            while len(self.held) > _MAX_HELD_IMAGES:
                self.held.popitem(last=False)
        return picture


@dataclass(frozen=True, slots=True, eq=False)
class DrawnBoxes:
    """The k boxes of one side, the true or the predicted ones, that are drawn on crops."""

    image_of: I64
    """(k,) place of each box's image in the store, ascending."""
    boxes: F64
    """(k, 4) as in `CropImages`."""

    def of(self, place: int) -> F64:
        """(j, 4) the boxes of one image."""
        start, end = np.searchsorted(self.image_of, (place, place + 1))
        return self.boxes[start:end]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CropImages(NamedItems):
    """Crops of boxes, encoded as PNG on request.

    A crop is a square around the box with `MARGIN_SHARE`, moved inside the image, so that an encoder that cuts to a
    square loses nothing of a long object. In an image that is too small, the crop takes what there is.
    """

    base: ItemStore
    image_of: I64
    """(n,) index of each row's image in `base`."""
    boxes: F64
    """(n, 4) left, top, width, height in pixels of `sizes`."""
    sizes: F64
    """(m, 2) width and height of each image of `base`, as the boxes understand it."""
    pictures: _OpenPictures
    drawn: tuple[DrawnBoxes, ...] = ()
    """The true and the predicted boxes that previews show; () for none."""

    def read(self, index: int) -> bytes:
        """The crop of row `index` as PNG.

        Raises:
            InvalidInput: its image cannot be read, or has another shape than the boxes were drawn in.
        """
        picture, _, window = self._opened(index)
        out = io.BytesIO()
        picture.crop(window).save(out, "PNG", compress_level=1)
        return out.getvalue()

    def marks(self, index: int) -> tuple[Mask, ...]:
        """All true and all predicted boxes inside the crop, as masks of filled rectangles.

        Raises:
            InvalidInput: as for `read`.
        """
        if not self.drawn:
            return ()
        _, scale, window = self._opened(index)
        image_index = int(self.image_of[index])
        return tuple(box_mask(side.of(image_index) * scale, window, STORED_SIZE) for side in self.drawn)

    def _opened(self, index: int) -> tuple[Image.Image, float, tuple[int, int, int, int]]:
        """Open the image of a row; returns it, its pixels per unit of the boxes, and the crop's window."""
        image_index = int(self.image_of[index])
        picture = self.pictures.get(image_index)
        width, height = self.sizes[image_index].tolist()
        skew = abs(picture.width * height - picture.height * width)
        if skew > 0.02 * picture.width * height + 2 * max(width, height):
            raise InvalidInput(
                f"its image is {picture.width} x {picture.height}, but the boxes were drawn in {width:g} x {height:g}"
            )
        scale = picture.width / width
        return picture, scale, _window(self.boxes[index] * scale, picture.size)


def crop_images(
    base: ItemStore, image_of: I64, boxes: F64, sizes: F64, names: Sequence[str], drawn: tuple[DrawnBoxes, ...] = ()
) -> CropImages:
    """Build the store of the crops; see `CropImages` for the arguments."""
    return CropImages(tuple(names), base, image_of, boxes, sizes, _OpenPictures(base), drawn)


def _window(box: F64, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the square around a box, inside an image of `size`."""
    left, top, width, height = box.tolist()
    side = max(max(width, height) * (1 + 2 * MARGIN_SHARE), MIN_SIDE_PIXELS)
    edges: list[tuple[int, int]] = []
    for middle, whole in ((left + width / 2, size[0]), (top + height / 2, size[1])):
        length = min(round(side), whole)
        start = min(max(round(middle - side / 2), 0), whole - length)
        edges.append((start, start + length))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]
