"""The folder of this server, which holds all data of its visitors and is deleted with it.

    NAME/                 errata-home-... below the temporary folder, mode 0700
        uploads/          uploads of visitors; Gradio serves this folder, and copies other files into it
            files/        downloads
        runs/, notes/     finished runs, and a note on each
        said/             the only user's notes on runs elsewhere (webapp/state/offered.py)
        cache/            vectors of images, a folder per visit

The folder is locked while the process lives. The next start deletes what a killed server left behind
(`core.files.held_folder`). Runs and notes that outlive the server are in another folder (`keep`), which several servers
can share.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path

from filelock import BaseFileLock

from core import files
from core.errors import InvalidInput

PREFIX = "errata-home-"
PARTS = {name: name for name in ("uploads", "runs", "notes", "said", "cache")} | {"files": "uploads/files"}
"""Folders below the home, by name."""
LASTING = ("runs", "notes", "said")
"""Folders that can be elsewhere and outlive the server."""
NOWHERE = "none"
"""The operator's value for keeping no runs."""


@functools.cache
def home() -> Path:
    """Return this process's folder, made and locked on first use."""
    folder, held = files.held_folder(PREFIX)
    _held.append(held)
    atexit.register(leave, folder)
    return folder


_held: list[BaseFileLock] = []
"""Held until the process ends."""


def part(name: str) -> Path:
    """Return the folder of one of PARTS, made if missing."""
    lasting = None
    if name in LASTING:
        lasting = kept_in()
    folder = (lasting or home()) / PARTS[name]
    with contextlib.suppress(FileExistsError):  # a file in its place fails at the next write
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


_kept: list[Path | None] = [None]


def kept_in() -> Path | None:
    """Return the folder where runs outlive this server, or None."""
    return _kept[0]


def keep(folder: Path | None) -> None:
    """Keep runs in that folder, made if missing; None keeps them in the server's folder.

    Raises:
        InvalidInput: it cannot be written; nothing changes.
    """
    if folder is not None:
        try:
            folder = folder.expanduser().resolve()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in LASTING:
                (folder / PARTS[name]).mkdir(mode=0o700, exist_ok=True)
                tempfile.TemporaryFile(dir=folder / PARTS[name]).close()
        except OSError as error:
            problem = f"Cannot keep runs in {folder}"
            raise files.cannot_write(problem, error, f"Use another --keep, or --keep {NOWHERE}.") from error
    _kept[0] = folder


def where_to_keep(folder: str, *, at_home: bool) -> Path | None:
    """Return the operator's folder, else ERRATA_KEEP, else at home one in the user's data folder. None keeps no runs,
    as by default on a shared page."""
    folder = folder or os.environ.get("ERRATA_KEEP", "")
    if folder or not at_home:
        if folder in ("", NOWHERE):
            return None
        return Path(folder)
    from platformdirs import user_data_path

    return user_data_path("errata") / "page"


def keep_runs(named: str, *, at_home: bool) -> None:
    """Keep runs in the folder of `where_to_keep`. If the default cannot be written, print a message and keep none.

    Raises:
        InvalidInput: the named folder cannot be written.
    """
    try:
        keep(where_to_keep(named, at_home=at_home))
    except InvalidInput as error:
        if named or os.environ.get("ERRATA_KEEP"):
            raise
        keep(None)
        print(f"{error} Until then, runs are deleted when the page stops.", flush=True)


def held_bytes() -> int:
    """Return the bytes on disk at the last count."""
    return _counted[0]


def count_bytes() -> int:
    """Count the bytes of this server on disk, which can take a while."""
    lasting = kept_in()
    _counted[0] = bytes_below(home())
    if lasting:
        _counted[0] += bytes_below(lasting)
    return _counted[0]


def bytes_below(folder: Path) -> int:
    """Return the bytes of all files below a folder; 0 if it is missing."""
    total = 0
    for root, _, names in os.walk(folder):
        total += sum(_size(Path(root) / name) for name in names)
    return total


def free_bytes(name: str = "uploads") -> int:
    """Return the free bytes on the disk of one of PARTS."""
    return shutil.disk_usage(part(name)).free


_counted = [0]


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # deleted meanwhile
        return 0


def leave(folder: Path) -> None:
    """Delete a server's folder."""
    for _ in range(3):  # a job stopped a moment ago may still be writing
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.2)
