"""Rows that share pictures: crops of objects with the whole picture beside them, and several rows of one picture.

An object is seen twice: its crop says what it is, the picture around it in what light, weather and company it stands. A row's finding
vector is unit([crop, w * picture]), so the cosine of two rows is (cosine of the crops + w^2 * cosine of the pictures) / (1 + w^2);
its joint vector, the one that words are compared with, is unit(crop + w * picture). w is `CONTEXT_WEIGHT`.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.data.images.decoding import Unreadable, decode
from core.embeddings import ImageReading, read_images
from core.encoders import Encoder
from core.errors import InvalidInput
from core.records import F32, F64, I64, Column, Embeddings, ImageStore, Progress, no_progress

CONTEXT_WEIGHT = 0.5
"""The whole picture then has a fifth of the say in a cosine. Fixed beforehand, not tuned."""
MARGIN = 0.2
"""Of the box's longer side, added on every side of it."""
SMALLEST_SIDE = 32
"""A crop is at least so many pixels wide and high, where the picture is: fewer hold nothing that an encoder could read."""
_HELD = 4
"""Decoded pictures that are kept, since the objects of one follow each other."""
_OF_CROP = (
    "brightness",
    "contrast",
    "colourfulness",
    "saturation",
    "grey",
    "dominant colour",
    "blur",
    "edge density",
    "entropy",
    "underexposed share",
    "overexposed share",
)
_OF_PICTURE = ("brightness", "contrast", "saturation", "blur", "edge density", "megapixels")


@dataclass(slots=True, eq=False)
class _Pictures:
    """Decoded pictures of a store, the last few of them kept; thread-safe."""

    store: ImageStore
    held: OrderedDict[int, Image.Image] = field(default_factory=OrderedDict[int, Image.Image])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, index: int) -> Image.Image:
        with self.lock:
            if index in self.held:
                self.held.move_to_end(index)
                return self.held[index]
        try:
            picture = decode(self.store.read(index)).image
        except Unreadable as error:
            raise InvalidInput(f"its picture {self.store.name(index)} {error}") from error
        with self.lock:
            self.held[index] = picture
            while len(self.held) > _HELD:
                self.held.popitem(last=False)
        return picture


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SharedImages:
    """An `ImageStore` in which several rows show the same picture of `base`."""

    base: ImageStore
    image_of: I64
    """(n,) place of each row's picture in `base`."""

    def __len__(self) -> int:
        return len(self.image_of)

    def name(self, index: int) -> str:
        return self.base.name(int(self.image_of[index]))

    def read(self, index: int) -> bytes:
        return self.base.read(int(self.image_of[index]))

    def keep(self, rows: I64) -> SharedImages:
        return SharedImages(self.base, self.image_of[rows])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CropImages:
    """An `ImageStore` whose items are crops of boxes, encoded as PNG when asked for.

    A crop is a square around the box with `MARGIN`, moved inside the picture, so that an encoder which cuts to a square loses
    nothing of a long object; where the picture is too small for it, the crop is what there is.
    """

    base: ImageStore
    image_of: I64
    """(n,) place of each row's picture in `base`."""
    boxes: F64
    """(n, 4) left, top, width, height in pixels of `sizes`."""
    sizes: F64
    """(m, 2) width and height of each picture of `base`, as the boxes understand it."""
    names: tuple[str, ...]
    pictures: _Pictures

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        return self.names[index]

    def read(self, index: int) -> bytes:
        """The crop of row `index` as PNG.

        Raises:
            InvalidInput: its picture cannot be read, or has another shape than the boxes were drawn in.
        """
        place = int(self.image_of[index])
        picture = self.pictures.get(place)
        width, height = self.sizes[place].tolist()
        if abs(picture.width * height - picture.height * width) > 0.02 * picture.width * height + 2 * max(width, height):
            raise InvalidInput(f"its picture is {picture.width} x {picture.height}, but the boxes were drawn in {width:g} x {height:g}")
        out = io.BytesIO()
        picture.crop(_window(self.boxes[index] * (picture.width / width), picture.size)).save(out, "PNG", compress_level=1)
        return out.getvalue()

    def keep(self, rows: I64) -> CropImages:
        names = tuple(self.names[int(row)] for row in rows)
        return CropImages(self.base, self.image_of[rows], self.boxes[rows], self.sizes, names, self.pictures)


def crop_images(base: ImageStore, image_of: I64, boxes: F64, sizes: F64, names: Sequence[str]) -> CropImages:
    """The store of the crops; see `CropImages` for the shapes."""
    return CropImages(base, image_of, boxes, sizes, tuple(names), _Pictures(base))


def _window(box: F64, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the square around a box, inside a picture of `size`."""
    left, top, width, height = box.tolist()
    side = max(max(width, height) * (1 + 2 * MARGIN), SMALLEST_SIDE)
    edges: list[tuple[int, int]] = []
    for middle, whole in ((left + width / 2, size[0]), (top + height / 2, size[1])):
        length = min(round(side), whole)
        start = min(max(round(middle - side / 2), 0), whole - length)
        edges.append((start, start + length))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def read_rows(images: ImageStore, encoder: Encoder, *, cache: Path | None = None, progress: Progress = no_progress) -> ImageReading:
    """What `read_images` gives, for any store: a picture that several rows share is read once, and crops are joined with their pictures.

    Near-duplicates are looked for among whole pictures only, never among crops: two objects of one look are two objects.
    """
    if isinstance(images, CropImages):
        return _read_crops(images, encoder, cache, progress)
    if isinstance(images, SharedImages):
        return _shared(images.base, images.image_of, encoder, cache, progress)
    return read_images(images, encoder, cache=cache, progress=progress)


def _shared(base: ImageStore, image_of: I64, encoder: Encoder, cache: Path | None, progress: Progress) -> ImageReading:
    """One reading of each picture that is in use, spread over its rows."""
    used, which = np.unique(image_of, return_inverse=True)
    reading = read_images(base.keep(used), encoder, cache=cache, progress=progress)
    place = np.full(len(used), -1, np.int64)
    place[reading.kept] = np.arange(len(reading.kept))
    kept = np.flatnonzero(place[which] >= 0).astype(np.int64)
    at = place[which[kept]]
    return ImageReading(
        reading.embeddings.keep(at),
        reading.joint.keep(at),
        tuple(column.keep(at) for column in reading.properties),
        _twins(reading.duplicate_groups, at),
        kept,
        {int(row): reading.unreadable[int(which[row])] for row in np.flatnonzero(place[which] < 0)},
        reading.notes,
    )


def _twins(groups: I64, at: I64) -> I64:
    """(rows,) group numbers in which only the rows of near-duplicate pictures share one; that rows share a picture says their own group."""
    has_twin = np.bincount(groups)[groups] > 1
    return np.where(has_twin[at], groups[at], len(groups) + np.arange(len(at)))


def _read_crops(images: CropImages, encoder: Encoder, cache: Path | None, progress: Progress) -> ImageReading:
    around = _shared(images.base, images.image_of, encoder, cache, progress)
    crops = read_images(images.keep(around.kept), encoder, cache=cache, progress=progress)
    beside, kept = crops.kept, around.kept[crops.kept]
    lost = {int(around.kept[row]): reason for row, reason in crops.unreadable.items()}
    return ImageReading(
        _joined(crops.embeddings, around.embeddings.keep(beside), CONTEXT_WEIGHT),
        replace(crops.joint, vectors=_unit(crops.joint.vectors + np.float32(CONTEXT_WEIGHT) * around.joint.vectors[beside])),
        _properties(crops.properties, tuple(column.keep(beside) for column in around.properties)),
        around.duplicate_groups[beside],
        kept,
        dict(sorted((around.unreadable | lost).items())),
        tuple(note.replace(" images ", " crops ", 1) for note in crops.notes),
    )


def _joined(crops: Embeddings, around: Embeddings, weight: float) -> Embeddings:
    vectors = _unit(np.concatenate([crops.vectors, np.float32(weight) * around.vectors], axis=1))
    return Embeddings(vectors, crops.encoder, f"{crops.space}, crop and {weight:g} x picture")


def _unit(vectors: F32 | F64) -> F32:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def _properties(crop: Sequence[Column], picture: Sequence[Column]) -> tuple[Column, ...]:
    """Of the crop what its pixels say; of the picture a few, named for it. A crop's size and file say nothing that its box does not."""
    of_crop = tuple(column for column in crop if column.name in _OF_CROP)
    return of_crop + tuple(replace(column, name=f"{column.name} of the picture") for column in picture if column.name in _OF_PICTURE)
