"""What is known of each visitor's run beside the run itself: a small file, named by the id that stands in links.

A run's own id, which lets it be changed and deleted, is never written: the id of links follows from it by a hash, so
who reads the disk, or a copy of it, can read the run and no more.

Several servers may share a folder of notes. Each change holds the folder's lock, and so does a run that takes its place
until its note is written, so that no other server takes it for one that was left.
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
"""A time that no note says, in the year 5138."""
_ID = re.compile(r"[\w-]{22}", re.ASCII)
_KINDS: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "float": (int, float)}


@dataclass(frozen=True, slots=True)
class Note:
    """One run as the list of runs shows it."""

    link: str
    name: str
    """Of its folder in the store; each version of a run has one of its own."""
    title: str
    made: float
    """Seconds since 1970."""
    n_samples: int
    kind: str
    """What a sample is: `core.data.modality.MODALITIES`."""
    encoder: str
    """With its fingerprint, or "given"."""
    n_clusters: int
    """Confirmed ones."""


class Notes:
    """The notes in one folder, which is there. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, tuple[tuple[int, ...], Note | None]] = {}
        """What was read last, and of which version of the file."""

    def read(self, link: str) -> Note | None:
        """The note under the id of a run's links; None where there is none, or it is damaged."""
        if not is_id(link):
            return None
        path = self._path(link)
        try:
            status = path.lstat()
            stamp = status.st_ino, status.st_mtime_ns, status.st_size
            before = self._read.get(link)
            if before is None or before[0] != stamp:  # read once: it is asked for at each click
                found = read_stored(path, MAX_NOTE_BYTES, below=self.folder)
                before = self._read[link] = stamp, _checked(found, link)
            return before[1]
        except (OSError, ValueError):
            self._read.pop(link, None)
            return None

    def all(self) -> list[Note]:
        """Those of all runs, the earliest first."""
        found = [self.read(path.stem) for path in self.folder.glob("*.json")]
        return sorted((note for note in found if note), key=lambda note: (note.made, note.link))

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self.folder.glob("*.json"))

    def write(self, note: Note) -> None:
        """Put a note in place of the one under the same id; raises InvalidInput where it cannot be written."""
        write_json(self._path(note.link), asdict(note))

    def remove(self, link: str) -> None:
        """From now on nobody finds the run."""
        with suppress(OSError):
            self._path(link).unlink()

    @contextmanager
    def changing(self) -> Generator[None]:
        """Nobody else changes a note or puts a run in its place meanwhile, in this process or another."""
        with lock(self.folder):
            yield

    def _path(self, link: str) -> Path:
        return self.folder / f"{link}.json"


def link_id(run: str) -> str:
    """The id that stands in links to the run with that own id: 132 bits of a SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"errata link {run}".encode()).digest())[:22].decode()


def is_id(said: object) -> bool:
    """Whether that may be the id of a run, its own or that of its links."""
    return isinstance(said, str) and bool(_ID.fullmatch(said))


def _checked(said: Any, link: str) -> Note | None:
    """The note in a file that others may have written to; a file system that ignores case finds it by another name."""
    if not isinstance(said, dict) or said.get("link") != link:
        return None
    values: dict[str, Any] = {field.name: said.get(field.name) for field in fields(Note)}
    right = all(
        isinstance(values[field.name], _KINDS[str(field.type)]) and not isinstance(values[field.name], bool)
        for field in fields(Note)
    )
    return Note(**values) if right and 0 <= values["made"] < FOREVER else None
