"""Look up runs by id, below one root."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from core.errors import InvalidInput
from core.files import cannot_write, sweep_parts
from core.locks import lock
from core.records import Diagnosis, Progress, no_progress
from core.records.codec import encode
from core.store.layout import SUFFIX
from core.store.own import stamp, with_own, write_own
from core.store.read import load
from core.store.write import put


def run_id(diagnosis: Diagnosis, *, secret: bool = False) -> str:
    """Compute the id of a run: the fingerprint of its data and a hash of its settings; with `secret`, also 128 random
    bits that nobody can guess.

    Without `secret`, the same input, settings and seed give the same id.
    """
    settings = json.dumps(encode(dict(diagnosis.settings), {}), sort_keys=True)
    name = f"{diagnosis.fingerprint[:16]}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"
    if secret:
        name = f"{name}-{secrets.token_hex(16)}"
    return name


_ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}(-[0-9a-f]{32})?")
_OWN = ".yours.json"
"""End of the name of the file of a person's sets and notes, beside the run (`core.store.own`)."""


class RunStore:
    """Finished runs in one folder, `ID.errata`; the most recent stay in memory. Safe to share between threads.

    Args:
        root: made on first use. Remains of killed processes are removed at the start.
        keep_loaded: number of diagnoses in memory.
    """

    def __init__(self, root: Path, *, keep_loaded: int = 4) -> None:
        self.root = root
        self._keep_loaded = keep_loaded
        self._loaded: OrderedDict[str, tuple[tuple[int, int] | None, Diagnosis]] = OrderedDict()
        """With the stamp of the file of a person's sets and notes."""
        self._lock = threading.Lock()
        sweep_parts(root)

    def put(
        self,
        diagnosis: Diagnosis,
        *,
        secret: bool = True,
        progress: Progress = no_progress,
        placing: Callable[[str], AbstractContextManager[None]] = nullcontext,
    ) -> str:
        """Save the diagnosis and return its id. With `secret` nobody can guess the id, which on a shared host is the
        key to the run.

        Without `secret` the same data and settings give the same id, and an existing run of that id stays unchanged.

        Args:
            placing: called with the id; see `core.store.write.put`.
        """
        name = run_id(diagnosis, secret=secret)
        if not self.has(name):
            put(diagnosis, self._path(name), progress, placing=placing(name))
        return name

    def get(self, name: str) -> Diagnosis:
        """Load the diagnosis of that id, with thumbnails instead of its images.

        Raises:
            InvalidInput: the run is missing or damaged.
        """
        path = self.path(name)
        own_file = self.own_file(name)
        version = stamp(own_file)  # before reading: if the file read is newer, the next call reads it again
        with self._lock:
            held = self._loaded.get(name)
            if held is not None:
                self._loaded.move_to_end(name)
                if held[0] == version:
                    return held[1]
        if held and version:
            diagnosis = with_own(held[1], own_file)
        else:
            diagnosis = with_own(load(path, f"The run {name[:16]!r}"), own_file)
        with self._lock:
            self._loaded[name] = version, diagnosis
            while len(self._loaded) > self._keep_loaded:
                self._loaded.popitem(last=False)
        return diagnosis

    def say(self, name: str, change: Callable[[Diagnosis], Diagnosis]) -> Diagnosis:
        """Change a person's sets and notes on the run, write only those (`core.store.own`), and return the run. The
        user's other processes cannot write between reading and writing.

        Args:
            change: changes what `core.yours` stores; any other change is lost.

        Raises:
            InvalidInput: the run is missing, the file cannot be written, or `change` raised it.
        """
        own_file = self.own_file(name)
        try:
            with lock(own_file):
                write_own(change(self.get(name)), own_file)
                return self.get(name)
        except OSError as error:
            raise cannot_write(f"Cannot save your sets and notes on the run {name[:16]!r}", error) from error

    def path(self, name: str) -> Path:
        """Return the file of the run of that id.

        Raises:
            InvalidInput: the id is malformed (a path is never an id), or the run is missing.
        """
        if not self.has(name):
            raise InvalidInput(f"No run {name[:80]!r} here; it may have been deleted. Run `diagnose` again.")
        return self._path(name)

    def own_file(self, name: str) -> Path:
        """Return the path of the file of a person's sets and notes on the run; it may not exist."""
        return self.root / f"{name}{_OWN}"

    def has(self, name: str) -> bool:
        """Whether a finished run of that id exists."""
        return bool(_ID.fullmatch(name)) and self._path(name).is_file()

    def names(self) -> list[str]:
        """List the ids of the finished runs, newest first."""
        finished = [path for path in self.root.glob(f"*{SUFFIX}") if self.has(path.stem)]
        return [path.stem for path in sorted(finished, key=lambda f: (-f.stat().st_mtime, f.name))]

    def remove(self, name: str) -> None:
        """Delete the run from memory and disk, with the sets and notes on it."""
        path = self.path(name)
        with self._lock:
            self._loaded.pop(name, None)
        path.unlink(missing_ok=True)
        for own_file in self.root.glob(f"{name}{_OWN}*"):
            with suppress(OSError):
                own_file.unlink()

    def _path(self, name: str) -> Path:
        return self.root / f"{name}{SUFFIX}"
