"""Write files atomically, and arrays without pickle.

Data is synced to disk before the rename, so a power cut leaves the earlier file or the new one.
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
"""Files that ship with the code: examples, weights, phrases, prompts, styles."""
FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
"""Errors of a full disk, or beyond the user's quota."""
SAMPLE_BYTES = 2**18
MAX_PACKED_SHARE = 0.85
"""Bytes of an array that are compressed as a test, and the share to which they must shrink for compression to pay."""
_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")
_ABANDONED_S = 3600.0
"""Seconds without a write after which a part counts as abandoned by a killed process."""
_LOCK = ".lock"
_SCRATCH = "errata-scratch-"
_swept: set[Path] = set()


def as_path(path: object) -> Path:
    """Make a path of what a caller from Python gave.

    Raises:
        InvalidInput: it is not a path, or is empty.
    """
    if isinstance(path, str | os.PathLike) and str(path):
        return Path(path)
    raise InvalidInput(f"A path is needed: got {str(path)[:40]!r} ({type(path).__name__}). Use a string or a Path.")


def path_or_none(path: str | Path | None) -> Path | None:
    return None if path is None else as_path(path)


def default_cache() -> Path:
    """Return the cache folder: $ERRATA_CACHE if set, else the user's cache folder."""
    configured = os.environ.get("ERRATA_CACHE")
    if configured:
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("errata")


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Generator[Path]:
    """Open a temporary file beside `path` to write to. It replaces `path` when the block ends without an error, and is
    deleted otherwise. Temporary files of killed processes are deleted once per folder.

    Args:
        durable: sync to disk first; unnecessary for files that can be made again.

    Raises:
        InvalidInput: the file cannot be written; `path` stays as it was.
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
    """Make a temporary file beside `path`."""
    try:
        path.with_name("part")
        with suppress(OSError):
            path.lstat()
    except ValueError as error:  # an empty name, NUL, half of a surrogate pair
        raise InvalidInput(f"Invalid file name {str(path)[:200]!a}. Choose another name.") from error
    if path.parent not in _swept:
        _swept.add(path.parent)
        sweep_parts(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
    return part


def sweep_parts(folder: Path) -> None:
    """Delete the temporary files of killed processes in the folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _PART.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _ABANDONED_S:
                        os.unlink(entry.path)


@contextmanager
def scratch_folder() -> Generator[Path]:
    """Make a folder for temporary files and delete it afterwards; folders of killed processes are deleted too."""
    folder, held = held_folder(_SCRATCH)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.release()


def held_folder(prefix: str, parent: Path | None = None) -> tuple[Path, BaseFileLock]:
    """Make a folder below `parent` (default: the temporary folder) with a lock: `sweep_folders` spares it until the
    lock is released or this process ends. Folders of killed processes are deleted first."""
    sweep_folders(prefix, parent)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()  # mode 0700
        held = FileLock(folder / _LOCK, thread_local=False)
        with suppress(OSError):
            held.acquire()
            if (folder / _LOCK).exists():  # another process that started just now may have deleted it
                return folder, held
            held.release()


def sweep_folders(prefix: str, parent: Path | None = None) -> int:
    """Delete the folders of `held_folder` below `parent` whose processes were killed, and return their number."""
    deleted = 0
    parent = parent or Path(tempfile.gettempdir())
    for folder in sorted(parent.glob(f"{prefix}*")):
        with suppress(OSError, Timeout):
            if folder.is_symlink() or not folder.is_dir():
                continue
            if os.name == "posix" and folder.stat().st_uid != os.getuid():  # another user's
                continue
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
                deleted += not folder.exists()
    return deleted


def sync(path: Path) -> None:
    """Sync a file, or a folder's list of files, to the disk.

    Raises:
        OSError: the disk cannot take it, for example because it is full.
    """
    folder = path.is_dir()
    if folder and os.name == "nt":
        return  # Windows cannot sync folders
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
    """Write the file atomically, in UTF-8."""
    with replacing(path, durable=durable) as part:
        part.write_text(text, "utf-8")


def write_json(path: Path, document: Any) -> None:
    """Write plain JSON values (no nan) atomically, indented for readers."""
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write numeric arrays to an npz atomically; any string can be a key."""
    with replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
        add_arrays(archive, arrays)


def add_arrays(archive: zipfile.ZipFile, arrays: Mapping[str, npt.NDArray[Any]], prefix: str = "") -> None:
    """Write numeric arrays into a zip whose other members do not begin with the prefix; any string can be a key.

    Compresses at the lowest level: a fifth of the time of NumPy's level for 7% more bytes on the vectors of a run.
    Arrays that hardly shrink, such as float32 vectors, stay uncompressed, since each opening would unpack them.
    """
    # numbered entries, since a key with a slash would become a folder inside the zip
    numbered: dict[str, Any] = {f"a{i}": array for i, array in enumerate(arrays.values())}
    entries = {"keys": np.array(list(arrays), dtype=np.str_)} | numbered
    for name, array in entries.items():
        entry = zipfile.ZipInfo(f"{prefix}{name}.npy")  # dated 1980, so that the same arrays give the same bytes
        if _shrinks(np.asanyarray(array)):
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry._compresslevel = 1  # pyright: ignore  # `open` takes no level
        with archive.open(entry, "w", force_zip64=True) as opened:
            np.lib.format.write_array(opened, np.asanyarray(array), allow_pickle=False)


def _shrinks(array: npt.NDArray[Any]) -> bool:
    """Whether compression pays, tested on rows from the whole array; a small array always counts as yes."""
    if array.nbytes < SAMPLE_BYTES or not len(array):
        return True
    rows = array[:: max(1, array.nbytes // SAMPLE_BYTES)]
    some = np.ascontiguousarray(rows).tobytes()
    return len(zlib.compress(some, 1)) < MAX_PACKED_SHARE * len(some)


def keep_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays that can be computed again, as in a cache; a failed write is ignored."""
    with suppress(OSError, InvalidInput):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, arrays)
