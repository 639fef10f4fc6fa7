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
import zipfile
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.locks import Held, take

ASSETS = Path(__file__).resolve().parents[1] / "assets"
"""What ships with the code: examples, weights, phrases, prompts, styles."""
FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
"""What a disk says that has no room: full, or past the user's quota."""
SAMPLED, WORTH_IT = 2**18, 0.85
"""Bytes of an array by which it is told whether it shrinks, and to what share it must to be compressed."""
WRITING = ".errata-writing-"
"""How a folder is called whose files are not yet in place."""
_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")
_SCRATCH = "errata-scratch-"
_swept: set[Path] = set()


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Generator[Path]:
    """A temporary neighbour to write to, which takes the place of `path` once the block has ended well and is removed
    otherwise. What killed processes left of such neighbours is swept, once for each folder.

    Below a folder that is written beside (`core.folders.new_version`) it is `path` itself, and an OSError is left to
    that.

    Args:
        durable: brought to the disk first. Not needed for what can be made again.

    Raises:
        InvalidInput: it cannot be written; `path` is as it was.
    """
    if any(part.startswith(WRITING) for part in path.parent.parts):
        yield path
        return
    try:
        part, held = _new_part(path)
        try:
            yield part
            if durable:
                sync(part)
            if os.name == "nt":
                held.close()  # an open file cannot be moved there
            part.replace(path)
            if durable:
                sync(path.parent)
        finally:
            with suppress(OSError):
                part.unlink()
            held.close()
    except OSError as error:
        raise cannot_write(f"{path} cannot be written", error) from error


def _new_part(path: Path) -> tuple[Path, Held]:
    """A new neighbour of `path`, locked: what is not locked has no writer any more."""
    try:
        path.with_name("part")
        with suppress(OSError):
            path.lstat()
    except ValueError as error:  # no name at all, NUL, half of a surrogate pair
        raise InvalidInput(f"No file can be called {str(path)[:200]!a}. Choose another name.") from error
    if path.parent not in _swept:
        _swept.add(path.parent)
        sweep_parts(path.parent)
    while True:
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
        held = take(part)
        if held is not None:
            return part, held


def sweep_parts(folder: Path) -> None:
    """Remove what killed processes left of files that they were replacing in the folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _PART.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                sweep(Path(entry.path))


def sweep(path: Path) -> bool:
    """Remove the file or folder, unless somebody holds its lock or it cannot be told; returns whether it is gone."""
    try:
        held = take(path)
        if held is None or not held.sure:
            return False
        with held:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    except OSError:
        return False
    return not path.exists()


@contextmanager
def scratch_folder() -> Generator[Path]:
    """A folder for temporary files, gone afterwards; what killed processes left of such folders is swept."""
    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        sweep(left)
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    try:
        with take(folder) or Held(None, sure=False):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    """The message that something cannot be written, such as "The run cannot be written to DIR": why, and what to do."""
    full = error.errno in FULL
    reason = os.strerror(error.errno) if error.errno else str(error)
    return InvalidInput(f"{what}: {reason}. {'Free some room there, or choose another place.' if full else otherwise}")


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write the file whole or not at all, in UTF-8."""
    with replacing(path, durable=durable) as part:
        part.write_text(text, "utf-8")


def write_json(path: Path, document: Any) -> None:
    """Write plain JSON values (no nan) for people and programs to read, whole or not at all."""
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write numeric arrays to an npz, whole or not at all; any string may be a key.

    Compressed at the lowest level, a fifth of the time of NumPy's for 7 % more bytes on the vectors of a run; and what
    would hardly shrink, such as vectors of 32-bit floats, not at all, since it would be unpacked at each opening.
    """
    # Numbered entries: a key with a slash would become a folder inside the zip.
    numbered: dict[str, Any] = {f"a{i}": array for i, array in enumerate(arrays.values())}
    entries = {"keys": np.array(list(arrays), dtype=np.str_)} | numbered
    with (
        replacing(path) as part,
        part.open("wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, array in entries.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED if _shrinks(np.asanyarray(array)) else zipfile.ZIP_STORED
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
