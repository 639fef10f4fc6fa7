"""Unpack a scan's bytes within bounds: a megabyte of gzip may unpack to a gigabyte."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from functools import partial
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from core.arrays import DAMAGE
from core.data.images.unpacking import unpack_pieces
from core.data.modality import Unreadable
from core.limits import byte_size
from core.numbers import count

MAX_SCAN_BYTES = 256 * 2**20
"""Of one scan, unpacked: a volume of 512 x 512 x 512 in two bytes has as many."""
MAX_SIDE_VOXELS = 4_096
MAX_AXES = 32
"""Of an array, including axes of length 1."""
_GZIP_WINDOW = 31  # zlib's window bits for a gzip header
_GZIP_MAGIC = b"\x1f\x8b"
_VOLUME_NAMES = ("vol", "volume", "scan", "image", "img", "data", "arr_0")


def gunzip(data: bytes, most: int = MAX_SCAN_BYTES) -> bytes:
    """Unpack a gzip file.

    Raises:
        Unreadable: damaged, cut short, or more than `most`.
    """
    content = bytearray()
    make = partial(zlib.decompressobj, _GZIP_WINDOW)
    try:
        for piece in unpack_pieces(io.BytesIO(data), make, _GZIP_MAGIC):
            content += piece
            if len(content) > most:
                raise Unreadable(
                    f"unpacks to more than {byte_size(most)}, the limit of one scan. Crop or downsample it."
                )
    except EOFError:
        message = f"is cut short: its gzip stream ends after {byte_size(len(content))}. Copy it again."
        raise Unreadable(message) from None
    except zlib.error as error:
        raise Unreadable(f"is a damaged gzip file ({error}). Copy it again.") from None
    return bytes(content)


def check_shape(shape: tuple[int, ...], itemsize: int = 2) -> None:
    """Check that a volume of this shape can be read.

    Raises:
        Unreadable: it has no voxel, more than three dimensions that are longer than 1, or is too large.
    """
    if min(shape, default=0) < 0:
        raise Unreadable(f"declares the shape {format_shape(shape)}, with a side below 0. Export the scan again.")
    if len(shape) > MAX_AXES:
        raise Unreadable(f"has {len(shape)} axes, above the limit of {MAX_AXES}. Save a volume with 3 axes.")
    long = [side for side in shape if side != 1]
    if 0 in shape or not shape:
        shown = format_shape(shape) or "that of a single number"
        raise Unreadable(f"holds no voxel: its shape is {shown}. Export the scan again.")
    if len(long) > 3:
        raise Unreadable(describe_series(shape))
    if max(shape) > MAX_SIDE_VOXELS or math.prod(shape) * itemsize > MAX_SCAN_BYTES:
        raise Unreadable(
            f"has {format_shape(shape)} voxels of {count(itemsize, 'byte')}, above the limits of "
            f"{MAX_SIDE_VOXELS:,} per side and {byte_size(MAX_SCAN_BYTES)} in total. Crop or downsample it."
        )


def describe_series(shape: tuple[int, ...]) -> str:
    """Give the reason to reject a volume of more than three dimensions."""
    return (
        f"has {len(shape)} dimensions ({format_shape(shape)}), like a series in time or directions; a scan has 3. Save "
        "one volume, or the mean."
    )


def shorten(error: Exception) -> str:
    """Cut another library's message to one line."""
    return " ".join(str(error).split())[:80]


def format_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{side:,}" for side in shape)


def read_npz(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """Read the volume of an npz as "volume", and "spacing" (3,) mm if the file has it.

    Raises:
        Unreadable: damaged, without an array or with several candidates, or one of Python objects or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = dict[str, zipfile.ZipInfo]()
            for member in archive.infolist():
                if member.filename.endswith(".npy"):
                    members[member.filename.removesuffix(".npy")] = member
            usual = [name for name in _VOLUME_NAMES if name in members]
            others = [name for name in members if name not in ("spacing", "seg", "mask", "label", "labels")]
            if not usual and len(others) != 1:
                raise Unreadable(
                    f"holds {count(len(members), 'array')} ({', '.join(list(members)[:5])[:80]}), none named 'volume'. "
                    "Rename the scan's array to 'volume'."
                )
            arrays = {"volume": _member(archive, members[(usual or others)[0]])}
            if "spacing" in members and members["spacing"].file_size < 1_000:
                arrays["spacing"] = _member(archive, members["spacing"])
            return arrays
    except DAMAGE as error:
        raise Unreadable(f"is a damaged npz file ({shorten(error)}). Save it again.") from None


def read_npy(file: IO[bytes], size: int) -> npt.NDArray[Any]:
    """Read the array of a .npy file of `size` bytes.

    Raises:
        Unreadable: damaged, of Python objects, not numeric, too large, or larger than the file.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_2_0
        if version == (1, 0):
            read = np.lib.format.read_array_header_1_0
        declared, fortran, dtype = read(file)
        shape = tuple(map(int, declared))  # numpy allows True as a side
    except Exception as error:  # numpy's header reader raises many kinds of error
        raise Unreadable(f"holds an array that cannot be read ({shorten(error)}). Save it with np.savez.") from None
    if dtype.kind not in "buif":
        raise Unreadable(f"holds an array of {dtype}; a scan has real numbers. Save it as float32.")
    check_shape(shape, dtype.itemsize)
    wanted = math.prod(shape) * dtype.itemsize
    content = b""
    if wanted <= size:
        content = file.read(wanted)
    if len(content) < wanted:
        raise Unreadable(f"is cut short: an array of {format_shape(shape)} takes {byte_size(wanted)}. Save it again.")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("is packed with bzip2 or LZMA. Save it with np.savez_compressed.")
    with archive.open(member) as file:
        return read_npy(file, member.file_size)
