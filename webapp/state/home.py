"""The one folder of this server: all that it keeps of its visitors lies here, and goes with it.

    NAME/                 errata-home-... below the temporary folder, mode 0700
        uploads/          what visitors brought; Gradio serves what lies here, and copies to here what does not
            files/        what they may take away
        runs/, notes/     their finished runs, and what is known of each
        said/             what the one person who uses it says of runs that lie elsewhere (webapp/state/offered.py)
        cache/            vectors of their images, a folder for each visit

The folder is locked as long as the process lives, however that ends: what a server that was killed leaves behind is
deleted by the next start (`core.files.held_folder`). Runs and their notes lie in a folder of their own instead where
they are to outlive the server (`keep`); several servers may share that one.
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
"""Those that may lie elsewhere, and stay."""
NOWHERE = "none"
"""What an operator says who wants nothing to stay."""


@functools.cache
def home() -> Path:
    """This process's folder, made and locked when it is first asked for."""
    folder, held = files.held_folder(PREFIX)
    _held.append(held)
    atexit.register(leave, folder)
    return folder


_held: list[BaseFileLock] = []
"""Held until the process ends."""


def part(name: str) -> Path:
    """The folder of one of PARTS, made where it is missing."""
    kept = kept_in() if name in LASTING else None
    folder = (kept or home()) / PARTS[name]
    with contextlib.suppress(FileExistsError):  # a file in its place: what is written there says so
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


_kept: list[Path | None] = [None]


def kept_in() -> Path | None:
    """The folder whose runs outlive this server; None where they go with it."""
    return _kept[0]


def keep(folder: Path | None) -> None:
    """Let runs lie in that folder from now on, which is made where it is missing, or with all else.

    Raises:
        InvalidInput: it cannot be written; runs lie where they did.
    """
    if folder is not None:
        try:
            folder = folder.expanduser().resolve()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in LASTING:
                (folder / PARTS[name]).mkdir(mode=0o700, exist_ok=True)
                tempfile.TemporaryFile(dir=folder / PARTS[name]).close()
        except OSError as error:
            said = f"Runs cannot be kept in {folder}"
            raise files.cannot_write(said, error, f"Name another folder with --keep, or --keep {NOWHERE}.") from error
    _kept[0] = folder


def where_to_keep(said: str, *, at_home: bool) -> Path | None:
    """The folder that the operator names, else ERRATA_KEEP, else at home one in the user's data folder; None where runs
    are to go with the server, as by default where others reach it."""
    said = said or os.environ.get("ERRATA_KEEP", "")
    if said or not at_home:
        return None if said in ("", NOWHERE) else Path(said)
    from platformdirs import user_data_path

    return user_data_path("errata") / "page"


def keep_runs(said: str, *, at_home: bool) -> None:
    """Keep runs where `where_to_keep` says; where nobody named a folder and none can be written, they go with the
    server, and that is said.

    Raises:
        InvalidInput: the named folder cannot be written.
    """
    try:
        keep(where_to_keep(said, at_home=at_home))
    except InvalidInput as error:
        if said or os.environ.get("ERRATA_KEEP"):
            raise
        keep(None)
        print(f"{error} Until then runs go when the page is stopped.", flush=True)


def held_bytes() -> int:
    """What this server held on disk when it was last counted."""
    return _counted[0]


def count_bytes() -> int:
    """Count what this server holds on disk, which takes a while where there is much."""
    kept = kept_in()
    _counted[0] = bytes_below(home()) + (bytes_below(kept) if kept else 0)
    return _counted[0]


def bytes_below(folder: Path) -> int:
    """What the files in a folder, and in those below it, take; nothing where there is none."""
    return sum(_size(Path(root) / name) for root, _, names in os.walk(folder) for name in names)


def free_bytes(name: str = "uploads") -> int:
    """What is free on the disk of one of PARTS."""
    return shutil.disk_usage(part(name)).free


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
