"""Runs found again by their ids, below one root."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.errors import InvalidInput
from core.files import cannot_write, sweep, sweep_parts
from core.folders import settle, stamp, writer
from core.records import Diagnosis, Progress, no_progress
from core.records.codec import encode
from core.store.layout import OWN, RUN, STATE, is_run
from core.store.own import with_own, write_own
from core.store.read import load
from core.store.write import save


def run_id(diagnosis: Diagnosis, *, secret: bool = False) -> str:
    """The id of a run: its data's fingerprint and a hash of its settings; with `secret`, 128 random bits that nobody
    can guess.

    The same input, settings and seed give the same id, secret apart.
    """
    settings = json.dumps(encode(dict(diagnosis.settings), {}), sort_keys=True)
    name = f"{diagnosis.fingerprint[:16]}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"
    return f"{name}-{secrets.token_hex(16)}" if secret else name


_ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}(-[0-9a-f]{32})?")
_GOING, _FORMER = ".gone-", ".new-"
"""How a folder is called that is being removed, and one that earlier versions wrote beside."""


class RunStore:
    """Finished runs below one root, the last few of them also in memory. Safe to share between threads.

    What killed processes left below the root is put in place or swept at the start.

    Args:
        root: made when first needed.
        keep_loaded: how many diagnoses stay in memory.
    """

    def __init__(self, root: Path, *, keep_loaded: int = 4) -> None:
        self.root = root
        self._keep_loaded = keep_loaded
        self._loaded: OrderedDict[str, tuple[tuple[int, int] | None, Diagnosis]] = OrderedDict()
        """With the stamp of what a person says of it (`core.store.own`)."""
        self._lock = threading.Lock()
        self._settle()

    def _settle(self) -> None:
        with suppress(OSError):
            for path in [Path(entry) for entry in os.scandir(self.root) if entry.is_dir(follow_symlinks=False)]:
                if path.name.startswith((_GOING, _FORMER)):
                    sweep(path)
                elif _ID.fullmatch(path.name):
                    settle(path, RUN)
                    sweep_parts(path)
                    if not is_run(path):
                        sweep(path)  # of a writer that was killed, unless it is at work

    def put(self, diagnosis: Diagnosis, *, secret: bool = True, progress: Progress = no_progress) -> str:
        """Save the diagnosis and return its id. With `secret` the id cannot be guessed: on a shared host it is the key
        to the run.

        Without `secret` the same data and settings give the same id, and a finished run of that id is kept as it is.
        """
        name = run_id(diagnosis, secret=secret)
        folder = self.root / name
        if not is_run(folder):
            try:
                save(diagnosis, folder, progress)
            except BaseException:
                if not is_run(folder):
                    sweep(folder)
                raise
        return name

    def get(self, name: str) -> Diagnosis:
        """The diagnosis of that id, its pictures replaced by thumbnails.

        Raises:
            InvalidInput: there is no such run, or it is damaged.
        """
        folder = self.folder(name)
        said = stamp(folder / OWN)  # before it is read: what is read may be newer, and is read once more then
        with self._lock:
            held = self._loaded.get(name)
            if held is not None:
                self._loaded.move_to_end(name)
                if held[0] == said:
                    return held[1]
        if held is not None and said is not None:
            diagnosis = with_own(held[1], folder / OWN)
        else:
            diagnosis = load(folder, f"The run {name[:16]!r}")
        self._hold(name, said, diagnosis)
        return diagnosis

    def _hold(self, name: str, said: tuple[int, int] | None, diagnosis: Diagnosis) -> None:
        with self._lock:
            self._loaded[name] = said, diagnosis
            while len(self._loaded) > self._keep_loaded:
                self._loaded.popitem(last=False)

    def say(self, name: str, change: Callable[[Diagnosis], Diagnosis]) -> Diagnosis:
        """The run with what a person says of it changed, and that alone written (`core.store.own`); nobody else writes
        between the reading and the writing.

        Args:
            change: of what `core.yours` keeps; any other change is not kept.

        Raises:
            InvalidInput: there is no such run, it cannot be written, or from `change`.
        """
        folder = self.folder(name)
        try:
            with writer(folder, RUN, lambda: None):
                diagnosis = change(self.get(name))
                write_own(diagnosis, folder / OWN)
                diagnosis = with_own(diagnosis, folder / OWN)
                self._hold(name, stamp(folder / OWN), diagnosis)
        except OSError as error:
            raise cannot_write(f"What you say of the run {name[:16]!r} cannot be kept", error) from error
        return diagnosis

    def folder(self, name: str) -> Path:
        """Where the run of that id lies.

        Raises:
            InvalidInput: the id is malformed (no path may pass for one), or there is no such run.
        """
        if not self.has(name):
            raise InvalidInput(
                f"There is no run {name[:80]!r} here; it may have been removed. Diagnose the data again."
            )
        return self.root / name

    def has(self, name: str) -> bool:
        """Whether there is a finished run of that id."""
        return bool(_ID.fullmatch(name)) and is_run(self.root / name)

    def names(self) -> list[str]:
        """The ids of the finished runs, newest first."""
        finished = [path.parent for path in self.root.glob(f"*/{STATE}") if _ID.fullmatch(path.parent.name)]
        return [folder.name for folder in sorted(finished, key=lambda f: (-(f / STATE).stat().st_mtime, f.name))]

    def remove(self, name: str) -> None:
        """Delete the run of that id from memory and disk. It is no run any more before the first file goes."""
        folder = self.folder(name)
        with self._lock:
            self._loaded.pop(name, None)
        going = self.root / f"{_GOING}{secrets.token_hex(8)}"
        with suppress(OSError):
            folder.rename(going)
        shutil.rmtree(going if going.is_dir() else folder, ignore_errors=True)
