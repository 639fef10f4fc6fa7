"""Stored runs that every visitor may open: the shipped examples, and those that the operator names.

Where one person alone uses the server and their runs stay, they may say something of the runs that they named
(`core.yours`). It lies beside their kept runs, since a run's own file may be anybody's, and goes with what was found:
it is there again when the run was moved, and not where another with other clusters took its place.

    said/KEY.json           KEY: a hash of the data, and of the members of each cluster and candidate
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable
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
    """Where they lie, by their public ids; each is loaded once. Safe to share between threads."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._named: set[str] = set()
        """Those that the operator named."""
        self._loaded: dict[str, tuple[Diagnosis, str]] = {}
        """With the key of what is said of it."""
        self._said: dict[str, tuple[tuple[int, int] | None, Diagnosis]] = {}
        self._lock = threading.Lock()
        self.notable = False
        """Whether one person alone uses this server, and what they say stays."""

    def offer(self, path: Path, name: str = "") -> str:
        """Let every visitor open the stored run; returns its public id: the name, or that of an example."""
        if name:
            self._named.add(name)
        name = name or f"example-{path.parent.name}"
        if self._paths.get(name) != path:
            self._loaded.pop(name, None)
        self._paths[name] = path
        return name

    def __contains__(self, run: str) -> bool:
        return run in self._paths

    def path(self, run: str) -> Path:
        """The file of one that is there."""
        return self._paths[run]

    def takes_notes(self, run: str) -> bool:
        """Whether the visitor may say something of it."""
        return self.notable and run in self._named

    def own_file(self, run: str) -> Path | None:
        """Where it lies what a person says of it; None where it takes no notes."""
        return self._own_file(self._read(run)[1]) if self.takes_notes(run) else None

    def get(self, run: str) -> Diagnosis:
        """One that is there; raises InvalidInput where it is damaged."""
        diagnosis, key = self._read(run)
        if not self.takes_notes(run):
            return diagnosis
        path = self._own_file(key)
        said = store.stamp(path)
        held = self._said.get(run)
        if held is None or held[0] != said:
            held = self._said[run] = said, store.with_own(diagnosis, path)
        return held[1]

    def say(self, run: str, change: Callable[[Diagnosis], Diagnosis]) -> None:
        """Change what a person says of one.

        Raises:
            InvalidInput: it takes no notes, or they cannot be kept.
        """
        if not self.takes_notes(run):
            raise InvalidInput("This run takes no notes here. Copy it to a run of your own.")
        try:
            path = self._own_file(self._read(run)[1])
            with lock(path):
                store.write_own(change(self.get(run)), path)
        except OSError as error:
            raise cannot_write("What you say of this run cannot be kept", error) from error

    def has_notes(self) -> bool:
        """Whether anything is kept of what a person said, of runs that are open or not."""
        return self.notable and any(part("said").glob("*.json"))

    def forget(self) -> None:
        """Delete all of that, and the files to take away in which it stands."""
        if not self.notable:
            return
        with suppress(OSError):  # whatever lies there, a visit's runs are deleted next
            sweep_parts(part("said"))
            for path in part("said").glob("*.json*"):
                with suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for run in self._named:
            forget_said(self._paths[run])

    def _own_file(self, key: str) -> Path:
        return part("said") / f"{key}.json"

    def _read(self, run: str) -> tuple[Diagnosis, str]:
        with self._lock:  # a second visitor waits for the first one's load instead of doing it twice
            if run not in self._loaded:
                diagnosis = store.load(self._paths[run], f"The run {run!r}")
                self._loaded[run] = diagnosis, _key_of(diagnosis)
                self._said.pop(run, None)
            return self._loaded[run]


def _key_of(diagnosis: Diagnosis) -> str:
    """What is found in the run, as a name of a file: of other samples, or of other clusters, nothing was said."""
    found = hashlib.sha256(diagnosis.fingerprint.encode())
    for cluster in (*diagnosis.clusters, *diagnosis.candidates):
        found.update(f"|{cluster.id} ".encode() + (cluster.membership >= 0.5).tobytes())
    return found.hexdigest()[:32]
