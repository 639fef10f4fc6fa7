"""Store small images, or starts of texts, with a finished run, so that its page and report do without the originals."""

from __future__ import annotations

import errno
import io
import logging
import os
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data.images.decoding import decode
from core.data.modality import Modality, modality_of, refused
from core.errors import InvalidInput, printable
from core.limits import Limits, byte_size
from core.records import ItemStore, ItemView, Progress, no_progress

STORED_SIZE = 192
"""Longest side, in pixels, of the images stored with a run."""

_MEMBERS_PER_ROW = 3
"""The small item, and its true and its predicted mask."""

_log = logging.getLogger(__name__)


def shrink(payload: bytes, size: int) -> bytes:
    """Shrink an image to WebP bytes, upright, its longest side at most `size` pixels.

    Raises:
        InvalidInput: the bytes are not a usable image.
    """
    with refused("The image"):
        picture = decode(payload).image
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    return webp(picture)


def webp(picture: Image.Image) -> bytes:
    """The image's WebP bytes, as small as a gallery needs."""
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=78, method=2)  # a method of 4 takes twice the time and saves a few percent
    return out.getvalue()


class ThumbnailStore(ItemStore):
    """The thumbnails of a stored run, one after another in its file.

    Args:
        file: open; the store takes it over, and reads these thumbnails even after another version of the run replaces
            the file.
        start: byte at which they begin.
        sizes: (n, 3) int64 bytes, as `add_thumbnails` returned them.
        names: (n,) the names of the originals, in the order they were written.

    Raises:
        ValueError: the sizes do not fit the names or the file.
    """

    def __init__(self, file: BufferedReader, start: int, sizes: npt.NDArray[Any], names: tuple[str, ...]) -> None:
        room = os.fstat(file.fileno()).st_size - start
        if sizes.shape != (len(names), _MEMBERS_PER_ROW) or sizes.dtype != np.int64 or (sizes > room).any():
            raise ValueError("thumbnail sizes must have one row per sample")
        stored = np.maximum(sizes, 0)
        ends = np.cumsum(stored.ravel(), dtype=np.float64).reshape(sizes.shape)
        if sizes.size and ends[-1, -1] > room:
            raise ValueError("the thumbnails are cut short")
        self._starts = start + ends.astype(np.int64) - stored
        self._file = file
        self._sizes = sizes
        self._names = names
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        return self._names[index]

    def read(self, index: int) -> bytes:
        if self._sizes[index, 0] < 0:
            raise InvalidInput(f"The run has no thumbnail of {self._names[index]!r}: the image could not be decoded.")
        try:
            return self._read(index, 0)
        except OSError as error:
            raise InvalidInput(
                f"The thumbnails of this run cannot be read ({error.strerror}). Diagnose the data again."
            ) from error

    def marks(self, index: int) -> tuple[npt.NDArray[Any], ...]:
        if (self._sizes[index] < 0).any():
            return ()
        try:
            masks = [Image.open(io.BytesIO(self._read(index, k))) for k in range(1, _MEMBERS_PER_ROW)]
            if any(max(mask.size) > STORED_SIZE for mask in masks):
                return ()
            return tuple(map(np.asarray, masks))
        except (OSError, ValueError, Image.DecompressionBombError):  # not an image, or not one that Errata wrote
            return ()

    def _read(self, index: int, k: int) -> bytes:
        size = int(self._sizes[index, k])
        max_bytes = Limits().max_file_bytes
        if size > max_bytes:
            raise OSError(errno.EFBIG, f"one has {byte_size(size)}, above the limit of {byte_size(max_bytes)}")
        with self._lock:
            self._file.seek(int(self._starts[index, k]))
            return self._file.read(size)


def add_thumbnails(
    archive: zipfile.ZipFile, name: str, items: ItemStore, progress: Progress = no_progress, *, modality: str = "image"
) -> npt.NDArray[Any]:
    """Write the thumbnail and masks of each row of `items` into one member of the archive, one after another.

    Returns:
        (n, 3) int64 bytes of the small image, clip or text, and of its true and predicted masks. -1 where there is
        none, or it could not be drawn (which is logged).
    """
    kind = modality_of(modality)
    sizes = np.full((len(items), _MEMBERS_PER_ROW), -1, np.int64)
    # A fixed date: the same run gives the same bytes.
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as opened:
        for row, payloads in enumerate(_thumbnails(items, kind)):
            for k, payload in enumerate(payloads):
                sizes[row, k] = len(payload)
                opened.write(payload)
            progress("thumbnails", row + 1, len(items))
    return sizes


def _thumbnails(items: ItemStore, kind: Modality, batch: int = 64) -> Iterator[list[bytes]]:
    """The thumbnail of each row, in order, followed by its masks; [] where it could not be drawn. At most `batch`
    originals are in memory at once."""
    base = items
    if isinstance(items, ItemView):
        base = items.base

    def shrink_row(row: int) -> list[bytes]:
        try:
            payload = items.read(row)
            marks = items.marks(row)
            payloads = [payload]
            if not isinstance(base, ThumbnailStore):
                payloads = [kind.keep(payload, STORED_SIZE)]
            if marks:
                payloads += kind.keep_marks(payload, STORED_SIZE, marks)
            return payloads
        except (OSError, ValueError, InvalidInput) as error:
            _log.warning("no thumbnail of %s: %s", printable(items.name(row)), printable(str(error)))
            return []

    with ThreadPoolExecutor(max_workers=4) as pool:
        for start in range(0, len(items), batch):
            yield from pool.map(shrink_row, range(start, min(start + batch, len(items))))
