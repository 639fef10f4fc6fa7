"""Locks between the processes of a user on one machine, which the system lets go however their holder ends.

The lock files lie in the user's cache and not beside what they guard: nothing is left in a folder of theirs, and locks
hold where a network's file system has none. Other users and machines are not kept out; every file is replaced whole
(`core.files.replacing`), so of two of those the later one counts.
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

_WAIT = 0.5
_TELL = 3.0
"""Seconds between two calls of `waiting`, and until the log says that somebody waits."""

_log = logging.getLogger(__name__)


@contextmanager
def lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Generator[None]:
    """Be the only one who holds the lock of a file or folder, which need not be there; a thread may hold it twice.

    Args:
        waiting: called twice a second while another holds it; what it raises ends the wait.

    Raises:
        OSError: neither the user's cache folder nor the temporary folder can be written.
    """
    held = FileLock(_lock_file(path), is_singleton=True)
    began = time.monotonic()
    told = False
    while True:
        try:
            held.acquire(timeout=_WAIT)
            break
        except Timeout:
            if not told and time.monotonic() - began > _TELL:
                told = True
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
    except OSError:  # a home that cannot be written, as in some containers
        folder = Path(tempfile.gettempdir(), f"errata-locks-{getpass.getuser()}")
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.lock"
