"""Scans: read and turned, measured on their slices, compared by perceptual hash, shown as a coronal slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.data.images import duplicates as pictures
from core.data.modality import Marks, Unreadable
from core.data.scans import properties
from core.data.scans.outlines import mask_png, outlined, slice_marks
from core.data.scans.slices import picture_of, unit, webp
from core.data.scans.volume import VERSION, Scan, read_scan
from core.errors import InvalidInput
from core.records import Column

_HASHED = 256


class ScanModality(pictures.ToldByHash):
    """The row "scan" of `core.data.modality.MODALITIES`."""

    meanings = properties.PROPERTIES
    version = f"{VERSION}/{properties.VERSION}/{pictures.VERSION}"

    def open(self, data: bytes) -> tuple[Scan, dict[str, Any]]:
        """The scan, its properties and the hash of its middle slice."""
        scan = read_scan(data)
        measured = properties.measure_scan(scan)
        measured[pictures.HASH] = pictures.picture_hash(_shown(scan, _HASHED))
        return scan, measured

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        return properties.columns(measured)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        uneven = sum(row["anisotropy"] >= 3 for row in measured)
        said = (
            f"{uneven:,} of {len(measured):,} scans are sampled three times or more as coarsely in one direction "
            "as in another: coronal slices of them may be blurred, whatever was acquired."
        )
        return (said,) if uneven else ()

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        """The coronal slice in the middle, with outlines of the masks."""
        scan = _read(data)
        shown = _shown(scan, size)
        masks = slice_marks(scan, marks, size)
        return webp(outlined(shown, masks, size) if masks else shown)

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        """What the masks hold on the slice that is shown; nothing if one is of another size."""
        return [mask_png(mask) for mask in slice_marks(_read(data), marks, size)]

    def keep(self, data: bytes, size: int) -> bytes:
        """The slice that is shown."""
        return self.preview(data, size)


def _read(data: bytes) -> Scan:
    try:
        return read_scan(data)
    except Unreadable as error:
        raise InvalidInput(f"The scan {error}") from error


def _shown(scan: Scan, size: int) -> Any:
    return picture_of(unit(scan.plane(scan.middle)), scan.pixel, size)
