"""Open, measure and show items by modality (`SampleSet.modality`). A new modality is one file and one line of the
table, or comes with a system; the encoders that name it (`Encoder.modality`) embed it."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core import extensions
from core.errors import InvalidInput
from core.records import F32, I64, Column, Progress, no_progress
from core.registry import Registry

MODALITIES = Registry(
    "modality",
    {
        "image": "core.data.images.modality:ImageModality",
        "text": "core.data.texts.modality:TextModality",
        "clip": "core.data.clips.modality:ClipModality",
        "scan": "core.data.scans.modality:ScanModality",
    },
    more=lambda: {name: kind.load for name, kind in extensions.modalities().items()},
)
SUFFIXES: Mapping[str, frozenset[str]] = {
    "image": frozenset(".jpg .jpeg .jpe .jfif .png .webp .bmp .gif .tif .tiff .avif".split()),
    "clip": frozenset(".mp4 .m4v .mov .mkv .webm .avi".split()),
    "scan": frozenset(".nii .mgz .mgh .npz".split()),
}
"""Endings of file names, by modality. An animated image and a slice in PNG count as images unless the modality is
named."""
CATEGORIES = frozenset({"grey", "dominant color", "tint", "file format", "sound", "language"})
"""Measured properties that are names; all others are numbers."""

_log = logging.getLogger(__name__)
Marks = Sequence[npt.NDArray[Any]]


class Unreadable(Exception):
    """The bytes are not a usable item; the message is the reason, to follow the item's name."""


@contextmanager
def refused(name: str) -> Generator[None]:
    """Raise `InvalidInput` where the item of that name turns out `Unreadable`."""
    try:
        yield
    except Unreadable as error:
        raise InvalidInput(f"{name} {error}") from error


def measured_columns(names: Iterable[str], measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Turn the measurements of many items into columns, one for each name; a number that is None becomes nan."""
    built = list[Column]()
    for name in names:
        values = [row[name] for row in measured]
        if name in CATEGORIES:
            built.append(Column(name, "category", np.array(values, object), measured=True))
        else:
            built.append(Column(name, "number", np.array(values, np.float64), measured=True))
    return tuple(built)


class Modality(Protocol):
    """Turns the bytes of an item into an encoder's input, measured properties, and a preview."""

    meanings: Mapping[str, str]
    """Meaning of each property, with its unit."""
    version: str
    """Part of the cache's key: changes with the results of `open`."""

    def open(self, data: bytes) -> tuple[Any, dict[str, Any]]:
        """Decode the item for `Encoder.preprocess`, and measure it, as JSON can hold it. Runs in worker threads.

        Raises:
            Unreadable: the bytes cannot be used.
        """
        ...

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        """Columns of the measurements of n items by `open`, which may serve as conditions."""
        ...

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Sentences on what `open` could not measure in n items."""
        ...

    def duplicates(
        self,
        contents: Sequence[bytes],
        measured: Sequence[Mapping[str, Any]],
        vectors: F32,
        progress: Progress = no_progress,
    ) -> I64:
        """(n,) group numbers from 0; near-duplicates share one. `contents` are digests of the bytes, `vectors` (n, d)
        unit rows."""
        ...

    def keep(self, data: bytes, size: int) -> bytes:
        """Shrink the item for storage in a finished run, whose page and report then do without the original; `preview`
        reads the result as well.

        Raises:
            InvalidInput: the bytes cannot be used.
        """
        ...

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        """Shrink an item's marks for storage in a finished run, to go with the result of `keep`; as PNG."""
        ...

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        """Draw a small image of the item: WebP of at most `size` pixels a side, or an SVG card
        (`core.data.texts.card`); of an image or a scan with the outlines of its `marks` (`ItemStore.marks`).

        Raises:
            InvalidInput: the bytes cannot be used.
        """
        ...


def modality_by_name(name: str) -> str | None:
    """The modality of a file by the end of its name, or None."""
    suffix = PurePosixPath(name.lower().removesuffix(".gz")).suffix
    for modality, suffixes in SUFFIXES.items():
        if suffix in suffixes:
            return modality
    # systems come last and only for unknown suffixes: this runs for every file of an archive
    for modality, kind in extensions.modalities().items():
        if suffix in kind.suffixes:
            return modality
    return None


def meanings_of(name: str) -> dict[str, str]:
    """Meaning of each property of the modality; {} with a warning if another package's modality fails."""
    try:
        return {str(key): str(meaning) for key, meaning in modality_of(name).meanings.items()}
    except Exception as error:
        if name in MODALITIES:
            raise
        _log.warning("The modality %r cannot be used. %s", name, extensions.why(error))
        return {}


def modality_of(name: str) -> Modality:
    """The modality of that name, imported on request.

    Raises:
        InvalidInput: unknown name.
    """
    return MODALITIES.load(name)()
