"""Check what an image's header asks for before Pillow reads it.

Pillow trusts a header's counts: a file of 2 MB can have it copy the same bytes 60,000 times (TIFF and EXIF), join its
comments one by one (GIF), decode a thousand scans (JPEG) or hold a tile larger than the image (TIFF). Each check here
is one pass over the header that stops at its bound.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

from core.data.modality import Unreadable
from core.limits import Limits

_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each TIFF type."""
_BYTE_TYPES = (1, 2, 6, 7)  # types that stay bytes; the others become one number each
_MAX_NUMBERS = 1_000_000  # of one tag: offsets of the strips or tiles are at most some 400,000
_MAX_TAGS = 4096
_MAX_CHUNKS = 100_000  # of a PNG, or segments before the pixels of a JPEG; each costs microseconds
_MAX_SCANS = 100  # of a progressive JPEG; usual are ten
_TILE_SIDES = (322, 323)
_EXIF = b"Exif\0\0"


def checked_header(data: bytes, limits: Limits) -> bytes:
    """Return the image's bytes; an AVIF's without its EXIF block, which holds nothing of use.

    Raises:
        Unreadable: reading the header would take more memory or time than any honest one.
    """
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        check_tags(data, limits)
    elif data.startswith(b"\xff\xd8"):
        _check_jpeg(data, limits)
    elif data.startswith(b"\x89PNG"):
        if len(list(islice(_png_chunks(data), _MAX_CHUNKS + 1))) > _MAX_CHUNKS:
            raise Unreadable(f"has more than {_MAX_CHUNKS:,} chunks, above any image's need. Save it again.")
    elif data.startswith(b"GIF8"):
        _check_gif(data, limits)
    elif data[4:8] == b"ftyp":
        return _without_exif(data)
    return data


def check_tags(data: bytes, limits: Limits) -> None:
    """Check the first directory of a TIFF, or of an EXIF block without its first six bytes.

    Raises:
        Unreadable: its tags hold more than the file, or more numbers or larger tiles than any image needs.
    """
    order = ">"
    if data[:2] == b"II":
        order = "<"
    if data[2:3] == b"+" or data[3:4] == b"+":  # BigTIFF: 8-byte offsets and counts
        entry = struct.Struct(order + "HHQ8s")
        count_format = struct.Struct(order + "Q")
        offset_format = struct.Struct(order + "Q")
    else:
        entry = struct.Struct(order + "HHI4s")
        count_format = struct.Struct(order + "H")
        offset_format = struct.Struct(order + "I")
    try:
        (at,) = offset_format.unpack_from(data, offset_format.size)
        (n,) = count_format.unpack_from(data, at)
        if n > _MAX_TAGS:
            raise Unreadable(f"has {n:,} tags, above the limit of {_MAX_TAGS:,}. Save it again.")
        start = at + count_format.size
        total = 0
        tile = 1
        for offset in range(start, start + n * entry.size, entry.size):
            tag, kind, count, value = entry.unpack_from(data, offset)
            total += count * _VALUE_BYTES.get(kind, 1)
            if kind not in _BYTE_TYPES and count > _MAX_NUMBERS:
                raise Unreadable(f"has a tag of {count:,} numbers, above the limit of {_MAX_NUMBERS:,}. Save it again.")
            if tag in _TILE_SIDES and count == 1:
                tile *= struct.unpack_from(order + ("H" if kind == 3 else "I"), value)[0]
    except (struct.error, OverflowError):
        return  # cut short: Pillow raises that
    if total > len(data):
        raise Unreadable("is damaged: its tags declare more bytes than the file has.")
    if tile > limits.max_pixels:
        raise Unreadable(f"has tiles of {tile:,} pixels, above the limit of {limits.max_pixels:,}. Save it again.")


def declared_size(head: bytes) -> tuple[int, int]:
    """(width, height) where the first 32 bytes declare it (PNG, GIF, BMP, extended WebP), else (0, 0)."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head.startswith(b"GIF8") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head.startswith(b"BM") and len(head) >= 26:
        width = int.from_bytes(head[18:22], "little", signed=True)
        height = int.from_bytes(head[22:26], "little", signed=True)
        return abs(width), abs(height)
    if head[8:16] == b"WEBPVP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return 0, 0


def _check_jpeg(data: bytes, limits: Limits) -> None:
    exif = bytearray()
    before = 0
    for n, (marker, start, end) in enumerate(_jpeg_segments(data)):
        before = end
        if marker == 0xE1 and data.startswith(_EXIF, start):
            exif += data[start + len(_EXIF) : end]
        if n > _MAX_CHUNKS or end > limits.max_picture_header_bytes:
            raise Unreadable(f"has a header of more than {end:,} bytes, above any image's need. Save it again.")
    if exif:
        check_tags(bytes(exif), limits)
    scans = data.count(b"\xff\xda", before)
    if scans > _MAX_SCANS:
        raise Unreadable(f"is drawn in {scans:,} passes, above the limit of {_MAX_SCANS}. Save it again.")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment before the first scan."""
    at = data.find(b"\xff", 2)
    while 0 <= at <= len(data) - 4:
        marker = data[at + 1]
        if marker == 0xDA:
            return
        if marker in (0, 0xFF) or 0xD0 <= marker <= 0xD8:  # padding, or a marker without content
            end = at + 1
        else:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            yield marker, at + 4, end
        at = data.find(b"\xff", end)


def _png_chunks(data: bytes) -> Iterator[int]:
    at = 8
    while at + 8 <= len(data):
        yield at
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _check_gif(data: bytes, limits: Limits) -> None:
    """Walk to the first frame: Pillow joins a comment's pieces of at most 255 bytes one by one."""
    at = 13
    if len(data) > 10 and data[10] & 0x80:
        at += 3 << ((data[10] & 7) + 1)  # the palette
    while at + 2 < len(data) and data[at] != 0x2C:
        if data[at] == 0x21:
            at += 2
        else:
            at += 1
        if data[at - 2] == 0x21:
            while at < len(data) and data[at]:
                at += 1 + data[at]
            at += 1
        if at > limits.max_picture_text_bytes:
            raise Unreadable(
                f"has more than {limits.max_picture_text_bytes:,} bytes of comments before its image. Save it again."
            )


def _without_exif(data: bytes) -> bytes:
    """Blank out EXIF in the boxes with directories of items; the file keeps its length."""
    parts = list[bytes]()
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        end = len(data)
        if length >= 8:
            end = at + length
        box = data[at:end]
        if box[4:8] in (b"meta", b"moov"):
            box = box.replace(b"Exif", b"free")
        parts.append(box)
        at = end
    return b"".join(parts) + data[at:]
