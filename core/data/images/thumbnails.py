"""Small pictures, or starts of texts, kept with a finished run, so that its page and report need the originals no
more."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.arrays import DAMAGE
from core.data.images.decoding import decode
from core.data.modality import Modality, Unreadable, modality_of
from core.errors import InvalidInput, printable
from core.folders import open_located
from core.limits import Limits, byte_size
from core.received import StoredZip, digest
from core.records import ItemStore, ItemView, Progress, no_progress

STORED_SIZE = 192
"""Longest side, in pixels, of the pictures kept with a run."""

_log = logging.getLogger(__name__)


def shrink(payload: bytes, size: int) -> bytes:
    """WebP bytes of the picture, upright, its longest side at most `size` pixels.

    Raises:
        InvalidInput: the bytes are no picture that can be used.
    """
    try:
        picture = decode(payload).image
    except Unreadable as error:
        raise InvalidInput(f"The picture {error}") from error
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=78, method=2)  # a method of 4 takes twice the time and saves a few per cent
    return out.getvalue()


class ThumbnailStore(ItemStore):
    """The thumbnails of a stored run.

    Args:
        path: the zip that `write_thumbnails` made.
        names: (n,) the names of the originals, in the order they were written.
        digest: the zip's SHA-256, checked before the first is read; "" where a run of an earlier version kept none.
        modality: of the samples.
    """

    def __init__(self, path: Path, names: tuple[str, ...], digest: str = "", modality: str = "image") -> None:
        self._path, self._names, self._digest = path, names, digest
        self._suffix = modality_of(modality).kept_as
        self._zip: zipfile.ZipFile | None = None

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        return self._names[index]

    def read(self, index: int) -> bytes:
        try:
            return self._read(_entry(index, self._suffix))
        except KeyError:
            raise InvalidInput(
                f"The run kept no thumbnail of {self._names[index]!r}: the picture could not be decoded."
            ) from None
        except DAMAGE as error:
            why = error.strerror if isinstance(error, OSError) else error  # not the path that an OSError names
            raise InvalidInput(
                f"The thumbnails of this run cannot be read ({why}). Diagnose the data again to make them anew."
            ) from error

    def marks(self, index: int) -> tuple[npt.NDArray[Any], ...]:
        if self._suffix != "webp":
            return ()
        try:
            kept = [self._read(_mask_entry(index, k)) for k in range(2)]
            return tuple(np.asarray(Image.open(io.BytesIO(one))) for one in kept)
        except (KeyError, *DAMAGE):  # there is none, or `read` says what is wrong
            return ()

    def _archive(self) -> zipfile.ZipFile:
        if self._zip is None:
            self._zip = self._opened()
        return self._zip

    def _opened(self) -> zipfile.ZipFile:
        with open_located(self._path) as file:
            if self._digest and digest(file) != self._digest:
                raise zipfile.BadZipFile(f"{self._path.name} is not the one that was written with it")
            return StoredZip(file)

    def _read(self, name: str) -> bytes:
        archive = self._archive()
        if (size := archive.getinfo(name).file_size) > Limits().max_file_bytes:
            raise zipfile.BadZipFile(
                f"{name} has {byte_size(size)}; at most {byte_size(Limits().max_file_bytes)} are read"
            )
        return archive.read(name)


def write_thumbnails(items: ItemStore, path: Path, progress: Progress = no_progress, *, modality: str = "image") -> int:
    """Write a zip with what is kept of each row of `items`; returns how many could not be shown (each is logged)."""
    failed, kind = 0, modality_of(modality)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for row, kept in enumerate(_kept(items, kind)):
            failed += not kept
            names = (_entry(row, kind.kept_as), *(_mask_entry(row, k) for k in range(2)))
            for name, payload in zip(names, kept):
                # A fixed date: the same run gives the same bytes.
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), payload)
            progress("thumbnails", row + 1, len(items))
    return failed


def _kept(items: ItemStore, kind: Modality, batch: int = 64) -> Iterator[list[bytes]]:
    """What is kept of each row, in order, with its masks behind it; nothing where it could not be shown. At most
    `batch` originals are in memory at once."""
    base = items.base if isinstance(items, ItemView) else items

    def one(row: int) -> list[bytes]:
        try:
            payload, marks = items.read(row), items.marks(row)
            kept = payload if isinstance(base, ThumbnailStore) else kind.keep(payload, STORED_SIZE)
            return [kept, *(kind.keep_marks(payload, STORED_SIZE, marks) if marks else ())]
        except (OSError, ValueError, InvalidInput) as error:
            _log.warning("no thumbnail of %s: %s", printable(items.name(row)), printable(str(error)))
            return []

    with ThreadPoolExecutor(max_workers=4) as pool:
        for start in range(0, len(items), batch):
            yield from pool.map(one, range(start, min(start + batch, len(items))))


def _entry(row: int, suffix: str) -> str:
    return f"{row:07d}.{suffix}"


def _mask_entry(row: int, k: int) -> str:
    """Of the true (0) or the predicted (1) mask of a scan."""
    return f"{row:07d}.mask{k}.png"
