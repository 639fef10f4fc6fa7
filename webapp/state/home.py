"""The one folder of this server: all that it keeps of its visitors lies here, and goes with it.

    NAME/                 errata-home-... below the temporary folder, mode 0700
        lock              held as long as the process lives, however it ends
        uploads/          what visitors brought, and the files that Gradio makes
        runs/             their finished runs
        files/            what they may take away
        cache/            vectors of their pictures, a folder for each visit

A server that was killed leaves its folder behind with nobody holding the lock: the next start deletes it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from core.locks import take

PREFIX = "errata-home-"
LOCK = "lock"
PARTS = ("uploads", "runs", "files", "cache")


@functools.cache
def home() -> Path:
    """This process's folder, made and locked when it is first asked for."""
    folder, handle = _claim(Path(tempfile.gettempdir()))
    _held.append(handle)
    atexit.register(leave, folder)
    return folder


_held: list[IO[bytes]] = []
"""Open until the process ends: closing lets the lock go."""


def part(name: str) -> Path:
    """The folder of one of PARTS, made where it is missing."""
    assert name in PARTS
    folder = home() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def held_bytes() -> int:
    """What this server held on disk when it was last counted."""
    return _counted[0]


def count_bytes() -> int:
    """Count what this server holds on disk, which takes a while where there is much."""
    _counted[0] = sum(_size(Path(root) / file) for root, _, files in os.walk(home()) for file in files)
    return _counted[0]


def free_bytes() -> int:
    """What is free on the disk of the server's folder."""
    return shutil.disk_usage(home()).free


_counted = [0]


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # gone meanwhile
        return 0


def leave(folder: Path) -> None:
    """Delete a server's folder with all that is in it."""
    for _ in range(3):  # a job that was stopped a moment ago may still be writing
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.2)


def sweep(parent: Path | None = None) -> int:
    """Delete what servers that were killed left below `parent`, by default the temporary folder; returns how many
    folders that were.

    A folder is another server's, and stays, as long as its lock is held or where this system has no such locks.
    """
    if find_spec("fcntl") is None:
        return 0
    swept = 0
    for folder in sorted((parent or Path(tempfile.gettempdir())).glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError):
            # another user's, or a link that another user laid: theirs to sweep
            if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not (folder / LOCK).is_file():
                continue
            handle = take(folder / LOCK)
            if handle is not None:
                with handle:
                    leave(folder)
                swept += 1
    return swept


def _claim(parent: Path) -> tuple[Path, IO[bytes]]:
    """A new folder below `parent` and its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()  # mode 0700
        handle = take(folder / LOCK)
        # A server that starts at this moment may have swept the folder between the two steps.
        if handle is not None and (folder / LOCK).exists():
            folder.chmod(0o700)
            return folder, handle
        if handle is not None:
            handle.close()
