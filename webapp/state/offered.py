"""Stored runs that every visitor can open: the shipped examples, and runs named by the operator.

A single user with lasting runs can add notes to the runs they named (`core.yours`). The notes are stored with their
kept runs, because the run's file may be shared. They belong to its findings: they return when the run was moved,
and not when a run with other clusters replaced it.

    said/KEY.json           KEY: a hash of the data, and of the members of each cluster and candidate
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from core import store
from core.errors import InvalidInput
from core.files import cannot_write, sweep_parts
from core.locks import lock
from core.records import Diagnosis
from webapp.state.downloads import forget_said
from webapp.state.home import part


class Offered:
    """Shared runs by public id, each loaded once. Safe to share between threads."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._named: set[str] = set()
        """Ids of the runs that the operator named."""
        self._loaded: dict[str, tuple[Diagnosis, str]] = {}
        """Runs with the key of their notes."""
        self._said: dict[str, tuple[tuple[int, int] | None, Diagnosis]] = {}
        self._lock = threading.Lock()
        self.notable = False
        """Whether a single user's notes are kept."""

    def offer(self, path: Path, name: str = "") -> str:
        """Share a stored run; returns its public id, the name or that of an example."""
        if name:
            self._named.add(name)
        name = name or f"example-{path.parent.name}"
        if self._paths.get(name) != path:
            self._loaded.pop(name, None)
        self._paths[name] = path
        return name

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._paths))

    def __contains__(self, run: str) -> bool:
        return run in self._paths

    def path(self, run: str) -> Path:
        """Return the file of a shared run."""
        return self._paths[run]

    def takes_notes(self, run: str) -> bool:
        """Whether the visitor can add notes."""
        return self.notable and run in self._named

    def own_file(self, run: str) -> Path | None:
        """Return the file of the user's notes, or None."""
        if not self.takes_notes(run):
            return None
        return self._own_file(self._read(run)[1])

    def get(self, run: str) -> Diagnosis:
        """Return a shared run with its notes; raises InvalidInput if it is damaged."""
        diagnosis, key = self._read(run)
        if not self.takes_notes(run):
            return diagnosis
        path = self._own_file(key)
        stamp = store.stamp(path)
        held = self._said.get(run)
        if held is None or held[0] != stamp:
            held = self._said[run] = stamp, store.with_own(diagnosis, path)
        return held[1]

    def say(self, run: str, change: Callable[[Diagnosis], Diagnosis]) -> None:
        """Change the user's notes on a run.

        Raises:
            InvalidInput: it takes no notes, or they cannot be saved.
        """
        if not self.takes_notes(run):
            raise InvalidInput("This run takes no notes here. Copy it to your runs.")
        try:
            path = self._own_file(self._read(run)[1])
            with lock(path):
                store.write_own(change(self.get(run)), path)
        except OSError as error:
            raise cannot_write("Cannot save your notes on this run", error) from error

    def has_notes(self) -> bool:
        """Whether any notes are kept, on open runs or others."""
        return self.notable and any(part("said").glob("*.json"))

    def forget(self) -> None:
        """Delete all notes, and the downloads that contain them."""
        if not self.notable:
            return
        with suppress(OSError):  # an error must not stop the deletion of the visit's runs
            sweep_parts(part("said"))
            for path in part("said").glob("*.json*"):
                with suppress(OSError):
                    if path.is_dir() and not path.is_symlink():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
        for run in self._named:
            forget_said(self._paths[run])

    def _own_file(self, key: str) -> Path:
        return part("said") / f"{key}.json"

    def _read(self, run: str) -> tuple[Diagnosis, str]:
        with self._lock:  # a second visitor waits for the first load instead of repeating it
            if run not in self._loaded:
                diagnosis = store.load(self._paths[run], f"The run {run!r}")
                self._loaded[run] = diagnosis, _key_of(diagnosis)
                self._said.pop(run, None)
            return self._loaded[run]


def _key_of(diagnosis: Diagnosis) -> str:
    """Hash the data and clusters of a run for a file name; notes apply only to the same samples and clusters."""
    digest = hashlib.sha256(diagnosis.fingerprint.encode())
    for cluster in (*diagnosis.clusters, *diagnosis.candidates):
        digest.update(f"|{cluster.id} ".encode() + (cluster.membership >= 0.5).tobytes())
    return digest.hexdigest()[:32]
