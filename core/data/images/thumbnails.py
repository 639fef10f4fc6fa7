"""Small images, or starts of texts, kept with a finished run, so that its page and report need the originals no
more."""

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
from core.data.modality import Modality, Unreadable, modality_of
from core.errors import InvalidInput, printable
from core.limits import Limits, byte_size
from core.records import ItemStore, ItemView, Progress, no_progress

STORED_SIZE = 192
"""Longest side, in pixels, of the images kept with a run."""

_KEPT = 3
"""What may be kept of a row: an image, and of a scan its true and its predicted mask."""

_log = logging.getLogger(__name__)


def shrink(payload: bytes, size: int) -> bytes:
    """WebP bytes of the image, upright, its longest side at most `size` pixels.

    Raises:
        InvalidInput: the bytes are no image that can be used.
    """
    try:
        picture = decode(payload).image
    except Unreadable as error:
        raise InvalidInput(f"The image {error}") from error
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=78, method=2)  # a method of 4 takes twice the time and saves a few per cent
    return out.getvalue()


class ThumbnailStore(ItemStore):
    """The thumbnails of a stored run, which lie one behind the other in its file.

    Args:
        file: open, and from now on the store's own: it goes on to read these where another version of the run takes
            the file's place.
        start: where they begin in it.
        sizes: (n, 3) int64 bytes, as `add_thumbnails` gave them.
        names: (n,) the names of the originals, in the order they were written.

    Raises:
        ValueError: the sizes are not those of so many thumbnails.
    """

    def __init__(self, file: BufferedReader, start: int, sizes: npt.NDArray[Any], names: tuple[str, ...]) -> None:
        room = os.fstat(file.fileno()).st_size - start
        if sizes.shape != (len(names), _KEPT) or sizes.dtype != np.int64 or (sizes > room).any():
            raise ValueError("sizes of the thumbnails: one row of them for each sample is needed")
        there = np.maximum(sizes, 0)
        ends = np.cumsum(there.ravel(), dtype=np.float64).reshape(sizes.shape)
        if sizes.size and ends[-1, -1] > room:
            raise ValueError("the thumbnails are cut")
        self._starts = start + ends.astype(np.int64) - there
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
            raise InvalidInput(f"The run kept no thumbnail of {self._names[index]!r}: the image could not be decoded.")
        try:
            return self._read(index, 0)
        except OSError as error:
            raise InvalidInput(
                f"The thumbnails of this run cannot be read ({error.strerror}). "
                "Diagnose the data again to make new ones."
            ) from error

    def marks(self, index: int) -> tuple[npt.NDArray[Any], ...]:
        if (self._sizes[index] < 0).any():
            return ()
        try:
            masks = [Image.open(io.BytesIO(self._read(index, k))) for k in range(1, _KEPT)]
            return () if any(max(m.size) > STORED_SIZE for m in masks) else tuple(map(np.asarray, masks))
        except (OSError, ValueError, Image.DecompressionBombError):  # no image, or none of ours
            return ()

    def _read(self, index: int, k: int) -> bytes:
        size = int(self._sizes[index, k])
        most = Limits().max_file_bytes
        if size > most:
            raise OSError(errno.EFBIG, f"one has {byte_size(size)}; at most {byte_size(most)} are read")
        with self._lock:
            self._file.seek(int(self._starts[index, k]))
            return self._file.read(size)


def add_thumbnails(
    archive: zipfile.ZipFile, name: str, items: ItemStore, progress: Progress = no_progress, *, modality: str = "image"
) -> npt.NDArray[Any]:
    """Write what is kept of each row of `items` into one member of the archive, one behind the other.

    Returns:
        (n, 3) int64 bytes of each: of the small image, clip or text, and of a scan's true and predicted masks. -1
        where there is none, or it could not be shown (which is logged).
    """
    kind = modality_of(modality)
    sizes = np.full((len(items), _KEPT), -1, np.int64)
    # A fixed date: the same run gives the same bytes.
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as opened:
        for row, kept in enumerate(_kept(items, kind)):
            for k, payload in enumerate(kept):
                sizes[row, k] = len(payload)
                opened.write(payload)
            progress("thumbnails", row + 1, len(items))
    return sizes


def _kept(items: ItemStore, kind: Modality, batch: int = 64) -> Iterator[list[bytes]]:
    """What is kept of each row, in order, with its masks behind it; nothing where it could not be shown. At most
    `batch` originals are in memory at once."""
    base = items.base if isinstance(items, ItemView) else items

    def one(row: int) -> list[bytes]:
        try:
            payload = items.read(row)
            marks = items.marks(row)
            kept = payload if isinstance(base, ThumbnailStore) else kind.keep(payload, STORED_SIZE)
            return [kept, *(kind.keep_marks(payload, STORED_SIZE, marks) if marks else ())]
        except (OSError, ValueError, InvalidInput) as error:
            _log.warning("no thumbnail of %s: %s", printable(items.name(row)), printable(str(error)))
            return []

    with ThreadPoolExecutor(max_workers=4) as pool:
        for start in range(0, len(items), batch):
            yield from pool.map(one, range(start, min(start + batch, len(items))))
