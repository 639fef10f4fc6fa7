"""What is done with items of one kind, by the name that a sample set bears (`SampleSet.modality`). A new kind is one
file and one line of the table, or a system's; the encoders that name it (`Encoder.modality`) embed it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Protocol

import numpy.typing as npt

from core import extensions
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
"""How the names of files end, by modality. An animated image and a slice in PNG count as images unless the modality
is named."""

_log = logging.getLogger(__name__)
Marks = Sequence[npt.NDArray[Any]]


class Unreadable(Exception):
    """The bytes are no item that can be used; the message says why, to follow the item's name."""


class Modality(Protocol):
    """From the bytes of an item to what an encoder takes, what is measured, and what is shown."""

    meanings: Mapping[str, str]
    """What each property is, with its unit."""
    version: str
    """Part of the cache's key: changes with anything that changes what `open` gives."""

    def open(self, data: bytes) -> tuple[Any, dict[str, Any]]:
        """The item as `Encoder.preprocess` takes it, and what is measured of it, as JSON can hold it. Runs in worker
        threads.

        Raises:
            Unreadable: the bytes cannot be used.
        """
        ...

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        """What `open` measured of n items, as columns that may serve as conditions."""
        ...

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Sentences on what could not be measured of n items."""
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
        """What a finished run keeps of the item, so that its page and report need the original no more; `preview` takes
        it as well.

        Raises:
            InvalidInput: the bytes cannot be used.
        """
        ...

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        """What a finished run keeps of an item's marks, beside what `keep` gives; as PNG."""
        ...

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        """A small image of the item: WebP of at most `size` pixels a side, or an SVG card (`core.data.texts.card`);
        of a scan with the outlines of its `marks` (`ItemStore.marks`).

        Raises:
            InvalidInput: the bytes cannot be used.
        """
        ...


def modality_by_name(name: str) -> str | None:
    """The modality of a file by the end of its name; None where it is of none."""
    suffix = PurePosixPath(name.lower().removesuffix(".gz")).suffix
    found = next((modality for modality, suffixes in SUFFIXES.items() if suffix in suffixes), None)
    if found is None:  # asked of every file of an archive: systems only where the kernel does not know the suffix
        found = next((name for name, kind in extensions.modalities().items() if suffix in kind.suffixes), None)
    return found


def meanings_of(name: str) -> dict[str, str]:
    """What each property is of that modality; nothing of another package's that fails, and a warning."""
    try:
        return {str(key): str(said) for key, said in modality_of(name).meanings.items()}
    except Exception as error:
        if name in MODALITIES:
            raise
        _log.warning("The modality %r cannot be used. %s", name, extensions.why(error))
        return {}


def modality_of(name: str) -> Modality:
    """The modality of that name, its file imported now.

    Raises:
        InvalidInput: there is none.
    """
    return MODALITIES.load(name)()
