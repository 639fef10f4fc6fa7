"""Notes on visitors' runs: a small file per run, named by its link id.

A run's own id, which allows changes and deletion, is never written. The link id is a hash of it, so somebody who reads
the disk, or a copy, can only read the run.

Several servers can share a folder of notes. Each change holds the folder's lock. A new run holds it until its note is
written, so that no other server takes the run for an abandoned one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from core.documents import read_stored
from core.files import write_json
from core.locks import lock

MAX_TITLE = 120
MAX_NOTE_BYTES = 10_000
FOREVER = 1e11
"""Later than any valid note: the year 5138."""
_ID = re.compile(r"[\w-]{22}", re.ASCII)
_KINDS: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "float": (int, float)}


@dataclass(frozen=True, slots=True)
class Note:
    """A run in the list of runs; these fields are stored as JSON."""

    link: str
    name: str
    """Name of its folder in the store; each version of a run has its own."""
    title: str
    made: float
    """Seconds since 1970."""
    n_samples: int
    kind: str
    """Modality: `core.data.modality.MODALITIES`."""
    encoder: str
    """Name with fingerprint, or "given"."""
    n_clusters: int
    """Confirmed clusters."""


class Notes:
    """The notes in one existing folder. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, tuple[tuple[int, ...], Note | None]] = {}
        """Last read notes, with the version of their files."""

    def read(self, link: str) -> Note | None:
        """Return the note with a link id; None if it is missing or damaged."""
        if not is_id(link):
            return None
        path = self._path(link)
        try:
            status = path.lstat()
            stamp = status.st_ino, status.st_mtime_ns, status.st_size
            before = self._read.get(link)
            if before is None or before[0] != stamp:  # cached, because each click reads it
                document = read_stored(path, MAX_NOTE_BYTES, below=self.folder)
                before = self._read[link] = stamp, _checked(document, link)
            return before[1]
        except (OSError, ValueError):
            self._read.pop(link, None)
            return None

    def all(self) -> list[Note]:
        """Return the notes of all runs, earliest first."""
        notes = [self.read(path.stem) for path in self.folder.glob("*.json")]
        return sorted((note for note in notes if note), key=lambda note: (note.made, note.link))

    def count(self) -> int:
        """Return the number of notes."""
        return sum(1 for _ in self.folder.glob("*.json"))

    def write(self, note: Note) -> None:
        """Write a note, replacing one with the same id; raises InvalidInput if it cannot be written."""
        write_json(self._path(note.link), asdict(note))

    def remove(self, link: str) -> None:
        """Delete a note, so that its run can no longer be found."""
        with suppress(OSError):
            self._path(link).unlink()

    @contextmanager
    def changing(self) -> Generator[None]:
        """Hold the lock on changes of notes and new runs, in this process and others."""
        with lock(self.folder):
            yield

    def _path(self, link: str) -> Path:
        return self.folder / f"{link}.json"


def link_id(run: str) -> str:
    """Return the link id of a run's own id: 132 bits of a SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"errata link {run}".encode()).digest())[:22].decode()


def is_id(value: object) -> bool:
    """Whether the value has the form of a run's own id or link id."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _checked(document: Any, link: str) -> Note | None:
    """Check the note of a file that others may have written. The link is compared too, because a file system that
    ignores case finds files by other names."""
    if not isinstance(document, dict) or document.get("link") != link:
        return None
    values: dict[str, Any] = {field.name: document.get(field.name) for field in fields(Note)}
    for field in fields(Note):
        value = values[field.name]
        if isinstance(value, bool) or not isinstance(value, _KINDS[str(field.type)]):
            return None
    if 0 <= values["made"] < FOREVER:
        return Note(**values)
    return None
