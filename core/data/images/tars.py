"""List a tar's files by its headers, which are read one block at a time.

Python's reader holds an extended header whole, searches it in quadratic time and follows chains of them by recursion,
so that a small file can take gigabytes and minutes. Here Python parses single blocks only (`tarfile.TarInfo.frombuf`);
the headers before a member's block are read within bounds.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.data.images.listing import FileImages, Listing, safe_name
from core.data.images.unpacking import first_bytes, is_compressed, unpack
from core.errors import InvalidInput
from core.limits import Limits, byte_size
from core.received import open_plain
from core.records import Progress

_BLOCK = tarfile.BLOCKSIZE
_MAX_EXTENDED = 16  # headers before a member's own: tar programs write one to three
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTENDED = (*_PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_WITHOUT_DATA = (
    *(tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE),
    *(tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE),
)
_FOLDERS = (tarfile.DIRTYPE, b"D")  # the second with a list of what GNU tar found in it
_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    kind: bytes
    size: int
    offset: int
    """Where its data begins."""
    sparse: bool


@dataclass(slots=True)
class _Extended:
    """What the headers before a member's block say about it; the first value of each field counts."""

    n: int = 0
    name: str | None = None
    size: int | None = None
    sparse: bool = False


def is_tar(path: Path, limits: Limits) -> bool:
    """Whether the file has a tar's first bytes, compressed or not."""
    head = first_bytes(path, _BLOCK, limits)
    if head is None:  # compressed and damaged: `open_tar` raises the reason
        return True
    try:
        return len(head) == _BLOCK and (not any(head) or _header(head, 0) is not None)
    except tarfile.TarError:
        return False


def open_tar(path: Path, limits: Limits, progress: Progress) -> FileImages:
    """List the files of a tar. A plain one is read in place; a compressed one, which allows no random access, is
    unpacked once to a nameless scratch file.

    Raises:
        InvalidInput: see `core.data.images.archives.open_images`.
        Cancelled: from `progress`.
    """
    listing = Listing(path.name, limits, progress)
    offsets = list[int]()
    file: IO[bytes] = unpack(path, limits, progress) if is_compressed(path) else open_plain(path)
    try:
        for member in _members(file, listing):
            listing.count()
            name = ""
            if member.name not in (".", "./"):
                name = safe_name(member.name, path.name)
            if member.kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                listing.links.append(name)
            elif member.kind in _FOLDERS:
                continue
            elif member.kind not in _REGULAR or member.sparse:
                listing.special.append(name)
            elif listing.add(name, member.size):
                offsets.append(member.offset)
    except tarfile.TarError as error:
        file.close()
        raise InvalidInput(f"{path.name!r} is a damaged tar ({error}). Pack or upload it again.") from None
    except BaseException:
        file.close()
        raise

    def load(position: int, most: int) -> bytes:
        return os.pread(file.fileno(), min(most, listing.sizes[position]), offsets[position])

    return listing.store(load, strip=True)


def _members(file: IO[bytes], listing: Listing) -> Iterator[_Member]:
    """The members in order, up to the end mark or the end of the file.

    Raises:
        TarError: it is damaged or cut short.
        InvalidInput: a header is too large.
    """
    descriptor = file.fileno()
    length = os.fstat(file.fileno()).st_size
    at = 0
    spent = 0
    before = _Extended()
    while block := os.pread(descriptor, _BLOCK, at):
        listing.report(0)
        header = _header(block, at)
        if header is None:
            break
        at += _BLOCK
        if header.type in _EXTENDED:
            spent += header.size
            limits = listing.limits
            if header.size > limits.max_header_bytes:
                raise InvalidInput(
                    f"{listing.source}: a header takes {header.size:,} bytes, above the limit of "
                    f"{limits.max_header_bytes:,}. Pack it again without extended attributes."
                )
            if spent > limits.max_directory_bytes:
                raise InvalidInput(
                    f"{listing.source}: its headers take more than {byte_size(limits.max_directory_bytes)}, the limit. "
                    "Split it."
                )
            _extend(before, header.type, os.pread(descriptor, header.size, at))
            at += _padded(header.size)
        else:
            more = header.type == tarfile.GNUTYPE_SPARSE and bool(block[482])
            while more:  # each further block of a sparse file's map says whether another follows
                listing.report(0)
                block = os.pread(descriptor, _BLOCK, at)
                at += _BLOCK
                more = len(block) == _BLOCK and bool(block[504])
            size = header.size
            if before.size is not None:
                size = before.size
            yield _Member(before.name or header.name, header.type, size, at, before.sparse)
            if header.type not in _WITHOUT_DATA:
                at += _padded(size)
            before = _Extended()
        if at > length:
            raise tarfile.ReadError("it is cut short")
    if before.n:
        raise tarfile.ReadError("it is cut short")


def _header(block: bytes, at: int) -> tarfile.TarInfo | None:
    """Parse the header in one block; None for the end mark.

    Raises:
        TarError: the block is not a header.
    """
    if len(block) < _BLOCK:
        raise tarfile.ReadError("it is cut short")
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        if not any(block):
            return None
        raise tarfile.ReadError(f"{error} at byte {at:,}") from None
    if header.size < 0:
        raise tarfile.ReadError(f"a negative size at byte {at:,}")
    return header


def _extend(before: _Extended, kind: bytes, content: bytes) -> None:
    """Add the fields of an extended header; global headers and long names of link targets hold nothing of use."""
    before.n += 1
    if before.n > _MAX_EXTENDED:
        raise tarfile.ReadError(f"more than {_MAX_EXTENDED} headers before one member")
    if kind == tarfile.GNUTYPE_LONGNAME and before.name is None:
        before.name = content.partition(b"\0")[0].decode("utf-8", "surrogateescape").rstrip("/")
    if kind not in _PAX:
        return
    fields = dict(_records(content))
    before.sparse = before.sparse or any(key.startswith(b"GNU.sparse.") for key in fields)
    if b"path" in fields and before.name is None:
        before.name = fields[b"path"].decode("utf-8", "surrogateescape").rstrip("/")
    if b"size" in fields and before.size is None:
        if not _is_number(fields[b"size"]):
            raise tarfile.ReadError("a size that is not a number")
        before.size = int(fields[b"size"])


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Parse the pairs of a pax header: each is "length keyword=value" and a newline; length counts the whole record."""
    at = 0
    while at < len(content) and content[at]:
        digits, _, _ = content[at : at + 20].partition(b" ")
        end = at
        if _is_number(digits):
            end += int(digits)
        key, equals, value = content[at + len(digits) + 1 : end - 1].partition(b"=")
        if not equals or end > len(content) or content[end - 1 : end] != b"\n":
            raise tarfile.ReadError("an extended header that cannot be read")
        yield key, value
        at = end


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) < 20


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
