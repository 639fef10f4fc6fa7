"""Images: decoded, measured on their pixels, compared by perceptual hash, shown as thumbnails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from core.data.images import decoding, duplicates, properties, thumbnails
from core.data.images.outlines import draw_outlines, encode_mask_png, has_shape, shrink_mask
from core.data.modality import Marks, measured_columns, refused
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
        return measured_columns(properties.PROPERTIES, measured)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        return ()

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        """Shrink the masks as `keep` shrinks the image; () if one has another shape."""
        with refused("The image"):
            picture = decoding.decode(data).image
        shape = (picture.height, picture.width)
        if not all(has_shape(mask, shape) for mask in marks):
            return ()
        scale = min(1.0, size / max(shape))
        small = (max(1, round(picture.height * scale)), max(1, round(picture.width * scale)))
        return [encode_mask_png(shrink_mask(mask, small)) for mask in marks]

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        """Draw the small image, with outlines of its marks if they have its shape."""
        if not marks:
            return thumbnails.shrink(data, size)
        with refused("The image"):
            picture = decoding.decode(data).image
        if not all(has_shape(mask, (picture.height, picture.width)) for mask in marks):
            return thumbnails.shrink(data, size)
        return thumbnails.webp(draw_outlines(picture, marks, size))

    def keep(self, data: bytes, size: int) -> bytes:
        """Store the small image that is shown, without outlines."""
        return thumbnails.shrink(data, size)
