"""Unpack streams of gzip, bzip2 and xz in small pieces, within bounds of memory, size and ratio."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from core.data.images.listing import RATIO_FROM_BYTES, reject_ratio, reject_total
from core.data.images.scratch import scratch_file
from core.errors import InvalidInput
from core.limits import Limits
from core.received import open_plain
from core.records import Progress, Reporter

_PIECE_BYTES = 2**18  # read or unpacked at once
_FEED_BYTES = 2**13  # passed to a decompressor at once: it copies what a stream leaves over, and a file may have many
_DAMAGED = (zlib.error, lzma.LZMAError, EOFError, ValueError)


def is_compressed(path: Path) -> bool:
    """Whether the file has the first bytes of one of the three formats."""
    return _engine(path, Limits()) is not None


def first_bytes(path: Path, n: int, limits: Limits) -> bytes | None:
    """Read the first n bytes, unpacked if the file is packed; None if unpacking fails."""
    engine = _engine(path, limits)
    with open_plain(path) as file:
        if engine is None:
            return file.read(n)
        try:
            return next(unpack_pieces(file, *engine), b"")[:n]
        except (*_DAMAGED, OSError):
            return None


def unpack(path: Path, limits: Limits, progress: Progress) -> IO[bytes]:
    """Unpack a stream to a nameless scratch file.

    Args:
        progress: called as ("unpack images", done, total) in MiB of the packed file.

    Raises:
        InvalidInput: the stream is damaged or exceeds `limits`, or the disk is full.
        Cancelled: from `progress`.
    """
    engine = _engine(path, limits)
    packed = path.stat().st_size
    written = 0
    assert engine is not None
    max_bytes = max(limits.max_ratio * packed, RATIO_FROM_BYTES * 64)
    report = Reporter(progress, "unpack images", packed >> 20)
    with open_plain(path) as file, scratch_file(path.name) as scratch:
        pieces = unpack_pieces(file, *engine)
        while True:
            report(file.tell() >> 20)
            try:
                piece = next(pieces, None)
            except (*_DAMAGED, OSError) as error:  # bz2 has OSError for damaged data
                raise InvalidInput(f"{path.name!r} is a damaged tar ({error}). Pack or upload it again.") from None
            if piece is None:
                break
            written += len(piece)
            if written > max_bytes:
                reject_ratio(path.name, "the archive", written / max(packed, 1), limits)
            if written > limits.max_total_bytes:
                reject_total(path.name, limits)
            scratch.write(piece)
    report(packed >> 20, last=True)
    return scratch


def unpack_pieces(file: IO[bytes], make: Callable[[], Any], magic: bytes) -> Iterator[bytes]:
    """Unpack all streams of the file, at most `_PIECE_BYTES` at a time; padding after the last is ignored.

    Args:
        make: builds a decompressor of zlib, bz2 or lzma.
        magic: first bytes of each stream.

    Raises:
        EOFError, zlib.error, LZMAError, OSError: it is cut short or damaged.
    """
    engine = make()
    held = b""
    at = 0
    while True:
        needs_input = getattr(engine, "needs_input", True)
        packed = b""
        if needs_input:
            if at == len(held):
                held = file.read(_PIECE_BYTES)
                at = 0
            packed = held[at : at + _FEED_BYTES]
            at += len(packed)
        piece: bytes = engine.decompress(packed, _PIECE_BYTES)
        if piece:
            yield piece
        if engine.eof:
            at -= len(engine.unused_data)
            if len(held) - at < _FEED_BYTES:
                held = held[at:] + file.read(_PIECE_BYTES)
                at = 0
            if not held.startswith(magic, at):
                return
            engine = make()
            continue
        at -= len(getattr(engine, "unconsumed_tail", b""))  # zlib hands back what it did not take; the others keep it
        if needs_input and not packed and not piece:
            raise EOFError("it is cut short")


def _engine(path: Path, limits: Limits) -> tuple[Callable[[], Any], bytes] | None:
    """(builder of a decompressor, first bytes) of the file's format; None if it is not packed."""
    with open_plain(path) as file:
        head = file.read(6)
    engines: dict[bytes, Callable[[], Any]] = {
        b"\x1f\x8b": partial(zlib.decompressobj, 16 + zlib.MAX_WBITS),
        b"BZh": bz2.BZ2Decompressor,
        b"\xfd7zXZ\x00": partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, limits.max_codec_bytes),
    }
    for magic, make in engines.items():
        if head.startswith(magic):
            return make, magic
    return None
