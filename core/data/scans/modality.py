"""Scans: read and reoriented, measured on their slices, compared by perceptual hash, drawn as a coronal slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from core.data.images import duplicates as pictures
from core.data.images.outlines import draw_outlines, encode_mask_png
from core.data.images.thumbnails import webp
from core.data.modality import Marks, measured_columns, refused
from core.data.scans import properties
from core.data.scans.outlines import slice_marks
from core.data.scans.slices import render_slice, scale_to_unit
from core.data.scans.volume import VERSION, Scan, read_scan
from core.numbers import count, plural
from core.records import Column

_HASHED_SIDE = 256


class ScanModality(pictures.HashedDuplicates):
    """The row "scan" of `core.data.modality.MODALITIES`."""

    meanings = properties.PROPERTIES
    version = f"{VERSION}/{properties.VERSION}/{pictures.VERSION}"

    def open(self, data: bytes) -> tuple[Scan, dict[str, Any]]:
        """Read the scan; measure its properties and the hash of its middle slice."""
        scan = read_scan(data)
        measured = properties.measure_scan(scan)
        measured[pictures.HASH] = pictures.picture_hash(_render_middle(scan, _HASHED_SIDE))
        return scan, measured

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        return measured_columns(properties.PROPERTIES, measured)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        uneven = sum(row["anisotropy"] >= 3 for row in measured)
        if not uneven:
            return ()
        return (
            f"{uneven:,} of {count(len(measured), 'scan')} {plural(uneven, 'has', 'have')} voxels at least three times "
            "as long in one direction as in another. Their coronal slices may look blurred.",
        )

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        """Draw the coronal slice in the middle, with outlines of the masks."""
        with refused("The scan"):
            scan = read_scan(data)
        image = _render_middle(scan, size)
        masks = slice_marks(scan, marks, size)
        if masks:
            image = draw_outlines(image, masks, size)
        return webp(image)

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        """Cut the masks to the slice that is shown; [] if one has another size."""
        with refused("The scan"):
            scan = read_scan(data)
        return [encode_mask_png(mask) for mask in slice_marks(scan, marks, size)]

    def keep(self, data: bytes, size: int) -> bytes:
        """Store the slice that is shown."""
        return self.preview(data, size)


def _render_middle(scan: Scan, size: int) -> Image.Image:
    return render_slice(scale_to_unit(scan.plane(scan.middle)), scan.pixel, size)
