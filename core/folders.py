"""Folders whose files are replaced together: whoever opens one finds the earlier files or the new ones, never some of
each, however the writer ended.

The new files are written to `.errata-writing-…` inside the folder, brought to the disk, and count from one rename on,
to `.errata-committed`: what lies there is read in place of the file of that name beside it (`located`). Then they are
moved out one by one, and that folder is removed. A writer that is killed before the rename leaves what `settle` sweeps,
one that is killed after it what `settle` moves out. Other files in the folder are left alone, and so
are the user's own of the same names (`core.owned`). See docs/decisions/store.md.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path, PurePath
from typing import Any, TypeVar

from core.documents import MAX_STORED_BYTES, stored_json
from core.errors import InvalidInput
from core.files import WRITING, cannot_write, sync
from core.limits import Limits
from core.locks import Held, take, wait_for
from core.owned import COMMITTED, GONE, Kind, check_free, left_by_writer
from core.received import open_plain

_FORMER, _LAST = re.compile(r"\.new-[0-9a-f]{16}"), ("state.json", "composition.json")
"""How earlier versions called a folder that they wrote beside, and the file that they moved last."""
_DAY = 24 * 3600.0
_TRIES, _PAUSE, _READS = 5, 0.1, 50

T = TypeVar("T")


@contextmanager
def writer(folder: Path, kind: Kind, waiting: Callable[[], None]) -> Generator[Held]:
    """Be the only writer of the folder, which is made where it is missing, and then holds one whole version or none.

    Args:
        waiting: called twice a second while another writes; what it raises ends the wait.

    Raises:
        OSError: the folder cannot be made or opened.
        InvalidInput: what was left there cannot be put in place.
    """
    with wait_for(folder, waiting) as held:
        _clear(folder, kind, held)
        yield held


@contextmanager
def new_version(folder: Path, kind: Kind, *, only_added: bool = False) -> Generator[Path]:
    """A folder to write to, whose files take their places in `folder` once the block has ended well. Use within
    `writer`.

    Args:
        only_added: files of the earlier version stay where the new one does not have them; else they go.

    Raises:
        OSError: something could not be written; the earlier version is as it was.
        InvalidInput: files of such names there are the user's, or the new version is whole, but its files could not be
            moved to their places.
    """
    check_free(folder, kind)
    scratch = folder / f"{WRITING}{secrets.token_hex(8)}"
    try:
        scratch.mkdir()
        yield scratch
        names = [path.relative_to(scratch) for path in _files(scratch)]
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(f"a folder lies where the file {name} belongs")
        kept = {name.as_posix() for name in names}
        gone = [] if only_added else sorted(set(kind.names) - kept)
        (scratch / GONE).write_text(json.dumps(gone), "utf-8")
        for path in (*_files(scratch), *_folders(scratch)):
            sync(path)
        scratch.rename(folder / COMMITTED)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    try:
        sync(folder)
        _move_out(folder, kind)
    except BaseException as error:  # a second time, so that Ctrl-C or a virus scanner leaves nothing half done
        try:
            _move_out(folder, kind)
        except OSError as again:
            raise _unplaced(folder, again) from again
        if not isinstance(error, OSError):
            raise


@contextmanager
def all_at_once(
    folder: Path, kind: Kind, *, only_added: bool = False, waiting: Callable[[], None] = lambda: None
) -> Generator[Path]:
    """A `new_version` by the only `writer` of the folder.

    Raises:
        InvalidInput: it cannot be written.
    """
    try:
        with writer(folder, kind, waiting), new_version(folder, kind, only_added=only_added) as scratch:
            yield scratch
    except OSError as error:
        raise cannot_write(f"The {kind.what} cannot be written to {folder}", error) from error


def read_version(folder: Path, kind: Kind, read: Callable[[], T]) -> T:
    """What `read` makes of the files of the folder, whose key says what the others are: of one version, also while
    another process puts the next in place. What a killed process left there is put in place or swept first, where it
    can be.

    Raises:
        InvalidInput: from `read`.
    """
    settle(folder, kind)
    key = folder / kind.key
    for _ in range(_READS):
        before = stamp(key)
        try:
            found = read()
        except InvalidInput:
            if stamp(key) == before:
                raise
        else:
            if stamp(key) == before:
                return found
    return read()


def settle(folder: Path, kind: Kind) -> None:
    """Finish or sweep what killed writers left in the folder, if there is anything, nobody is writing to it, and it can
    be written."""
    if not _left(folder):
        return
    with suppress(OSError, InvalidInput):
        held = take(folder)
        if held is not None:
            with held:
                _clear(folder, kind, held)


def located(path: Path) -> Path:
    """Where the file lies now: in its place, or in the version that is being moved there."""
    moving = path.parent / COMMITTED / path.name
    return moving if moving.is_file() and not moving.parent.is_symlink() else path


def open_located(path: Path, most: int = Limits().max_total_bytes) -> BufferedReader:
    """The file opened by `open_plain`, wherever it lies now.

    Raises:
        OSError: there is none, it is no plain file, or it is larger than `most` bytes.
    """
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):  # moved between the two steps
            return open_plain(located(path), most, below=path.parent)
    return open_plain(path, most, below=path.parent)


def read_located(path: Path) -> Any:
    """What JSON the file holds, wherever it lies now.

    Raises:
        OSError: as `open_located`.
        ValueError: as `core.documents.stored_json`.
    """
    with open_located(path, MAX_STORED_BYTES) as file:
        return stored_json(file, path.name)


def stamp(path: Path) -> tuple[int, int] | None:
    """Changes whenever another version of the file takes its place; None where there is none."""
    try:
        found = located(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _left(folder: Path) -> list[Path]:
    """What writers that were killed, or are at work, have in the folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            and (entry.name == COMMITTED or entry.name.startswith(WRITING) or _FORMER.fullmatch(entry.name))
        ]
    return []


def _clear(folder: Path, kind: Kind, held: Held) -> None:
    """Put a committed version in place, and sweep what was not committed.

    Raises:
        InvalidInput: it cannot be put in place, or no writer of this kind left it; then nothing is touched.
    """
    left = _left(folder)
    for path in left:
        if _FORMER.fullmatch(path.name) and any(
            (path / last).is_file() and not (folder / last).exists() for last in _LAST
        ):
            with suppress(OSError):
                path.rename(folder / COMMITTED)  # whole, and killed while its files were moved
    if (folder / COMMITTED).is_dir():
        try:
            _move_out(folder, kind)
        except OSError as error:
            raise _unplaced(folder, error) from error
    for path in left:
        with suppress(OSError, RecursionError):  # deeper than any writer nests folders
            if path.name != COMMITTED and (held.sure or time.time() - path.stat().st_mtime > _DAY):
                shutil.rmtree(path, ignore_errors=True)


def _unplaced(folder: Path, error: OSError) -> InvalidInput:
    return cannot_write(
        f"The new version in {folder} is whole, and is read from its folder {COMMITTED}, but the files cannot be moved "
        "to their places",
        error,
        "Close programs that have them open, see that you may write there, and open it again.",
    )


def _move_out(folder: Path, kind: Kind) -> None:
    """Move the committed files to their places, remove those of the earlier version, and then that folder
    itself. May be stopped anywhere, and begun again."""
    moving = folder / COMMITTED
    if moving.is_symlink() or not moving.is_dir():
        return
    touched = {folder}
    files, gone = left_by_writer(folder, moving, kind)
    for name in files:
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        _move(moving / name, target)
        touched.add(target.parent)
    for name in gone:
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            (folder / name).unlink()
        if len(PurePath(name).parts) > 1:
            with suppress(OSError):
                (folder / name).parent.rmdir()  # unless there is more in it
    for one in touched:
        sync(one)
    shutil.rmtree(moving, ignore_errors=True)


def _move(path: Path, target: Path) -> None:
    for attempt in range(_TRIES):
        try:
            path.replace(target)
        except FileNotFoundError:
            if path.exists():
                raise
            return  # where there are no locks, another has moved it
        except PermissionError:
            if attempt == _TRIES - 1 or os.name != "nt":
                raise
            time.sleep(_PAUSE)  # a program has it open, for a moment as a rule
        else:
            return


def _files(folder: Path) -> list[Path]:
    return [Path(place, name) for place, _, names in _walked(folder) for name in sorted(names)]


def _folders(folder: Path) -> list[Path]:
    return [Path(place) for place, _, _ in _walked(folder)]


def _walked(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    return os.walk(folder, followlinks=False)
