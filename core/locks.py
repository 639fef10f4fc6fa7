"""Locks between a user's processes on one machine; the system releases them however their holder ends.

The lock files are in the user's cache, not beside the guarded files: they leave nothing in a user's folder, and they
work if a network file system has no locks. Other users and machines are not excluded; files are replaced atomically
(`core.files.replacing`), so the last write counts.
"""

from __future__ import annotations

import errno
import getpass
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.files import default_cache

_WAIT_S = 0.5
_WARN_S = 3.0
"""Seconds between two calls of `waiting`, and until the log reports the wait."""

_log = logging.getLogger(__name__)


@contextmanager
def lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Generator[None]:
    """Hold the lock of a file or folder, which need not exist; a thread can hold it twice.

    Args:
        waiting: called twice a second while another process holds it; an exception ends the wait.

    Raises:
        OSError: neither the user's cache folder nor the temporary folder can be written.
    """
    held = FileLock(_lock_file(path), is_singleton=True)
    began = time.monotonic()
    warned = False
    while True:
        try:
            held.acquire(timeout=_WAIT_S)
            break
        except Timeout:
            if not warned and time.monotonic() - began > _WARN_S:
                warned = True
                _log.warning("Another process is writing to %s. Waiting until it has finished.", path)
            waiting()
    try:
        yield
    finally:
        held.release()


def _lock_file(path: Path) -> Path:
    folder = default_cache() / "locks"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError:  # a read-only home, as in some containers
        folder = Path(tempfile.gettempdir(), f"errata-locks-{getpass.getuser()}")
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.lock"
