"""Read arrays from npy, npz or safetensors; the declared sizes are checked before memory is allocated.

Pickles are never read. The headers of all arrays are read first, so that single arrays can be loaded.
"""

from __future__ import annotations

import io
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.limits import Limits
from core.received import StoredZip, open_plain

MAX_ARRAYS = 1_000
"""Arrays in one npz or safetensors file."""
MAX_HEADER_BYTES = 16 * 2**20
"""Size of a safetensors header; a thousand arrays need a tenth of a megabyte."""
_SAVE = "Save a plain array of numbers: np.save(path, array.astype('float32'))."
_AGAIN = "Save or upload it again."
_NPY_HEADER = 2**16
"""Bytes of an npy file that contain its header: numpy reads at most 10,000, whatever the file declares."""
_CHUNK_BYTES = 2**24
_BYTES_PER_NUMBER = 16  # computations hold each number twice as float64, before and after
DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError)
"""Errors of zipfile for truncated, damaged, encrypted and unusually compressed members."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayHeader:
    """The header of one array; `load` reads it and calls its argument with (bytes done, total bytes)."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    load: Callable[[Callable[[int, int], None]], npt.NDArray[Any]]

    @property
    def n_bytes(self) -> int:
        """Size of the numbers in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def open_arrays(path: Path, limits: Limits = Limits()) -> Mapping[str, ArrayHeader]:
    """Open the arrays of a .npy (one, named ""), .npz or .safetensors file without reading them.

    Raises:
        InvalidInput: damaged, another format, arrays of Python objects, or too large. `load` raises it if the file is
            shorter than its header declares.
    """
    kind = path.suffix.lower()
    try:
        headers = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}[kind](path)
    except DAMAGE as error:
        raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None
    size = path.stat().st_size
    for name, header in headers.items():
        where = f"{path.name!r}"
        if name:
            where = f"{path.name!r}, array {name[:60]!r},"
        if header.n_bytes > limits.max_table_bytes:
            raise InvalidInput(
                f"{where} is {header.n_bytes:,} bytes unpacked; the limit is {limits.max_table_bytes:,}. "
                "Save float32, or fewer arrays."
            )
        needed = max(_BYTES_PER_NUMBER * math.prod(header.shape), header.n_bytes)
        limits.check_memory(where, needed, size, "Save it uncompressed: np.save(path, array).")
    return headers


def read_arrays(source: Path | BufferedReader) -> dict[str, npt.NDArray[Any]]:
    """Read an npz that `core.files.write_arrays` wrote and others may have changed.

    Raises:
        OSError: the file cannot be opened.
        ValueError, or one of DAMAGE: as for `arrays_of`.
    """
    if isinstance(source, Path):
        with open_plain(source) as file:
            return read_arrays(file)
    with StoredZip(source) as archive:
        return arrays_of(archive)


def arrays_of(archive: StoredZip, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
    """Read the arrays that `core.files.add_arrays` wrote into a zip under that prefix and others may have changed.

    Raises:
        ValueError, or one of DAMAGE: no arrays, an entry that needs pickle or is shorter than its header declares, or
            too much memory in total.
    """

    def read_array(name: str) -> npt.NDArray[Any]:
        data = archive.content(archive.getinfo(f"{prefix}{name}.npy"))
        try:
            shape, dtype, fortran, start = _header(data, name)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
        declared = math.prod(shape) * dtype.itemsize
        if declared > len(data) - start:
            raise ValueError(_cut(name, shape, declared, len(data) - start))
        if start % dtype.alignment:
            raise ValueError(f"{name!r} begins at byte {start}, which is not aligned. {_AGAIN}")
        return np.ndarray(shape, dtype, data, start, order="F" if fortran else "C")

    return {str(key): read_array(f"a{i}") for i, key in enumerate(read_array("keys"))}


def _check_number(path: Path, n: int) -> None:
    if n > MAX_ARRAYS:
        raise InvalidInput(f"{path.name!r} holds {n:,} arrays; the limit is {MAX_ARRAYS:,}. Save fewer.")


def _npy(path: Path) -> dict[str, ArrayHeader]:
    with open_plain(path) as file:
        shape, dtype, fortran, start = _header(file.read(_NPY_HEADER), path.name)
        available = os.fstat(file.fileno()).st_size - start
    declared = math.prod(shape) * dtype.itemsize
    if declared > available:
        raise InvalidInput(_cut(path.name, shape, declared, available))

    def load(_: Callable[[int, int], None]) -> npt.NDArray[Any]:
        with open_plain(path) as file:
            file.seek(start)
            flat = np.fromfile(file, dtype, math.prod(shape))
        return flat.reshape(shape, order="F" if fortran else "C")

    return {"": ArrayHeader(shape, dtype, load)}


def _npz(path: Path) -> dict[str, ArrayHeader]:
    headers: dict[str, ArrayHeader] = {}
    with open_plain(path) as opened, StoredZip(opened) as archive:
        members = archive.infolist()
        _check_number(path, len(members))
        for member in members:
            if member.compress_type in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
                # numpy writes neither, and zipfile unpacks them without bound, whatever size is requested
                raise InvalidInput(f"{path.name!r} is compressed with bzip2 or LZMA. Save it with np.savez_compressed.")
            with archive.open(member) as file:
                shape, dtype, fortran, start = _header(file.read(_NPY_HEADER), f"{path.name}, {member.filename[:60]}")
            name = member.filename.removesuffix(".npy")
            headers[name] = ArrayHeader(shape, dtype, _load_member(path, member, shape, dtype, fortran, start))
    return headers


def _load_member(
    path: Path, member: zipfile.ZipInfo, shape: tuple[int, ...], dtype: np.dtype[Any], fortran: bool, start: int
) -> Callable[[Callable[[int, int], None]], npt.NDArray[Any]]:
    declared = math.prod(shape) * dtype.itemsize

    def load(progress: Callable[[int, int], None]) -> npt.NDArray[Any]:
        # grows with the bytes read, whatever size the header declares
        content = bytearray()
        done = 0
        try:
            with open_plain(path) as whole, StoredZip(whole) as archive, archive.open(member) as file:
                file.read(start)
                while done < declared and (part := file.read(min(_CHUNK_BYTES, declared - done))):
                    content += part
                    done += len(part)
                    progress(done, declared)
        except DAMAGE as error:
            raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None
        if done < declared:
            raise InvalidInput(_cut(path.name, shape, declared, done))
        return np.ndarray(shape, dtype, content, order="F" if fortran else "C")

    return load


def _header(data: bytes | bytearray, name: str) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    """Parse the header of an npy file from its first bytes: (shape, dtype, whether Fortran order, offset of the
    data)."""
    npy_format: Any = cast("Any", np.lib.format)
    file = io.BytesIO(data[:_NPY_HEADER])
    try:
        version = npy_format.read_magic(file)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise ValueError(f"version {version} of the format")
        if version == (1, 0):
            shape, fortran, dtype = npy_format.read_array_header_1_0(file)
        else:
            shape, fortran, dtype = npy_format.read_array_header_2_0(file)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError) as error:
        raise InvalidInput(f"{name!r} is not a readable array ({str(error)[:100]}). {_SAVE}") from None
    if dtype.hasobject:
        raise InvalidInput(f"{name!r} holds Python objects, which are pickles and could run any code. {_SAVE}")
    if dtype.fields is not None or dtype.subdtype is not None or dtype.kind not in "biufcSUMm":
        raise InvalidInput(f"{name!r} holds records ({str(dtype)[:60]}), not numbers. {_SAVE}")
    if len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise InvalidInput(f"{name!r} declares an impossible shape, {str(shape)[:60]}. {_SAVE}")
    return shape, dtype, fortran, file.tell()


def check_safetensors(file: BufferedReader, name: str) -> None:
    """Check that the header of an open safetensors file is complete and not too long.

    Raises:
        InvalidInput: truncated or too long.
    """
    start = file.read(8)
    if len(start) < 8 or int.from_bytes(start, "little") > min(MAX_HEADER_BYTES, os.fstat(file.fileno()).st_size):
        raise InvalidInput(f"{name!r} is damaged (its header is truncated or too long). {_AGAIN}")


def _safetensors(path: Path) -> dict[str, ArrayHeader]:
    from safetensors import SafetensorError, safe_open

    with open_plain(path) as file:
        check_safetensors(file, path.name)
    try:
        # safe_open refuses offsets that overlap, leave holes or pass the end of the file
        with cast("Any", safe_open)(path, framework="numpy") as tensors:
            names: list[str] = list(tensors.keys())
            _check_number(path, len(names))
            return {name: _tensor(path, name, tensors.get_slice(name)) for name in names}
    except SafetensorError as error:
        raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None


_FLOATS = {"F16": "f2", "F32": "f4", "F64": "f8"}
_WHOLE = {f"{kind}{8 * n}": f"{kind.lower()}{n}" for kind in "IU" for n in (1, 2, 4, 8)}
_TENSOR_TYPES = {name: np.dtype(kind) for name, kind in {**_FLOATS, **_WHOLE, "BOOL": "?"}.items()}


def _tensor(path: Path, name: str, tensor: Any) -> ArrayHeader:
    from safetensors import SafetensorError, safe_open

    dtype = str(tensor.get_dtype())
    if dtype not in _TENSOR_TYPES:
        raise InvalidInput(f"{path.name!r}, array {name[:60]!r}, has the type {dtype[:20]!r}. Save it as float32.")

    def load(_: Callable[[int, int], None]) -> npt.NDArray[Any]:
        try:
            with cast("Any", safe_open)(path, framework="numpy") as tensors:
                return tensors.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None

    return ArrayHeader(tuple(map(int, tensor.get_shape())), _TENSOR_TYPES[dtype], load)


def _cut(name: str, shape: tuple[int, ...], declared: int, available: int) -> str:
    return (
        f"{name!r} is truncated: its header declares the shape {str(shape)[:60]} and {declared:,} bytes, but it holds "
        f"{available:,}. {_AGAIN}"
    )
