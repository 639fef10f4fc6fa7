"""Runs found again by their ids, below one root."""

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
    """The id of a run: its data's fingerprint and a hash of its settings; with `secret`, 128 random bits that nobody
    can guess.

    The same input, settings and seed give the same id, secret apart.
    """
    settings = json.dumps(encode(dict(diagnosis.settings), {}), sort_keys=True)
    name = f"{diagnosis.fingerprint[:16]}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"
    return f"{name}-{secrets.token_hex(16)}" if secret else name


_ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}(-[0-9a-f]{32})?")
_OWN = ".yours.json"
"""Ends the name of the file in which a person's words on a run lie beside it (`core.store.own`)."""


class RunStore:
    """Finished runs in one folder, `ID.errata`, the last few of them also in memory. Safe to share between threads.

    Args:
        root: made when first needed. What killed processes left there is swept at the start.
        keep_loaded: how many diagnoses stay in memory.
    """

    def __init__(self, root: Path, *, keep_loaded: int = 4) -> None:
        self.root = root
        self._keep_loaded = keep_loaded
        self._loaded: OrderedDict[str, tuple[tuple[int, int] | None, Diagnosis]] = OrderedDict()
        """With the stamp of what a person says of it."""
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
        """Save the diagnosis and return its id. With `secret` the id cannot be guessed: on a shared host it is the key
        to the run.

        Without `secret` the same data and settings give the same id, and a finished run of that id is kept as it is.

        Args:
            placing: called with the id; as `core.store.write.put` takes it.
        """
        name = run_id(diagnosis, secret=secret)
        if not self.has(name):
            put(diagnosis, self._path(name), progress, placing=placing(name))
        return name

    def get(self, name: str) -> Diagnosis:
        """The diagnosis of that id, its images replaced by thumbnails.

        Raises:
            InvalidInput: there is no such run, or it is damaged.
        """
        path = self.path(name)
        own = self.own_file(name)
        said = stamp(own)  # before it is read: what is read may be newer, and is read once more then
        with self._lock:
            held = self._loaded.get(name)
            if held is not None:
                self._loaded.move_to_end(name)
                if held[0] == said:
                    return held[1]
        diagnosis = with_own(held[1] if held and said else load(path, f"The run {name[:16]!r}"), own)
        self._hold(name, said, diagnosis)
        return diagnosis

    def _hold(self, name: str, said: tuple[int, int] | None, diagnosis: Diagnosis) -> None:
        with self._lock:
            self._loaded[name] = said, diagnosis
            while len(self._loaded) > self._keep_loaded:
                self._loaded.popitem(last=False)

    def say(self, name: str, change: Callable[[Diagnosis], Diagnosis]) -> Diagnosis:
        """The run with what a person says of it changed, and that alone written (`core.store.own`); no other process of
        the user writes between the reading and the writing.

        Args:
            change: of what `core.yours` keeps; any other change is not kept.

        Raises:
            InvalidInput: there is no such run, it cannot be written, or from `change`.
        """
        own = self.own_file(name)
        try:
            with lock(own):
                write_own(change(self.get(name)), own)
                return self.get(name)
        except OSError as error:
            raise cannot_write(f"What you say of the run {name[:16]!r} cannot be kept", error) from error

    def path(self, name: str) -> Path:
        """The file of the run of that id.

        Raises:
            InvalidInput: the id is malformed (no path may pass for one), or there is no such run.
        """
        if not self.has(name):
            raise InvalidInput(
                f"There is no run {name[:80]!r} here; it may have been removed. Diagnose the data again."
            )
        return self._path(name)

    def own_file(self, name: str) -> Path:
        """Where it lies what a person says of the run of that id; there may be none."""
        return self.root / f"{name}{_OWN}"

    def has(self, name: str) -> bool:
        """Whether there is a finished run of that id."""
        return bool(_ID.fullmatch(name)) and self._path(name).is_file()

    def names(self) -> list[str]:
        """The ids of the finished runs, newest first."""
        finished = [path for path in self.root.glob(f"*{SUFFIX}") if self.has(path.stem)]
        return [path.stem for path in sorted(finished, key=lambda f: (-f.stat().st_mtime, f.name))]

    def remove(self, name: str) -> None:
        """Delete the run of that id from memory and disk, with what was said of it."""
        path = self.path(name)
        with self._lock:
            self._loaded.pop(name, None)
        path.unlink(missing_ok=True)
        for said in self.root.glob(f"{name}{_OWN}*"):
            with suppress(OSError):
                said.unlink()

    def _path(self, name: str) -> Path:
        return self.root / f"{name}{SUFFIX}"
