"""Small pictures as data addresses inside a page, within a bound on their bytes."""

from __future__ import annotations

import base64

from markupsafe import Markup

from core.data.images.thumbnails import shrink
from core.errors import InvalidInput
from core.records import ItemStore


class InlinePictures:
    """Makes the addresses of a store's pictures, each once.

    Args:
        images: None has no pictures.
        most_bytes: bound on all addresses together, as they stand in the page; a picture that is shown twice counts
            twice.
        size: longest side in pixels.
    """

    def __init__(self, images: ItemStore | None, most_bytes: int, size: int) -> None:
        self._images, self._most, self._size = images, most_bytes, size
        self._bytes = 0
        self._made: dict[int, Markup] = {}
        self.left_out = 0
        """Pictures that were wanted and did not fit or could not be decoded."""

    def address(self, row: int) -> Markup | None:
        """The data address of a row's picture; None where there is none, it cannot be decoded, or the page is full."""
        if self._images is None:
            return None
        if row not in self._made:
            try:
                made = base64.b64encode(shrink(self._images.read(row), self._size)).decode("ascii")
            except (OSError, ValueError, InvalidInput):
                made = ""
            self._made[row] = Markup(f"data:image/webp;base64,{made}" if made else "")
        found = self._made[row]
        if not found or self._bytes + len(found) > self._most:
            self.left_out += 1
            return None
        self._bytes += len(found)
        return found
