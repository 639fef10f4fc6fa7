"""Embed previews of items in a page as data URLs, within a bound on their bytes."""

from __future__ import annotations

import base64

from markupsafe import Markup

from core.data.modality import Marks, modality_of
from core.errors import InvalidInput
from core.records import ItemStore, SampleSet


def preview(
    payload: bytes, modality: str, size: int, *, as_saved: bool = False, marks: Marks = ()
) -> tuple[bytes, str]:
    """An item's preview, and its media type.

    Args:
        size: longest side in pixels.
        as_saved: leave a WebP as it is, whatever its size, unless there are marks.
        marks: of the item (`ItemStore.marks`).

    Raises:
        InvalidInput: the bytes cannot be shown.
    """
    shown = payload
    if not as_saved or marks or payload[8:12] != b"WEBP":
        shown = modality_of(modality).preview(payload, size, marks)
    return shown, "image/webp" if shown[8:12] == b"WEBP" else "image/svg+xml"


def preview_address(payload: bytes, modality: str, size: int, *, as_saved: bool = False, marks: Marks = ()) -> str:
    """The data URL of an item's `preview`; for a scan or one with marks with ";whole=1", by which style sheets do not
    crop it."""
    shown, kind = preview(payload, modality, size, as_saved=as_saved, marks=marks)
    if modality == "scan" or marks:
        kind += ";whole=1"
    return f"data:{kind};base64,{base64.b64encode(shown).decode('ascii')}"


def text_of(samples: SampleSet, row: int) -> str:
    """The row's text as stored by the run; "" for other modalities."""
    if samples.items is None or samples.modality != "text":
        return ""
    return samples.items.read(row).decode(errors="replace")


def has_outlines(samples: SampleSet) -> bool:
    """Whether previews show outlines of masks or boxes."""
    if samples.items is None:
        return False
    try:
        return bool(samples.items.marks(0))
    except InvalidInput:  # the image of the first row is gone
        return False


class InlinePictures:
    """Make the data URLs of a store's previews, each once.

    Args:
        items: None has no images.
        modality: of the items.
        most_bytes: bound on all URLs of the page together; an image shown twice counts twice.
        size: longest side in pixels.
    """

    def __init__(self, items: ItemStore | None, most_bytes: int, size: int, modality: str = "image") -> None:
        self._items = items
        self._most = most_bytes
        self._size = size
        self._modality = modality
        self._bytes = 0
        self._addresses: dict[int, Markup] = {}
        self.left_out = 0
        """Requested images that did not fit or could not be decoded."""

    def address(self, row: int) -> Markup | None:
        """The data URL of a row's image; None without an image, if it cannot be decoded, or if the page is full."""
        if self._items is None:
            return None
        if row not in self._addresses:
            try:
                marks = self._items.marks(row)
                text = preview_address(self._items.read(row), self._modality, self._size, marks=marks)
            except (OSError, ValueError, InvalidInput):
                text = ""
            self._addresses[row] = Markup(text)
        address = self._addresses[row]
        if not address or self._bytes + len(address) > self._most:
            self.left_out += 1
            return None
        self._bytes += len(address)
        return address
