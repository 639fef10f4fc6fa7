"""List a zip's files, with its directory bounded before it is parsed."""

from __future__ import annotations

import bz2
import copy
import lzma
import stat
import threading
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from core.data.images.listing import RATIO_FROM_BYTES, FileImages, Listing, reject_ratio, safe_name
from core.data.images.unpacking import unpack_pieces
from core.errors import DiagnosisError, InvalidInput
from core.limits import Limits, byte_size
from core.received import WeighedZip, open_plain
from core.records import Progress

_ENTRY_MAGIC = b"PK\1\2"  # begins each entry of the directory
_LOCAL_HEADER_BYTES = 30  # before a member's name and data
_UNBOUNDED = (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)  # zipfile unpacks all that it reads of these, whatever comes out


def is_zip(path: Path) -> bool:
    """Whether the file has a zip's last bytes."""
    return zipfile.is_zipfile(path)


def open_zip(path: Path, limits: Limits, progress: Progress) -> FileImages:
    """List the files of a zip.

    Raises:
        InvalidInput: see `core.data.images.archives.open_images`.
        Cancelled: from `progress`.
    """
    listing = Listing(path.name, limits, progress)
    infos = list[zipfile.ZipInfo]()
    file = WeighedZip(open_plain(path).detach(), _directory_check(listing))
    try:
        archive = _open(file, listing)
        for info in archive.infolist():
            listing.count()
            name = _file_name(info, listing)
            if name is not None and listing.add(name, info.file_size):
                infos.append(info)
        _check_whole(path, infos, listing)
    except BaseException:
        file.close()
        raise
    lock = threading.Lock()  # one ZipFile shares one file handle; its reads are short beside decoding

    def load(position: int, most: int) -> bytes:
        info = infos[position]
        try:
            if info.compress_type in _UNBOUNDED:
                with lock:
                    return _unpack_bounded(archive, info, most, limits)
            with lock, archive.open(info) as member:
                return member.read(most)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
            why = f"cannot be unpacked ({error})"
        except Exception as error:  # zlib.error, lzma.LZMAError: damaged data, each codec with its own class
            why = f"is damaged ({error})"
        raise InvalidInput(f"{path.name}: the member {info.filename[:80]!r} {why}. Pack it again.")

    return listing.store(load, strip=True)


def _directory_check(listing: Listing) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        max_bytes = listing.limits.max_directory_bytes
        if len(data) > max_bytes:
            raise InvalidInput(
                f"{listing.source}: its list of files takes more than {byte_size(max_bytes)}, the limit. Split it."
            )
        if data.count(_ENTRY_MAGIC) > listing.limits.max_files:
            listing.reject_count()

    return check


def _open(file: WeighedZip, listing: Listing) -> zipfile.ZipFile:
    listing.report(0)
    try:
        archive = zipfile.ZipFile(file)
    except DiagnosisError:
        raise
    except Exception as error:  # beside BadZipFile: struct.error, UnicodeDecodeError, NotImplementedError, ...
        raise InvalidInput(f"{listing.source!r} is a damaged zip ({error}). Pack or upload it again.") from None
    file.weigh = None
    return archive


def _file_name(info: zipfile.ZipInfo, listing: Listing) -> str | None:
    """Return the entry's name if it is a file; None for a folder or a link, which is noted.

    Raises:
        InvalidInput: it points outside the archive, is encrypted, or a bomb.
    """
    if not info.filename.strip("/"):
        return None
    # orig_filename: zipfile cuts a name at a zero byte, which would hide it
    name = safe_name(info.orig_filename, listing.source)
    limits = listing.limits
    if info.is_dir():
        return None
    if stat.S_ISLNK(info.external_attr >> 16):
        listing.links.append(name)
        return None
    if info.flag_bits & 1:
        raise InvalidInput(f"{listing.source!r} is encrypted (member {name[:80]!r}). Pack it without a password.")
    if info.file_size > RATIO_FROM_BYTES and info.file_size > limits.max_ratio * max(info.compress_size, 1):
        reject_ratio(listing.source, name, info.file_size / max(info.compress_size, 1), limits)
    return name


def _check_whole(path: Path, infos: list[zipfile.ZipInfo], listing: Listing) -> None:
    """Reject a zip that unpacks to too many times its size, or whose members share their bytes, as bombs do."""
    packed = max(path.stat().st_size, 1)
    limits = listing.limits
    if listing.total > RATIO_FROM_BYTES * 64 and listing.total > limits.max_ratio * packed:
        reject_ratio(path.name, "the archive", listing.total / packed, limits)
    for before, after in pairwise(sorted(infos, key=lambda info: info.header_offset)):
        if before.header_offset + _LOCAL_HEADER_BYTES + before.compress_size > after.header_offset:
            raise InvalidInput(
                f"{path.name!r} is a damaged zip: its members {before.filename[:80]!r} and {after.filename[:80]!r} "
                "share bytes. Pack or upload it again."
            )


def _unpack_bounded(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, limits: Limits) -> bytes:
    """Unpack the first `most` bytes of a member in bzip2 or LZMA, in small pieces.

    Raises:
        BadZipFile, EOFError, LZMAError, OSError: it is damaged.
    """
    packed: Any = copy.copy(info)  # the member's bytes as they lie in the file
    packed.compress_type = zipfile.ZIP_STORED
    packed.file_size = info.compress_size
    packed.CRC = None
    content = bytearray()
    with archive.open(packed) as file:
        make: Callable[[], Any] = bz2.BZ2Decompressor
        if info.compress_type == zipfile.ZIP_LZMA:
            make = _lzma_decompressor(file, limits)
        for piece in unpack_pieces(file, make, b"BZh"):
            content += piece
            if len(content) >= most:
                break
    if most >= info.file_size and zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile("its checksum is wrong")
    return bytes(content[:most])


def _lzma_decompressor(file: IO[bytes], limits: Limits) -> Callable[[], lzma.LZMADecompressor]:
    """The decompressor that the head of a member in LZMA needs (version, length, then lc, lp, pb and dictionary)."""
    head = file.read(4)
    settings = file.read(int.from_bytes(head[2:], "little"))
    if len(settings) < 5:
        raise zipfile.BadZipFile("it is cut short")
    packed = settings[0]
    dictionary = int.from_bytes(settings[1:5], "little")
    if dictionary > limits.max_codec_bytes:
        raise zipfile.BadZipFile(f"it needs {dictionary:,} bytes of memory")
    options = {"lc": packed % 9, "lp": packed // 9 % 5, "pb": packed // 45, "dict_size": dictionary}
    return partial(lzma.LZMADecompressor, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, **options}])
