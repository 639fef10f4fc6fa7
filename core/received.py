"""The one door to files that may have been received: those of a run, of a model's folder, or that somebody named.

Every file is opened here, as `tests/test_one_door.py` checks. What is no plain file is refused before it is read: a
pipe would be waited for without end, a device never ends. In a received folder no link is followed out of it.
What the bytes become is bounded where they are read: JSON by `core.documents`, arrays by `core.arrays`, weights by
`core.encoders.weights`.
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
"""What `open_plain` says where there is no plain file of that size."""
_FLAGS = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_BINARY", "O_CLOEXEC", "O_NONBLOCK"))
_NO_LINK, _FOLDER = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_DIRECTORY"))
MAX_STORED_MEMORY = 2**30
MAX_STORED_GROWTH = 3
"""Bytes that what is read of a file which Errata wrote may take in memory, or times the file where that is more: the
arrays of the shipped runs take 1.0 to 2.0 times their files. With the records that are made of it, 1.5 GB."""
_PART = 2**24
_LOCAL_HEADER = 30
"""Bytes before a zip member's name and extra field, whose lengths are the last four."""
_SEARCH = getattr(os, "O_PATH", 0)
"""Folders are passed through, not listed."""


def open_plain(path: Path, most: int = Limits().max_total_bytes, *, below: Path | None = None) -> BufferedReader:
    """A plain file, opened to read bytes.

    Args:
        most: bytes that it may have.
        below: the folder that was received: no part of the path below it may be a link. None for a file that somebody
            named, whose links are followed.

    Raises:
        OSError: there is none, it is no plain file, a link leads there, or it is larger than `most` bytes.
        ValueError: no path can be so, or it does not lie below the folder.
    """
    descriptor = os.open(path, _FLAGS) if below is None else _walked(path, below)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder")
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, f"{path.name} is no file")
        if found.st_size > most:
            said = f"{path.name} has {byte_size(found.st_size)}; at most {byte_size(most)} are read"
            raise OSError(errno.EFBIG, said)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _walked(path: Path, below: Path) -> int:
    """The descriptor of a file, folder by folder from the one that was received."""
    parts = path.relative_to(below).parts
    if not parts or ".." in parts:
        raise ValueError(f"{path.name!r} does not lie in the folder")
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
    """The bytes of a file that `open_plain` opens; raises as that does."""
    with open_plain(path, most, below=below) as file:
        return file.read()


def digest(source: Path | BufferedReader) -> str:
    """SHA-256 of the file, in hexadecimal; an open file is read from its start, and left there."""
    if isinstance(source, Path):
        with open_plain(source) as file:
            return digest(file)
    source.seek(0)
    found = hashlib.file_digest(source, "sha256").hexdigest()
    source.seek(0)
    return found


class WeighedZip(BufferedReader):
    """A zip whose directory is weighed before zipfile makes an object of each of its entries.

    Args:
        weigh: gets what is read until the directory was; raises where that is too much.
    """

    def __init__(self, raw: RawIOBase, weigh: Callable[[bytes], None]) -> None:
        super().__init__(raw)  # pyright: ignore[reportArgumentType]
        self.weigh: Callable[[bytes], None] | None = weigh
        """None once the directory was read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.weigh is None:
            return super().read(size)
        left = max(os.fstat(self.fileno()).st_size - self.tell(), 0)  # room is made for what is asked for
        asked = left if size is None or size < 0 else min(size, left)
        data = super().read(min(asked, Limits().max_directory_bytes + 1))
        self.weigh(data)
        return data


class StoredZip(zipfile.ZipFile):
    """The zip in an open file that Errata wrote, and others may have changed; the file stays open.

    Raises:
        BadZipFile, OSError, and others of `core.arrays.DAMAGE`: it is none, or its directory is too large.
    """

    def __init__(self, file: BufferedReader) -> None:
        def weigh(data: bytes) -> None:
            if len(data) > (most := Limits().max_directory_bytes):
                raise zipfile.BadZipFile(f"its directory has more than {byte_size(most)}")

        self.size = os.fstat(file.fileno()).st_size
        """Bytes of the file."""
        self._room = max(MAX_STORED_MEMORY, MAX_STORED_GROWTH * self.size)
        self._weighed = WeighedZip(FileIO(os.dup(file.fileno())), weigh)
        try:
            super().__init__(self._weighed)
        except BaseException:
            self._weighed.close()
            raise
        self._weighed.weigh = None

    def take(self, n_bytes: int, name: str) -> None:
        """Count memory that what is read takes; raises ValueError where it is too much by now."""
        self._room -= n_bytes
        if self._room < 0:
            raise ValueError(f"with {name[:60]} it would take more memory than a file of {byte_size(self.size)} may")

    def content(self, member: zipfile.ZipInfo) -> bytearray:
        """The bytes of a member, as many as the directory says. zipfile unpacks bzip2 and LZMA without bound, and of
        deflate all that it is asked for, whatever the directory says: so parts are asked for.

        Raises:
            BadZipFile, and others of `core.arrays.DAMAGE`: it is cut or damaged, or packed as Errata does not pack.
            ValueError: all that was read of this zip would take too much memory.
        """
        name = member.filename[:60]
        size = member.file_size
        done = 0
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{name} is packed in another way")
        self.take(size, name)
        content = bytearray(size)
        with self.open(member) as opened:
            while part := opened.read(min(_PART, size - done)):
                content[done : done + len(part)] = part
                done += len(part)
        if done < size:
            raise zipfile.BadZipFile(f"{name} is cut")
        return content

    def start_of(self, member: zipfile.ZipInfo) -> int:
        """Where the bytes of a member that is stored as it is begin in the file.

        Raises:
            BadZipFile: it is compressed, cut or damaged.
        """
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise zipfile.BadZipFile(f"{member.filename[:60]} is packed in another way")
        self._weighed.seek(member.header_offset)
        header = self._weighed.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER:
            raise zipfile.BadZipFile(f"{member.filename[:60]} is cut")
        start = member.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", header[-4:]))
        if start + member.file_size > self.size:
            raise zipfile.BadZipFile(f"{member.filename[:60]} is cut")
        return start

    def close(self) -> None:
        """Close it, and its own hold of the file."""
        super().close()
        self._weighed.close()


def check_model_folder(folder: Path) -> None:
    """See that a library may open by its path whatever lies in a model's folder: plain files, and no link that leads
    out of it. The links of a hub's own cache lead to the files beside its snapshots, and may.

    Raises:
        InvalidInput: something else lies there; it is named.
    """
    root = folder.resolve()
    home = root.parent.parent if root.parent.name == "snapshots" else root
    try:
        for place, inner, names in os.walk(root):
            for path in (Path(place, name) for name in (*inner, *names)):
                real = path.resolve(strict=True)
                if not real.is_relative_to(home):
                    raise InvalidInput(f"{folder}: {path.name!r} is a link out of the folder. Copy the file itself.")
                if not (real.is_file() or real.is_dir()):
                    raise InvalidInput(f"{folder}: {path.name!r} is no file. Copy the model again.")
    except (OSError, RuntimeError) as error:  # a link to nothing, or in a circle
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"{folder} cannot be read ({reason}). Copy the model again.") from None
