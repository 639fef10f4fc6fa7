"""Read vectors and properties of rows that are crops of images, or that share an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from core.data.images.crops import CropImages
from core.data.images.properties import OF_PICTURE
from core.embeddings.embed import EmbeddedImages, read_images
from core.encoders import Encoder
from core.encoders.arithmetic import unit
from core.records import I64, Embeddings, ItemStore, ItemView, Progress, no_progress

CONTEXT_WEIGHT = 0.5
"""Gives the whole image a fifth of the weight in a cosine. Fixed in advance, not tuned."""

_OF_CROP = (
    *("brightness", "contrast", "colourfulness", "saturation", "grey", "dominant color", "blur", "edge density"),
    *("entropy", "underexposed share", "overexposed share"),
)
_OF_LIGHT = ("noise", "tint", "tint strength")
"""Properties of the whole image, measured on its calm, brightest and darkest parts, which a crop lacks: a crop of grass
would count as noisy and one of a red car as tinted."""
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
    """Read any store like `read_images`: an image shared by several rows is read once, and crops are joined with their
    images.

    Near-duplicates are searched only among whole images, not among crops: two objects that look the same are two
    objects.
    """
    read = partial(read_images, encoder=encoder, modality=modality, cache=cache, progress=progress)
    view = _view(images)
    if isinstance(view.base, CropImages):
        around = _shared(view.base.base, view.base.image_of[view.rows], read)
        inside = read(view.keep(around.kept))
        beside = inside.kept
        readable = around.kept[beside]
        joint = inside.joint.vectors + np.float32(CONTEXT_WEIGHT) * around.joint.vectors[beside]
        lost = {int(around.kept[row]): reason for row, reason in inside.unreadable.items()}
        crops = inside.embeddings
        context = np.float32(CONTEXT_WEIGHT) * around.embeddings.vectors[beside]
        vectors = unit(np.concatenate([crops.vectors, context], axis=1))
        space = f"{crops.space}, crop and {CONTEXT_WEIGHT:g} x image"
        # of the crop properties of its pixels, of the image light and a few that are named so: a crop's size and file
        # add nothing to its box
        properties = [column for column in inside.properties if column.name in _OF_CROP]
        properties += [column.keep(beside) for column in around.properties if column.name in _OF_LIGHT]
        for column in around.properties:
            if column.name in _OF_PICTURE:
                properties.append(replace(column.keep(beside), name=column.name + OF_PICTURE))
        return EmbeddedImages(
            Embeddings(vectors, crops.encoder, space),
            replace(inside.joint, vectors=unit(joint)),
            tuple(properties),
            around.duplicate_groups[beside],
            readable,
            dict(sorted((around.unreadable | lost).items())),
            tuple(note.replace(" images ", " crops ", 1) for note in inside.notes),
        )
    if view.shared:
        return _shared(view.base, view.rows, read)
    return read(images)


def share_pictures(images: ItemStore) -> bool:
    """Whether several rows can show one image, whole or as crops."""
    view = _view(images)
    return view.shared or isinstance(view.base, CropImages)


def _view(images: ItemStore) -> ItemView:
    if isinstance(images, ItemView):
        return images
    return ItemView(images, np.arange(len(images)))


def _shared(base: ItemStore, image_of: I64, read: Read) -> EmbeddedImages:
    """Read each used image once and copy the result to its rows."""
    used, which = np.unique(image_of, return_inverse=True)
    reading = read(base.keep(used))
    position = np.full(len(used), -1, np.int64)
    position[reading.kept] = np.arange(len(reading.kept))
    readable = np.flatnonzero(position[which] >= 0).astype(np.int64)
    at = position[which[readable]]
    return EmbeddedImages(
        reading.embeddings.keep(at),
        reading.joint.keep(at),
        tuple(column.keep(at) for column in reading.properties),
        _twins(reading.duplicate_groups, at),
        readable,
        {int(row): reading.unreadable[int(which[row])] for row in np.flatnonzero(position[which] < 0)},
        reading.notes,
    )


def _twins(groups: I64, at: I64) -> I64:
    """Return (rows,) group numbers shared only by rows of near-duplicate images; rows of one image already share a
    group of the samples."""
    has_twin = np.bincount(groups)[groups] > 1
    return np.where(has_twin[at], groups[at], len(groups) + np.arange(len(at)))
