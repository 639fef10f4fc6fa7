"""Deletion of old data while the server runs, by time since first seen, so that a change of the clock deletes
nothing."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from webapp.explore.patches import prune_patches
from webapp.state.home import count_bytes, part
from webapp.state.jobs import JOBS
from webapp.state.quotas import quotas
from webapp.state.runs import RUNS
from webapp.state.uploads import UPLOADS

EVERY_S = 600.0
COUNT_EVERY_S = 60.0

_log = logging.getLogger(__name__)


class Sweeper:
    """Runs, uploads, files, caches, and notes on failed jobs older than `Quotas.kept_s` are deleted every ten minutes.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[tuple[Path, int, int], float] = {}
        """First sighting of each item, by path, inode, and modification time, which identify it."""
        self._stop = threading.Event()

    def start(self) -> None:
        """Sweep in a thread until `stop`."""
        threading.Thread(target=self._run, name="sweep", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def sweep(self) -> int:
        """Delete old data; returns the number of files, caches, and runs."""
        age = quotas().kept_s
        swept = RUNS.expire()
        before = self._clock() - age
        prune_patches()
        UPLOADS.expire(age)
        JOBS.lasting.expire(age)
        there = {key: self._seen.get(key, self._clock()) for key in _items()}
        for (path, _, _), since in there.items():
            if since < before:
                swept += _delete(path)
        self._seen = {key: since for key, since in there.items() if since >= before}
        return swept

    def _run(self) -> None:
        last = self._clock()
        while not self._stop.wait(COUNT_EVERY_S):
            try:
                count_bytes()
                if self._clock() - last >= EVERY_S:
                    last = self._clock()
                    self.sweep()
            except Exception:  # the next one tries again
                _log.exception("sweeping failed")


def _items() -> Iterator[tuple[Path, int, int]]:
    """Yield (path, inode, time) of each upload and download, and of each visit's cache as a whole (time 0)."""
    for folder, _, names in os.walk(part("uploads")):  # including the downloads
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(OSError):  # deleted meanwhile
                status = path.lstat()
                yield path, status.st_ino, status.st_mtime_ns
    for path in part("cache").iterdir():
        with contextlib.suppress(OSError):
            yield path, path.lstat().st_ino, 0


def _delete(path: Path) -> int:
    """Delete a folder, or a file with its folder if that is then empty; the server's folders stay."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return 1
    with contextlib.suppress(OSError):
        path.unlink()
        if path.parent not in (part("uploads"), part("files")):
            with contextlib.suppress(OSError):  # others are in it
                path.parent.rmdir()
        return 1
    return 0
