"""What a scan's bytes unpack to, with an end: a megabyte of gzip may claim to be a gigabyte."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from core.arrays import DAMAGE
from core.data.modality import Unreadable
from core.limits import byte_size

MOST_BYTES = 256 * 2**20
"""Of one scan, unpacked: a volume of 512 x 512 x 512 in two bytes has as much."""
MOST_SIDE = 4_096
"""Voxels along any side."""
MOST_AXES = 32
"""Of an array, those of length 1 included."""
_GZIP = 31
_GZIP_BEGINS = b"\x1f\x8b"
"""zlib's window for a gzip header, and how a gzip stream begins."""
_HANDED_OVER = 2**14
"""Bytes at once: behind each stream all that is left of them is copied, and a file may hold a stream every 20 bytes."""
_NAMES = ("vol", "volume", "scan", "image", "img", "data", "arr_0")


def gunzip(data: bytes, most: int = MOST_BYTES) -> bytes:
    """The unpacked bytes of a gzip file.

    Raises:
        Unreadable: damaged, cut short, or more than `most`.
    """
    opened = zlib.decompressobj(_GZIP)
    found = bytearray()
    at = 0
    left = b""  # what was handed over and not yet read
    try:
        while not opened.eof or (left + data[at : at + 2])[:2] == _GZIP_BEGINS:
            if opened.eof:  # bgzip and cat write several streams, one behind the other
                opened = zlib.decompressobj(_GZIP)
            if len(left) < 2:
                left = left + data[at : at + _HANDED_OVER]
                at = at + _HANDED_OVER
            part = opened.decompress(left, 2**22)
            left = opened.unused_data if opened.eof else opened.unconsumed_tail
            if not part and not left and at >= len(data) and not opened.eof:
                raise Unreadable(f"is cut short: its gzip stream ends after {byte_size(len(found))}. Copy it again.")
            found += part
            if len(found) > most:
                raise Unreadable(
                    f"unpacks to more than {byte_size(most)}, the most that is read of one scan. Crop it, or sample it "
                    "more coarsely."
                )
    except zlib.error as error:
        raise Unreadable(f"is a damaged gzip file ({error}). Copy it again.") from None
    return bytes(found)


def check_shape(shape: tuple[int, ...], itemsize: int = 2) -> None:
    """See that a volume of this shape can be read.

    Raises:
        Unreadable: it has no voxel, more than three dimensions that are longer than 1, or is too large.
    """
    if min(shape, default=0) < 0:
        raise Unreadable(f"declares a shape of {said(shape)}: no side may be below 0. Export the scan again.")
    if len(shape) > MOST_AXES:
        raise Unreadable(f"has {len(shape)} axes: {MOST_AXES} at most, 3 of them longer than 1. Save it again.")
    long = [side for side in shape if side != 1]
    if 0 in shape or not shape:
        shown = said(shape) or "that of a single number"
        raise Unreadable(f"holds no voxel: its shape is {shown}. Export the scan again.")
    if len(long) > 3:
        raise Unreadable(said_series(shape))
    if max(shape) > MOST_SIDE or math.prod(shape) * itemsize > MOST_BYTES:
        raise Unreadable(
            f"is {said(shape)} voxels of {itemsize} bytes; at most {MOST_SIDE:,} along a side and "
            f"{byte_size(MOST_BYTES)} in all are read. Crop it, or sample it more coarsely."
        )


def said_series(shape: tuple[int, ...]) -> str:
    """What is wrong with a volume of more than three dimensions."""
    return (
        f"has {len(shape)} dimensions ({said(shape)}), as a series in time or of directions has: a scan has 3. Save "
        "one volume of it, or the mean."
    )


def brief(error: Exception) -> str:
    """What another library says, on one line."""
    return " ".join(str(error).split())[:80]


def said(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{side:,}" for side in shape)


def read_npz(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """The volume of an npz under "volume", and "spacing" (3,) mm where it says so.

    Raises:
        Unreadable: damaged, no array or several that may be meant, or one of Python objects or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {m.filename.removesuffix(".npy"): m for m in archive.infolist() if m.filename.endswith(".npy")}
            usual = [name for name in _NAMES if name in members]
            others = [name for name in members if name not in ("spacing", "seg", "mask", "label", "labels")]
            if not usual and len(others) != 1:
                raise Unreadable(
                    f"holds {len(members)} arrays ({', '.join(list(members)[:5])[:80]}) and none is called 'volume'. "
                    "Name the one that is meant so."
                )
            found = {"volume": _member(archive, members[(usual or others)[0]])}
            if "spacing" in members and members["spacing"].file_size < 1_000:
                found["spacing"] = _member(archive, members["spacing"])
            return found
    except DAMAGE as error:
        raise Unreadable(f"is a damaged npz file ({brief(error)}). Save it again.") from None


def read_npy(file: IO[bytes], size: int) -> npt.NDArray[Any]:
    """The array of a .npy file of `size` bytes.

    Raises:
        Unreadable: damaged, of Python objects, no numbers, too large, or larger than the file says.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        declared, fortran, dtype = read(file)
        shape = tuple(map(int, declared))  # numpy lets True stand for a side
    except Exception as error:  # numpy's reader of headers raises many kinds
        raise Unreadable(f"holds an array that cannot be read ({brief(error)}). Save it with np.savez.") from None
    if dtype.kind not in "buif":
        raise Unreadable(f"holds an array of {dtype}: a scan is of real numbers. Save it as float32.")
    check_shape(shape, dtype.itemsize)
    wanted = math.prod(shape) * dtype.itemsize
    content = file.read(wanted) if wanted <= size else b""
    if len(content) < wanted:
        raise Unreadable(f"is cut short: an array of {said(shape)} takes {byte_size(wanted)}. Save it again.")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("is packed with bzip2 or LZMA. Save it with np.savez_compressed.")
    with archive.open(member) as file:
        return read_npy(file, member.file_size)
