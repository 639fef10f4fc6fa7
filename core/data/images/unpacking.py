"""Streams of gzip, bzip2 and xz, unpacked in small pieces within bounds of memory, size and ratio."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from core.data.images.listing import RATIO_FROM, refuse_ratio, refuse_total
from core.data.images.scratch import scratch_file
from core.errors import InvalidInput
from core.limits import Limits
from core.received import open_plain
from core.records import Progress, Reporter

_PIECE = 2**18  # bytes that are read or unpacked at once
_GIVEN = 2**13  # bytes that a decompressor is given at once: it copies those that a stream leaves, and streams are many
_DAMAGED = (zlib.error, lzma.LZMAError, EOFError, ValueError)


def is_compressed(path: Path) -> bool:
    """Whether the file begins as one of the three does."""
    return _engine(path, Limits()) is not None


def first_bytes(path: Path, n: int, limits: Limits) -> bytes | None:
    """The first n bytes, unpacked where they are packed; None if that fails."""
    engine = _engine(path, limits)
    with open_plain(path) as file:
        if engine is None:
            return file.read(n)
        try:
            return next(pieces(file, *engine), b"")[:n]
        except (*_DAMAGED, OSError):
            return None


def unpacked(path: Path, limits: Limits, progress: Progress) -> IO[bytes]:
    """A nameless scratch file with what the stream unpacks to.

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
    most = max(limits.max_ratio * packed, RATIO_FROM * 64)
    report = Reporter(progress, "unpack images", packed >> 20)
    with open_plain(path) as file, scratch_file(path.name) as scratch:
        found = pieces(file, *engine)
        while True:
            report(file.tell() >> 20)
            try:
                piece = next(found, None)
            except (*_DAMAGED, OSError) as error:  # bz2 has OSError for damaged data
                raise InvalidInput(f"{path.name!r} is a damaged tar ({error}). Pack or upload it again.") from None
            if piece is None:
                break
            written += len(piece)
            if written > most:
                refuse_ratio(path.name, "the whole", written / max(packed, 1), limits)
            if written > limits.max_total_bytes:
                refuse_total(path.name, limits)
            scratch.write(piece)
    report(packed >> 20, last=True)
    return scratch


def pieces(file: IO[bytes], make: Callable[[], Any], magic: bytes) -> Iterator[bytes]:
    """What all the streams of the file unpack to, at most `_PIECE` bytes at a time; what follows the last, such as
    padding, is no matter.

    Args:
        make: gives a decompressor of zlib, bz2 or lzma.
        magic: what each stream begins with.

    Raises:
        EOFError, zlib.error, LZMAError, OSError: it is cut short or damaged.
    """
    engine = make()
    held = b""
    at = 0
    while True:
        asked = getattr(engine, "needs_input", True)
        given = b""
        if asked:
            if at == len(held):
                held = file.read(_PIECE)
                at = 0
            given = held[at : at + _GIVEN]
            at += len(given)
        piece: bytes = engine.decompress(given, _PIECE)
        if piece:
            yield piece
        if engine.eof:
            at -= len(engine.unused_data)
            if len(held) - at < _GIVEN:
                held = held[at:] + file.read(_PIECE)
                at = 0
            if not held.startswith(magic, at):
                return
            engine = make()
            continue
        at -= len(getattr(engine, "unconsumed_tail", b""))  # zlib hands back what it did not take; the others keep it
        if asked and not given and not piece:
            raise EOFError("it is cut short")


def _engine(path: Path, limits: Limits) -> tuple[Callable[[], Any], bytes] | None:
    """(what makes a decompressor, first bytes) of the file's kind; None if it is not packed."""
    with open_plain(path) as file:
        head = file.read(6)
    engines: dict[bytes, Callable[[], Any]] = {
        b"\x1f\x8b": partial(zlib.decompressobj, 16 + zlib.MAX_WBITS),
        b"BZh": bz2.BZ2Decompressor,
        b"\xfd7zXZ\x00": partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, limits.max_codec_bytes),
    }
    return next(((make, magic) for magic, make in engines.items() if head.startswith(magic)), None)
