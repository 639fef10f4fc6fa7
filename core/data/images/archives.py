"""Pictures from a zip, a tar or a folder, opened one at a time.

Nothing is ever unpacked to a path that an archive names, so a hostile name has nowhere to go; it is refused all the
same. Sizes are checked on the archive's own directory before anything is read, and again while reading.
"""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import InvalidInput
from core.limits import Limits
from core.records import NamedItems

IMAGE_SUFFIXES = frozenset(".jpg .jpeg .jpe .jfif .png .webp .bmp .gif .tif .tiff .avif".split())
_JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_RATIO_FROM = 2**20  # small members reach any ratio honestly (a blank bitmap) and cannot hurt


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FileImages(NamedItems):
    """Named files; thread-safe."""

    load: Callable[[int, int], bytes]
    """load(row, most): the first `most` bytes of a file."""
    sizes: Sequence[int]
    """Unpacked, in bytes."""
    notes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    """Names of links, which are not followed."""

    def read(self, index: int) -> bytes:
        return self.load(index, self.sizes[index])

    def head(self, index: int) -> tuple[int, bytes]:
        """(size in bytes, first 64 bytes) of row `index`."""
        return self.sizes[index], self.load(index, 64)


@dataclass(slots=True)
class _Listing:
    """What was found in an archive or folder, and what was passed over."""

    source: str
    limits: Limits
    names: list[str] = field(default_factory=list[str])
    sizes: list[int] = field(default_factory=list[int])
    links: list[str] = field(default_factory=list[str])
    junk: int = 0
    seen: set[str] = field(default_factory=set[str])
    repeated: list[str] = field(default_factory=list[str])
    members: int = 0
    total: int = 0

    def count(self) -> None:
        self.members += 1
        if self.members > self.limits.max_files:
            raise InvalidInput(
                f"{self.source} holds more than {self.limits.max_files:,} files, the most that is read. Split it."
            )

    def add(self, name: str, size: int) -> bool:
        """Enter a regular file; False if it is junk or a repetition."""
        if is_junk(name):
            self.junk += 1
            return False
        if name in self.seen:
            self.repeated.append(name)
            return False
        if size > self.limits.max_file_bytes:
            raise InvalidInput(
                f"{self.source}: {name!r} is {_size(size)} unpacked; "
                f"one file may be {_size(self.limits.max_file_bytes)}. Take it out."
            )
        self.total += size
        if self.total > self.limits.max_total_bytes:
            raise InvalidInput(
                f"{self.source} is more than {_size(self.limits.max_total_bytes)} unpacked, "
                "the most that is read. Split it."
            )
        self.seen.add(name)
        self.names.append(name)
        self.sizes.append(size)
        return True

    def store(self, load: Callable[[int, int], bytes], *, strip: bool) -> FileImages:
        if not self.names:
            raise InvalidInput(
                f"{self.source} holds no files that can be read. "
                "Bring an archive or folder with pictures (.jpg, .png, .webp, ...)."
            )
        top = _common_top(self.names) if strip else ""
        notes = list[str]()
        if self.junk:
            left = f"{self.junk:,} files that an operating system left in {self.source}"
            notes.append(f"{left} (.DS_Store, __MACOSX) were ignored.")
        if self.links:
            notes.append(
                f"{len(self.links):,} links in {self.source} were not followed, for instance {self.links[0]!r}."
            )
        if self.repeated:
            notes.append(
                f"{self.source} names {self.repeated[0]!r} more than once ({len(self.repeated):,} such "
                "entries): the first is used."
            )
        names = tuple(name[len(top) :] for name in self.names)
        links = tuple(link.removeprefix(top) for link in self.links)
        return FileImages(names, load, self.sizes, tuple(notes), links)


def open_images(path: str | Path, limits: Limits = Limits()) -> FileImages:
    """List the files of a zip, a tar (also .tar.gz, .tar.bz2, .tar.xz) or a folder.

    If everything in an archive lies in one folder, names are given below that folder. Hidden junk is ignored and
    counted; links are not followed.

    Raises:
        InvalidInput: the path is missing, is no archive, is encrypted or damaged, names a member outside its own
        folder, or exceeds `limits`.
    """
    path = Path(path)
    if path.is_dir():
        return _open_folder(path, limits)
    if not path.is_file():
        raise InvalidInput(f"The images {path.name!r} were not found. Give a folder, a .zip or a .tar.")
    if zipfile.is_zipfile(path):
        return _open_zip(path, limits)
    if tarfile.is_tarfile(path):
        return _open_tar(path, limits)
    raise InvalidInput(
        f"{path.name!r} is neither a zip, a tar nor a folder, or it is damaged. "
        "Give the images as one of these (no .rar or .7z)."
    )


def is_image_name(name: str) -> bool:
    """Whether the file name ends as a picture's does."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def is_junk(name: str) -> bool:
    """Whether an operating system left the file behind (__MACOSX, .DS_Store, ._photo.jpg, Thumbs.db)."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1].lower() in _JUNK_NAMES


def _size(n: int) -> str:
    return f"{n / 2**30:.1f} GiB" if n >= 2**30 else f"{n / 2**20:.1f} MiB"


def _common_top(names: list[str]) -> str:
    """The one folder that holds every file, with its "/", or ""."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    return "" if len(tops) != 1 or "" in tops else tops.pop() + "/"


def _safe_name(raw: str, source: str) -> str:
    """The member's name with "/" between folders.

    Raises:
        InvalidInput: it is absolute, climbs with "..", names a drive, or holds a zero byte.
    """
    name = raw.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    drive = bool(parts) and len(parts[0]) == 2 and parts[0][1] == ":"
    if name.startswith("/") or drive or ".." in parts or "\0" in name or not parts:
        raise InvalidInput(
            f"{source}: the member {raw[:80]!r} points outside the archive. "
            "Archives must name files below their own top: pack it again."
        )
    return "/".join(parts)


def _open_zip(path: Path, limits: Limits) -> FileImages:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise InvalidInput(f"{path.name!r} is a damaged zip ({error}). Pack or upload it again.") from None
    listing, infos, packed = _Listing(path.name, limits), list[zipfile.ZipInfo](), 0
    for info in archive.infolist():
        listing.count()
        # orig_filename: zipfile cuts a name at a zero byte, which would hide it
        name = _safe_name(info.orig_filename, path.name) if info.filename.strip("/") else ""
        if info.is_dir() or not name:
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            listing.links.append(name)
            continue
        if info.flag_bits & 1:
            raise InvalidInput(f"{path.name!r} is encrypted (member {name!r}). Pack it without a password.")
        if info.file_size > _RATIO_FROM and info.file_size > limits.max_ratio * max(info.compress_size, 1):
            _refuse_ratio(path.name, name, info.file_size / max(info.compress_size, 1), limits)
        packed += info.compress_size
        if listing.add(name, info.file_size):
            infos.append(info)
    if listing.total > _RATIO_FROM * 64 and listing.total > limits.max_ratio * max(packed, 1):
        _refuse_ratio(path.name, "the whole", listing.total / max(packed, 1), limits)
    lock = threading.Lock()  # one ZipFile shares one file handle; its reads are short beside decoding

    def load(position: int, most: int) -> bytes:
        try:
            with lock, archive.open(infos[position]) as member:
                return member.read(most)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise InvalidInput(
                f"{path.name}: the member {infos[position].filename!r} cannot be unpacked ({error}). Pack it again."
            ) from None
        except Exception as error:  # zlib.error, lzma.LZMAError: damaged data, each codec with its own class
            raise InvalidInput(
                f"{path.name}: the member {infos[position].filename!r} is damaged ({error}). Pack it again."
            ) from None

    return listing.store(load, strip=True)


def _refuse_ratio(source: str, name: str, ratio: float, limits: Limits) -> None:
    raise InvalidInput(
        f"{source}: {name} unpacks to {ratio:,.0f} times its packed size; "
        f"at most {limits.max_ratio:,.0f} is read. Take it out."
    )


def _open_tar(path: Path, limits: Limits) -> FileImages:
    """A plain tar is read in place. A compressed one cannot be entered at will: its files are copied once, in order, to
    a nameless scratch file."""
    with path.open("rb") as probe:
        head = probe.read(6)
    compressed = head[:2] == b"\x1f\x8b" or head[:3] == b"BZh" or head == b"\xfd7zXZ\x00"
    listing, offsets = _Listing(path.name, limits), list[int]()
    scratch: IO[bytes] = tempfile.TemporaryFile() if compressed else path.open("rb")  # noqa: SIM115 - lives as long as the store
    allowed = limits.max_ratio * max(path.stat().st_size, 1)
    try:
        with tarfile.open(path, "r|*" if compressed else "r:") as archive:
            for member in archive:
                listing.count()
                name = "" if member.name in (".", "./") else _safe_name(member.name, path.name)
                if member.issym() or member.islnk():
                    listing.links.append(name)
                elif member.isfile() and not (member.sparse is not None) and listing.add(name, member.size):
                    if compressed and listing.total > max(allowed, _RATIO_FROM * 64):
                        _refuse_ratio(path.name, "the whole", listing.total / max(path.stat().st_size, 1), limits)
                    offsets.append(scratch.tell() if compressed else member.offset_data)
                    if compressed:
                        _copy(archive.extractfile(member), scratch)
        if not compressed and path.stat().st_size % tarfile.BLOCKSIZE:  # tarfile takes half a header for the end
            raise tarfile.ReadError("it is cut short")
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise InvalidInput(f"{path.name!r} is a damaged tar ({error}). Pack or upload it again.") from None
    scratch.flush()

    def load(position: int, most: int) -> bytes:
        return os.pread(scratch.fileno(), min(most, listing.sizes[position]), offsets[position])

    return listing.store(load, strip=True)


def _copy(member: IO[bytes] | None, scratch: IO[bytes]) -> None:
    while member is not None and (block := member.read(2**20)):
        scratch.write(block)


def _open_folder(root: Path, limits: Limits) -> FileImages:
    """Files below the folder, in sorted order; a link is followed only if it is a file and stays below the folder."""
    listing, files, base = _Listing(root.name, limits), list[Path](), root.resolve()
    for folder, subfolders, names in os.walk(base):
        subfolders.sort()
        for name in [n for n in subfolders if os.path.islink(os.path.join(folder, n))]:
            listing.links.append(_below(base, folder, name))
        for name in sorted(names):
            listing.count()
            file, below = Path(folder, name), _below(base, folder, name)
            inside = not file.is_symlink() or file.resolve().is_relative_to(base)
            if not inside or not file.is_file():
                listing.links.append(below)
            elif is_image_name(below) and any("\ud800" <= c <= "\udfff" for c in below):
                # no table or page could hold such a name
                raise InvalidInput(
                    f"{root.name}: the name of {below!a} is no UTF-8. "
                    "Rename it or its folder, or pack the folder as a zip."
                )
            elif listing.add(below, file.stat().st_size):
                files.append(file)

    def load(position: int, most: int) -> bytes:
        try:
            with files[position].open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise InvalidInput(
                f"{root.name}: {listing.names[position]!r} cannot be read ({error.strerror}). "
                "Was it moved while the run went on?"
            ) from None

    return listing.store(load, strip=False)


def _below(base: Path, folder: str, name: str) -> str:
    return Path(folder, name).relative_to(base).as_posix()
