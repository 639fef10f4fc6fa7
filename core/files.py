"""Files written whole or not at all, and arrays stored without pickle.

What is written reaches the disk before it takes its place, so that a power cut leaves the earlier file or the new one.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import BaseFileLock, FileLock, Timeout

from core.errors import InvalidInput

ASSETS = Path(__file__).resolve().parents[1] / "assets"
"""What ships with the code: examples, weights, phrases, prompts, styles."""
FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
"""What a disk says that has no room: full, or past the user's quota."""
SAMPLED = 2**18
WORTH_IT = 0.85
"""Bytes of an array by which it is told whether it shrinks, and to what share it must to be compressed."""
_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")
_LEFT_S = 3600.0
"""A part that nobody wrote to for so long was left by a process that was killed."""
_LOCK = ".lock"
_SCRATCH = "errata-scratch-"
_swept: set[Path] = set()


def default_cache() -> Path:
    """The cache's folder: $ERRATA_CACHE if set, else the user's cache folder."""
    if given := os.environ.get("ERRATA_CACHE"):
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("errata")


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Generator[Path]:
    """A temporary neighbor to write to, which takes the place of `path` once the block has ended well and is removed
    otherwise. What killed processes left of such neighbors is swept, once for each folder.

    Args:
        durable: brought to the disk first. Not needed for what can be made again.

    Raises:
        InvalidInput: it cannot be written; `path` is as it was.
    """
    try:
        part = _new_part(path)
        try:
            yield part
            if durable:
                sync(part)
            part.replace(path)
            if durable:
                sync(path.parent)
        finally:
            with suppress(OSError):
                part.unlink()
    except OSError as error:
        raise cannot_write(f"Cannot write {path}", error) from error


def _new_part(path: Path) -> Path:
    """A new neighbor of `path`."""
    try:
        path.with_name("part")
        with suppress(OSError):
            path.lstat()
    except ValueError as error:  # no name at all, NUL, half of a surrogate pair
        raise InvalidInput(f"No file can be called {str(path)[:200]!a}. Choose another name.") from error
    if path.parent not in _swept:
        _swept.add(path.parent)
        sweep_parts(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
    return part


def sweep_parts(folder: Path) -> None:
    """Remove what killed processes left of files that they were replacing in the folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _PART.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _LEFT_S:
                        os.unlink(entry.path)


@contextmanager
def scratch_folder() -> Generator[Path]:
    """A folder for temporary files, gone afterwards; what killed processes left of such folders is swept."""
    folder, held = held_folder(_SCRATCH)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.release()


def held_folder(prefix: str, parent: Path | None = None) -> tuple[Path, BaseFileLock]:
    """A new folder below `parent`, by default the temporary folder, and its lock: `sweep_folders` leaves it alone until
    that is released, or this process ends. What killed processes left there is swept first."""
    sweep_folders(prefix, parent)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()  # mode 0700
        held = FileLock(folder / _LOCK, thread_local=False)
        with suppress(OSError):
            held.acquire()
            if (folder / _LOCK).exists():  # another process that starts at this moment may have swept it
                return folder, held
            held.release()


def sweep_folders(prefix: str, parent: Path | None = None) -> int:
    """Delete the folders of `held_folder` below `parent` whose processes were killed; returns how many those were."""
    swept = 0
    for folder in sorted((parent or Path(tempfile.gettempdir())).glob(f"{prefix}*")):
        with suppress(OSError, Timeout):
            # another user's, or a link that another user laid: theirs to sweep
            if (
                folder.is_symlink()
                or not folder.is_dir()
                or (os.name == "posix" and folder.stat().st_uid != os.getuid())
            ):
                continue
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
                swept += not folder.exists()
    return swept


def sync(path: Path) -> None:
    """Bring a file, or a folder's list of files, to the disk.

    Raises:
        OSError: the disk cannot take it, as where it is full.
    """
    folder = path.is_dir()
    if folder and os.name == "nt":
        return  # no such thing there
    descriptor = os.open(path, os.O_RDONLY if folder or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not folder or error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def cannot_write(what: str, error: OSError, otherwise: str = "Choose a folder that you may write to.") -> InvalidInput:
    """Build the error for a failed write, with its reason and the next step.

    Args:
        what: what failed, such as "Cannot write the run to DIR".
        otherwise: the next step unless the disk is full.
    """
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in FULL:
        otherwise = "Free some space there, or choose another folder."
    return InvalidInput(f"{what}: {reason}. {otherwise}")


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write the file whole or not at all, in UTF-8."""
    with replacing(path, durable=durable) as part:
        part.write_text(text, "utf-8")


def write_json(path: Path, document: Any) -> None:
    """Write plain JSON values (no nan) for people and programs to read, whole or not at all."""
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write numeric arrays to an npz, whole or not at all; any string may be a key."""
    with replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
        add_arrays(archive, arrays)


def add_arrays(archive: zipfile.ZipFile, arrays: Mapping[str, npt.NDArray[Any]], prefix: str = "") -> None:
    """Write numeric arrays into a zip whose other members do not begin with the prefix; any string may be a key.

    Compressed at the lowest level, a fifth of the time of NumPy's for 7% more bytes on the vectors of a run; and what
    would hardly shrink, such as vectors of 32-bit floats, not at all, since it would be unpacked at each opening.
    """
    # Numbered entries: a key with a slash would become a folder inside the zip.
    numbered: dict[str, Any] = {f"a{i}": array for i, array in enumerate(arrays.values())}
    entries = {"keys": np.array(list(arrays), dtype=np.str_)} | numbered
    for name, array in entries.items():
        entry = zipfile.ZipInfo(f"{prefix}{name}.npy")  # of 1980: the same arrays give the same bytes
        if _shrinks(np.asanyarray(array)):
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry._compresslevel = 1  # pyright: ignore  # `open` takes no level
        with archive.open(entry, "w", force_zip64=True) as opened:
            np.lib.format.write_array(opened, np.asanyarray(array), allow_pickle=False)


def _shrinks(array: npt.NDArray[Any]) -> bool:
    """Whether compressing is worth it, by some of the rows from all over the array; a small one is taken to."""
    if array.nbytes < SAMPLED or not len(array):
        return True
    rows = array[:: max(1, array.nbytes // SAMPLED)]
    some = np.ascontiguousarray(rows).tobytes()
    return len(zlib.compress(some, 1)) < WORTH_IT * len(some)


def keep_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays that can be computed again, as in a cache: where they cannot be written, they are not kept."""
    with suppress(OSError, InvalidInput):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, arrays)
