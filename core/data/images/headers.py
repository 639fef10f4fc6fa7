"""What an image's header may ask for: looked at before Pillow reads it.

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

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each TIFF type."""
_AS_BYTES = (1, 2, 6, 7)  # types that stay bytes; the others become one number each
_MAX_NUMBERS = 1_000_000  # of one tag: offsets of the strips or tiles are at most some 400,000
_MAX_TAGS = 4096
_MAX_CHUNKS = 100_000  # of a PNG, or segments before the pixels of a JPEG; each costs microseconds
_MAX_SCANS = 100  # of a progressive JPEG; usual are ten
_TILE_SIDES = (322, 323)
_EXIF = b"Exif\0\0"


def checked_header(data: bytes, limits: Limits) -> bytes:
    """The image's bytes; of an AVIF without its EXIF block, which says nothing that is used.

    Raises:
        Unreadable: reading its header would take more memory or time than any honest one.
    """
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        check_tags(data, limits)
    elif data.startswith(b"\xff\xd8"):
        _check_jpeg(data, limits)
    elif data.startswith(b"\x89PNG"):
        if len(list(islice(_png_chunks(data), _MAX_CHUNKS + 1))) > _MAX_CHUNKS:
            raise Unreadable(f"has more than {_MAX_CHUNKS:,} parts, as no image needs.")
    elif data.startswith(b"GIF8"):
        _check_gif(data, limits)
    elif data[4:8] == b"ftyp":
        return _without_exif(data)
    return data


def check_tags(data: bytes, limits: Limits) -> None:
    """Look through the first directory of a TIFF, or of an EXIF block without its first six bytes.

    Raises:
        Unreadable: its tags hold more than the file, or more numbers or larger tiles than any image needs.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:3] == b"+" or data[3:4] == b"+"
    entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (n,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        if n > _MAX_TAGS:
            raise Unreadable(f"has {n:,} tags; at most {_MAX_TAGS:,} are read.")
        at = at + (8 if big else 2)
        total = 0
        tile = 1
        for place in range(at, at + n * entry.size, entry.size):
            tag, kind, count, value = entry.unpack_from(data, place)
            total += count * _SIZES.get(kind, 1)
            if kind not in _AS_BYTES and count > _MAX_NUMBERS:
                raise Unreadable(f"has a tag of {count:,} numbers; at most {_MAX_NUMBERS:,} are read.")
            if tag in _TILE_SIDES and count == 1:
                tile *= struct.unpack_from(order + ("H" if kind == 3 else "I"), value)[0]
    except (struct.error, OverflowError):
        return  # cut short: Pillow says so
    if total > len(data):
        raise Unreadable("is damaged: its tags hold more than the file does.")
    if tile > limits.max_pixels:
        raise Unreadable(f"has tiles of {tile:,} pixels, more than the {limits.max_pixels:,} that are read.")


def declared_size(head: bytes) -> tuple[int, int]:
    """(width, height) where the first 32 bytes declare it (PNG, GIF, BMP, extended WebP), else (0, 0)."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head.startswith(b"GIF8") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head.startswith(b"BM") and len(head) >= 26:
        width, height = (int.from_bytes(head[at : at + 4], "little", signed=True) for at in (18, 22))
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
            raise Unreadable(f"has a header of more than {end:,} bytes, as no image needs.")
    if exif:
        check_tags(bytes(exif), limits)
    scans = data.count(b"\xff\xda", before)
    if scans > _MAX_SCANS:
        raise Unreadable(f"is drawn in {scans:,} passes; at most {_MAX_SCANS} are read.")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of what stands before the first scan."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xDA:
            return
        if marker in (0, 0xFF) or 0xD0 <= marker <= 0xD8:  # padding, or a marker that stands alone
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at + 4, end
        at = end


def _png_chunks(data: bytes) -> Iterator[int]:
    at = 8
    while at + 8 <= len(data):
        yield at
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _check_gif(data: bytes, limits: Limits) -> None:
    """Walk to the first frame: Pillow joins a comment's pieces of at most 255 bytes one by one."""
    palette = 3 << ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0
    at = 13 + palette
    while at + 2 < len(data) and data[at] != 0x2C:
        at += 2 if data[at] == 0x21 else 1
        if data[at - 2] == 0x21:
            while at < len(data) and data[at]:
                at += 1 + data[at]
            at += 1
        if at > limits.max_picture_text_bytes:
            raise Unreadable(f"has more than {limits.max_picture_text_bytes:,} bytes of comments before its image.")


def _without_exif(data: bytes) -> bytes:
    """The boxes with items' directories name no EXIF any more; the file keeps its length."""
    parts = list[bytes]()
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        end = at + length if length >= 8 else len(data)
        box = data[at:end]
        parts.append(box.replace(b"Exif", b"free") if box[4:8] in (b"meta", b"moov") else box)
        at = end
    return b"".join(parts) + data[at:]
