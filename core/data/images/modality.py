"""Images: decoded, measured on their pixels, compared by perceptual hash, shown as thumbnails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from core.data.images import decoding, duplicates, properties, thumbnails
from core.data.modality import Marks
from core.records import Column


class ImageModality(duplicates.HashedDuplicates):
    """The row "image" of `core.data.modality.MODALITIES`."""

    meanings = properties.PROPERTIES
    version = f"{decoding.VERSION}/{properties.VERSION}/{duplicates.VERSION}"

    def open(self, data: bytes) -> tuple[Image.Image, dict[str, Any]]:
        """The upright RGB image, its properties and its hash."""
        picture = decoding.decode(data)
        small = properties.shrink(picture.image, properties.SIDE)
        measured = properties.measure_properties(picture, small)
        measured[duplicates.HASH] = duplicates.picture_hash(small)
        return picture.image, measured

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        return properties.columns(measured)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        return ()

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        return ()

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        return thumbnails.shrink(data, size)

    keep = preview  # a run stores the small image that is shown
