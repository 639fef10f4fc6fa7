"""Open files that may come from others: files of a run or a model folder, or files named by a user.

Every file is opened here, as `tests/test_one_door.py` checks. Anything but a plain file is refused before reading: a
pipe could block forever, a device never ends. In a received folder, links out of it are refused. The size in memory is
limited where files are read: JSON by `core.documents`, arrays by `core.arrays`, weights by `core.encoders.weights`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from io import BufferedReader, FileIO, RawIOBase
from pathlib import Path

from core.errors import InvalidInput
from core.limits import Limits, byte_size

NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.EFBIG, errno.ELOOP, errno.ENXIO, errno.EISDIR)
"""Errors of `open_plain` without a plain file of an allowed size."""
_FLAGS = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_BINARY", "O_CLOEXEC", "O_NONBLOCK"))
_NO_LINK, _FOLDER = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_DIRECTORY"))
MAX_STORED_MEMORY = 2**30
MAX_STORED_GROWTH = 3
"""Memory limit for reading a file that Errata wrote: bytes, or multiples of the file size if that is more. The arrays
of the shipped runs take 1.0 to 2.0 times their files; with their records, a run at the limit takes 1.5 GB."""
_PART_BYTES = 2**24
_LOCAL_HEADER = 30
"""Bytes before a zip member's name and extra field; the last four are their lengths."""
_SEARCH = getattr(os, "O_PATH", 0)
"""Flag to traverse folders without listing them."""


def open_plain(path: Path, most: int = Limits().max_total_bytes, *, below: Path | None = None) -> BufferedReader:
    """Open a plain file to read bytes.

    Args:
        most: maximum size in bytes.
        below: the received folder: no part of the path below it can be a link. None for a file that a user named; its
            links are followed.

    Raises:
        OSError: missing, not a plain file, reached by a link, or larger than `most` bytes.
        ValueError: an invalid path, or one outside the folder.
    """
    descriptor = os.open(path, _FLAGS) if below is None else _walked(path, below)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, f"{path.name} is not a file")
        if status.st_size > most:
            size = byte_size(status.st_size)
            raise OSError(errno.EFBIG, f"{path.name} has {size}; at most {byte_size(most)} are read")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _walked(path: Path, below: Path) -> int:
    """Open a file folder by folder from the received one, and return its descriptor."""
    parts = path.relative_to(below).parts
    if not parts or ".." in parts:
        raise ValueError(f"{path.name!r} is outside the folder")
    if os.open not in os.supports_dir_fd:  # Windows
        if any(below.joinpath(*parts[: n + 1]).is_symlink() for n in range(len(parts))):
            raise OSError(errno.EINVAL, f"{path.name} is a link")
        return os.open(path, _FLAGS)
    at = os.open(below, _FLAGS | _SEARCH | _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FLAGS | _SEARCH | _FOLDER | _NO_LINK, dir_fd=at)
            os.close(at)
            at = inner
        return os.open(parts[-1], _FLAGS | _NO_LINK, dir_fd=at)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.EINVAL, f"{path.name} is a link") from None
        raise
    finally:
        os.close(at)


def read_plain(path: Path, most: int, *, below: Path | None = None) -> bytes:
    """Read a file with `open_plain`, with the same errors."""
    with open_plain(path, most, below=below) as file:
        return file.read()


def digest(source: Path | BufferedReader) -> str:
    """Compute the SHA-256 of the file, in hexadecimal; an open file is read from its start and rewound."""
    if isinstance(source, Path):
        with open_plain(source) as file:
            return digest(file)
    source.seek(0)
    value = hashlib.file_digest(source, "sha256").hexdigest()
    source.seek(0)
    return value


class WeighedZip(BufferedReader):
    """A zip file whose directory is checked before zipfile makes an object per entry.

    Args:
        weigh: receives the bytes read up to the end of the directory; raises if they are too many.
    """

    def __init__(self, raw: RawIOBase, weigh: Callable[[bytes], None]) -> None:
        super().__init__(raw)  # pyright: ignore[reportArgumentType]
        self.weigh: Callable[[bytes], None] | None = weigh
        """None after the directory was read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.weigh is None:
            return super().read(size)
        # the remaining size, since `read` allocates the requested size
        length = max(os.fstat(self.fileno()).st_size - self.tell(), 0)
        if size is not None and size >= 0:
            length = min(size, length)
        data = super().read(min(length, Limits().max_directory_bytes + 1))
        self.weigh(data)
        return data


class StoredZip(zipfile.ZipFile):
    """A zip, in an open file, that Errata wrote and others may have changed; the file stays open.

    Raises:
        BadZipFile, OSError, and others of `core.arrays.DAMAGE`: not a zip, or its directory is too large.
    """

    def __init__(self, file: BufferedReader) -> None:
        def weigh(data: bytes) -> None:
            most = Limits().max_directory_bytes
            if len(data) > most:
                raise zipfile.BadZipFile(f"its directory has more than {byte_size(most)}")

        self.size = os.fstat(file.fileno()).st_size
        """Size of the file in bytes."""
        self._room = max(MAX_STORED_MEMORY, MAX_STORED_GROWTH * self.size)
        self._weighed = WeighedZip(FileIO(os.dup(file.fileno())), weigh)
        try:
            super().__init__(self._weighed)
        except BaseException:
            self._weighed.close()
            raise
        self._weighed.weigh = None

    def take(self, n_bytes: int, name: str) -> None:
        """Count memory used by reading; raise ValueError above the limit."""
        self._room -= n_bytes
        if self._room < 0:
            raise ValueError(f"with {name[:60]} it exceeds the memory limit of a file of {byte_size(self.size)}")

    def content(self, member: zipfile.ZipInfo) -> bytearray:
        """Read the bytes of a member, as many as the directory declares. zipfile unpacks bzip2 and LZMA without bound,
        and deflate up to the requested size, whatever the directory declares; therefore this reads in parts.

        Raises:
            BadZipFile, and others of `core.arrays.DAMAGE`: truncated, damaged, or compressed unlike Errata does.
            ValueError: reading this zip would take too much memory.
        """
        name = member.filename[:60]
        size = member.file_size
        done = 0
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{name} has another compression")
        self.take(size, name)
        content = bytearray(size)
        with self.open(member) as opened:
            while part := opened.read(min(_PART_BYTES, size - done)):
                content[done : done + len(part)] = part
                done += len(part)
        if done < size:
            raise zipfile.BadZipFile(f"{name} is truncated")
        return content

    def start_of(self, member: zipfile.ZipInfo) -> int:
        """Return the offset of an uncompressed member's bytes in the file.

        Raises:
            BadZipFile: compressed, truncated or damaged.
        """
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise zipfile.BadZipFile(f"{member.filename[:60]} is compressed")
        self._weighed.seek(member.header_offset)
        header = self._weighed.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER:
            raise zipfile.BadZipFile(f"{member.filename[:60]} is truncated")
        start = member.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", header[-4:]))
        if start + member.file_size > self.size:
            raise zipfile.BadZipFile(f"{member.filename[:60]} is truncated")
        return start

    def close(self) -> None:
        """Close the zip and its duplicate of the file."""
        super().close()
        self._weighed.close()


def check_model_folder(folder: Path) -> None:
    """Check that a library can open every file of a model folder by path: plain files, without links out of the folder.
    Links of a hub's cache to the files beside its snapshots are allowed.

    Raises:
        InvalidInput: names any other entry.
    """
    root = folder.resolve()
    home = root.parent.parent if root.parent.name == "snapshots" else root
    try:
        for parent, inner, names in os.walk(root):
            for name in (*inner, *names):
                path = Path(parent, name)
                real = path.resolve(strict=True)
                if not real.is_relative_to(home):
                    raise InvalidInput(f"{folder}: {path.name!r} is a link out of the folder. Copy the file itself.")
                if not (real.is_file() or real.is_dir()):
                    raise InvalidInput(f"{folder}: {path.name!r} is not a file. Copy the model again.")
    except (OSError, RuntimeError) as error:  # a broken or circular link
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"{folder} cannot be read ({reason}). Copy the model again.") from None
