"""Locks between processes: one holder at a time, let go by the system however the holder ends.

A folder is locked itself, so that nothing is left in it. Where its file system cannot do that, as over a network, a
file in it is locked; where there are no such locks at all (Windows) nothing is kept out, which `Held.sure` says.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_WAIT, _TELL = 0.5, 3.0
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EBADF)
"""What a file system says that has no such locks, or none on folders."""
_LOCK_FILE = ".lock"

_log = logging.getLogger(__name__)


class Held:
    """A lock that is held until `close`, or the end of a `with` block.

    Args:
        sure: whether others are kept out; not where there are no locks.
    """

    def __init__(self, descriptor: int | None, *, sure: bool) -> None:
        self._descriptor, self.sure = descriptor, sure

    def close(self) -> None:
        """Let go."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def take(path: Path) -> Held | None:
    """The lock on a folder, or on a file, which is made where it is missing; None where another holds it, of this
    process or another.

    Raises:
        OSError: the file cannot be made or written, or the folder not opened.
    """
    folder = path.is_dir()
    if find_spec("fcntl") is None:
        return Held(None if folder else _opened(path), sure=False)
    while True:
        descriptor = _opened(path)
        try:
            sure = _locked(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        if not sure and folder:
            os.close(descriptor)
            return take(path / _LOCK_FILE)
        if _is_still(descriptor, path):
            return Held(descriptor, sure=sure)
        os.close(descriptor)  # it was removed, or replaced, while it was being locked


def wait_for(folder: Path, waiting: Callable[[], None]) -> Held:
    """The lock on the folder, which is made where it is missing; `waiting` is called twice a second until it is free,
    and what it raises ends the wait.

    Raises:
        OSError: the folder cannot be made or opened.
    """
    began, told = time.monotonic(), False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another, that sweeps, was quicker than the lock: made once more
            held = take(folder)
            if held is not None:
                return held
        if not told and time.monotonic() - began > _TELL:
            told = True
            _log.warning("Another process is writing to %s. Waiting until it has finished.", folder)
        waiting()
        time.sleep(_WAIT)


def _opened(path: Path) -> int:
    if path.is_dir():
        return os.open(path, os.O_RDONLY)
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)


def _locked(descriptor: int) -> bool:
    """Whether the lock was taken; False where there are no locks.

    Raises:
        BlockingIOError: another holds it.
    """
    fcntl: Any = import_module("fcntl")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
