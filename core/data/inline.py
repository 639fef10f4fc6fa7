"""Small images of items as data addresses inside a page, within a bound on their bytes."""

from __future__ import annotations

import base64

from markupsafe import Markup

from core.data.modality import Marks, modality_of
from core.errors import InvalidInput
from core.records import ItemStore, SampleSet


def preview_address(payload: bytes, modality: str, size: int, *, as_kept: bool = False, marks: Marks = ()) -> str:
    """The data address of an item's preview. Of a scan it says that no edge of it may be cut off (";whole", for the
    style sheets).

    Args:
        size: longest side in pixels.
        as_kept: a WebP stands as it is, whatever its size, unless there are marks.
        marks: of the item (`ItemStore.marks`).

    Raises:
        InvalidInput: the bytes cannot be shown.
    """
    kept = as_kept and not marks and payload[8:12] == b"WEBP"
    shown = payload if kept else modality_of(modality).preview(payload, size, marks)
    kind = "image/webp" if shown[8:12] == b"WEBP" else "image/svg+xml"
    kind += ";whole=1" if modality == "scan" else ""
    return f"data:{kind};base64,{base64.b64encode(shown).decode('ascii')}"


def text_of(samples: SampleSet, row: int) -> str:
    """The row's text, as much as the run kept; "" where samples are no texts."""
    if samples.items is None or samples.modality != "text":
        return ""
    return samples.items.read(row).decode(errors="replace")


def has_outlines(samples: SampleSet) -> bool:
    """Whether previews bear outlines of masks."""
    return samples.items is not None and samples.modality == "scan" and bool(samples.items.marks(0))


class InlinePictures:
    """Makes the addresses of a store's previews, each once.

    Args:
        items: None has no images.
        modality: of the items.
        most_bytes: bound on all addresses together, as they stand in the page; an image that is shown twice counts
            twice.
        size: longest side in pixels.
    """

    def __init__(self, items: ItemStore | None, most_bytes: int, size: int, modality: str = "image") -> None:
        self._items = items
        self._most = most_bytes
        self._size = size
        self._modality = modality
        self._bytes = 0
        self._made: dict[int, Markup] = {}
        self.left_out = 0
        """Images that were wanted and did not fit or could not be decoded."""

    def address(self, row: int) -> Markup | None:
        """The data address of a row's image; None where there is none, it cannot be decoded, or the page is full."""
        if self._items is None:
            return None
        if row not in self._made:
            try:
                marks = self._items.marks(row)
                made = preview_address(self._items.read(row), self._modality, self._size, marks=marks)
            except (OSError, ValueError, InvalidInput):
                made = ""
            self._made[row] = Markup(made)
        found = self._made[row]
        if not found or self._bytes + len(found) > self._most:
            self.left_out += 1
            return None
        self._bytes += len(found)
        return found
