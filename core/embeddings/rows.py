"""Vectors and measured properties of rows that are crops of images, or share one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from core.data.images.crops import CropImages
from core.data.images.properties import OF_PICTURE
from core.embeddings.embed import EmbeddedImages, read_images
from core.encoders import Encoder
from core.encoders.arithmetic import unit
from core.records import I64, Column, Embeddings, ItemStore, ItemView, Progress, no_progress

CONTEXT_WEIGHT = 0.5
"""The whole image then has a fifth of the say in a cosine. Fixed beforehand, not tuned."""

_OF_CROP = (
    *("brightness", "contrast", "colourfulness", "saturation", "grey", "dominant color", "blur", "edge density"),
    *("entropy", "underexposed share", "overexposed share"),
)
_OF_LIGHT = ("noise", "tint", "tint strength")
"""These lie over all of an image and are told by its calm, its brightest and its darkest parts, which a crop has not:
a crop of grass would be noisy and one of a red car tinted. They are the image's."""
_OF_PICTURE = ("brightness", "contrast", "saturation", "blur", "edge density", "megapixels")


Read = Callable[[ItemStore], EmbeddedImages]


def read_rows(
    images: ItemStore,
    encoder: Encoder,
    *,
    modality: str = "image",
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> EmbeddedImages:
    """What `read_images` gives, for any store: an image that several rows share is read once, and crops are joined
    with their images.

    Near-duplicates are looked for among whole images only, never among crops: two objects of one look are two
    objects.
    """
    read = partial(read_images, encoder=encoder, modality=modality, cache=cache, progress=progress)
    view = _view(images)
    if isinstance(view.base, CropImages):
        return _read_crops(view, view.base, read)
    return _shared(view.base, view.rows, read) if view.shared else read(images)


def share_pictures(images: ItemStore) -> bool:
    """Whether several rows may show one image: whole, or crops of it."""
    view = _view(images)
    return view.shared or isinstance(view.base, CropImages)


def _view(images: ItemStore) -> ItemView:
    return images if isinstance(images, ItemView) else ItemView(images, np.arange(len(images)))


def _shared(base: ItemStore, image_of: I64, read: Read) -> EmbeddedImages:
    """One reading of each image that is in use, spread over its rows."""
    used, which = np.unique(image_of, return_inverse=True)
    reading = read(base.keep(used))
    place = np.full(len(used), -1, np.int64)
    place[reading.kept] = np.arange(len(reading.kept))
    kept = np.flatnonzero(place[which] >= 0).astype(np.int64)
    at = place[which[kept]]
    return EmbeddedImages(
        reading.embeddings.keep(at),
        reading.joint.keep(at),
        tuple(column.keep(at) for column in reading.properties),
        _twins(reading.duplicate_groups, at),
        kept,
        {int(row): reading.unreadable[int(which[row])] for row in np.flatnonzero(place[which] < 0)},
        reading.notes,
    )


def _twins(groups: I64, at: I64) -> I64:
    """(rows,) group numbers in which only the rows of near-duplicate images share one; that rows share an image says
    their own group."""
    has_twin = np.bincount(groups)[groups] > 1
    return np.where(has_twin[at], groups[at], len(groups) + np.arange(len(at)))


def _read_crops(rows: ItemView, crops: CropImages, read: Read) -> EmbeddedImages:
    around = _shared(crops.base, crops.image_of[rows.rows], read)
    found = read(rows.keep(around.kept))
    beside = found.kept
    kept = around.kept[found.kept]
    joint = found.joint.vectors + np.float32(CONTEXT_WEIGHT) * around.joint.vectors[beside]
    lost = {int(around.kept[row]): reason for row, reason in found.unreadable.items()}
    return EmbeddedImages(
        _joined(found.embeddings, around.embeddings.keep(beside), CONTEXT_WEIGHT),
        replace(found.joint, vectors=unit(joint)),
        _properties(found.properties, tuple(column.keep(beside) for column in around.properties)),
        around.duplicate_groups[beside],
        kept,
        dict(sorted((around.unreadable | lost).items())),
        tuple(note.replace(" images ", " crops ", 1) for note in found.notes),
    )


def _joined(crops: Embeddings, around: Embeddings, weight: float) -> Embeddings:
    vectors = unit(np.concatenate([crops.vectors, np.float32(weight) * around.vectors], axis=1))
    return Embeddings(vectors, crops.encoder, f"{crops.space}, crop and {weight:g} x image")


def _properties(crop: Sequence[Column], picture: Sequence[Column]) -> tuple[Column, ...]:
    """Of the crop what its pixels say; of the image its light, and a few that are named for it. A crop's size and
    file say nothing that its box does not."""
    return (
        *(column for column in crop if column.name in _OF_CROP),
        *(column for column in picture if column.name in _OF_LIGHT),
        *(replace(column, name=column.name + OF_PICTURE) for column in picture if column.name in _OF_PICTURE),
    )
