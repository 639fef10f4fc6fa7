"""Arrays as npy, npz or safetensors: what a file declares is checked before room is made for it.

No pickle is ever read. The headers of all arrays are read first, so that the one that is wanted can be chosen and read
alone.
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
"""In one npz or safetensors file."""
MAX_HEADER_BYTES = 16 * 2**20
"""Of a safetensors file's header; a thousand arrays have a tenth of a megabyte."""
_SAVE = "Save a plain array of numbers: np.save(path, array.astype('float32'))."
_AGAIN = "Save or upload it again."
_NPY_HEADER = 2**16
"""Bytes of an npy file in which its header ends: numpy reads one of at most 10,000, whatever the file says."""
_CHUNK = 2**24
_COMPUTED = 16  # bytes a number: it is computed with as float64, once as it was and once as it becomes
DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError)
"""What zipfile raises for cut, damaged, encrypted and strangely packed members."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayHeader:
    """What a file says of one array; `load` reads it, calling its argument with bytes done and in all."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    load: Callable[[Callable[[int, int], None]], npt.NDArray[Any]]

    @property
    def n_bytes(self) -> int:
        """Bytes of its numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def open_arrays(path: Path, limits: Limits = Limits()) -> Mapping[str, ArrayHeader]:
    """The arrays of a .npy (one, under the name ""), .npz or .safetensors file, none of them read yet.

    Raises:
        InvalidInput: damaged, no file of its kind, arrays of Python objects, or larger than may be read. `load` raises
        it where less is there than the header says.
    """
    kind = path.suffix.lower()
    try:
        found = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}[kind](path)
    except DAMAGE as error:
        raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None
    size = path.stat().st_size
    for name, one in found.items():
        called = f"{path.name!r}" if not name else f"{path.name!r}, array {name[:60]!r},"
        if one.n_bytes > limits.max_table_bytes:
            raise InvalidInput(
                f"{called} is {one.n_bytes:,} bytes unpacked; at most {limits.max_table_bytes:,} are read. "
                "Save float32, or fewer arrays."
            )
        needed = max(_COMPUTED * math.prod(one.shape), one.n_bytes)
        limits.check_memory(called, needed, size, "Save it without packing: np.save(path, array).")
    return found


def read_arrays(source: Path | BufferedReader) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an npz that `core.files.write_arrays` wrote, and others may have changed.

    Raises:
        OSError: it cannot be opened.
        ValueError, or of DAMAGE: as `arrays_of`.
    """
    if isinstance(source, Path):
        with open_plain(source) as file:
            return read_arrays(file)
    with StoredZip(source) as archive:
        return arrays_of(archive)


def arrays_of(archive: StoredZip, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
    """The arrays that `core.files.add_arrays` wrote into a zip under that prefix, and others may have changed.

    Raises:
        ValueError, or of DAMAGE: there are none, an entry would need pickle or is not as long as its header says, or
        what was read of the zip takes too much memory.
    """

    def array(name: str) -> npt.NDArray[Any]:
        data = archive.content(archive.getinfo(f"{prefix}{name}.npy"))
        try:
            shape, dtype, fortran, start = _header(data, name)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
        declared = math.prod(shape) * dtype.itemsize
        if declared > len(data) - start:
            raise ValueError(_cut(name, shape, declared, len(data) - start))
        if start % dtype.alignment:
            raise ValueError(f"{name!r} begins at byte {start}, which is no place for numbers. {_AGAIN}")
        return np.ndarray(shape, dtype, data, start, order="F" if fortran else "C")

    return {str(key): array(f"a{i}") for i, key in enumerate(array("keys"))}


def _check_number(path: Path, n: int) -> None:
    if n > MAX_ARRAYS:
        raise InvalidInput(f"{path.name!r} holds {n:,} arrays; at most {MAX_ARRAYS:,} are read. Save fewer.")


def _npy(path: Path) -> dict[str, ArrayHeader]:
    with open_plain(path) as file:
        shape, dtype, fortran, start = _header(file.read(_NPY_HEADER), path.name)
        there = os.fstat(file.fileno()).st_size - start
    declared = math.prod(shape) * dtype.itemsize
    if declared > there:
        raise InvalidInput(_cut(path.name, shape, declared, there))

    def load(_: Callable[[int, int], None]) -> npt.NDArray[Any]:
        with open_plain(path) as file:
            file.seek(start)
            flat = np.fromfile(file, dtype, math.prod(shape))
        return flat.reshape(shape, order="F" if fortran else "C")

    return {"": ArrayHeader(shape, dtype, load)}


def _npz(path: Path) -> dict[str, ArrayHeader]:
    found: dict[str, ArrayHeader] = {}
    with open_plain(path) as opened, StoredZip(opened) as archive:
        members = archive.infolist()
        _check_number(path, len(members))
        for member in members:
            if member.compress_type in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
                # numpy writes neither, and zipfile unpacks them without bound however little is asked for
                raise InvalidInput(f"{path.name!r} is packed with bzip2 or LZMA. Save it with np.savez_compressed.")
            with archive.open(member) as file:
                shape, dtype, fortran, start = _header(file.read(_NPY_HEADER), f"{path.name}, {member.filename[:60]}")
            name = member.filename.removesuffix(".npy")
            found[name] = ArrayHeader(shape, dtype, _load_member(path, member, shape, dtype, fortran, start))
    return found


def _load_member(
    path: Path, member: zipfile.ZipInfo, shape: tuple[int, ...], dtype: np.dtype[Any], fortran: bool, start: int
) -> Callable[[Callable[[int, int], None]], npt.NDArray[Any]]:
    declared = math.prod(shape) * dtype.itemsize

    def load(progress: Callable[[int, int], None]) -> npt.NDArray[Any]:
        # grows with what is there, whatever the header declares
        room = bytearray()
        done = 0
        try:
            with open_plain(path) as whole, StoredZip(whole) as archive, archive.open(member) as file:
                file.read(start)
                while done < declared and (part := file.read(min(_CHUNK, declared - done))):
                    room += part
                    done += len(part)
                    progress(done, declared)
        except DAMAGE as error:
            raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None
        if done < declared:
            raise InvalidInput(_cut(path.name, shape, declared, done))
        return np.ndarray(shape, dtype, room, order="F" if fortran else "C")

    return load


def _header(data: bytes | bytearray, name: str) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    """(shape, dtype, whether columns come first, where the numbers begin) of a npy file that begins so."""
    read: Any = cast("Any", np.lib.format)
    file = io.BytesIO(data[:_NPY_HEADER])
    try:
        version = read.read_magic(file)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise ValueError(f"version {version} of the format")
        shape, fortran, dtype = (read.read_array_header_1_0 if version == (1, 0) else read.read_array_header_2_0)(file)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError) as error:
        raise InvalidInput(f"{name!r} is no array that can be read ({str(error)[:100]}). {_SAVE}") from None
    if dtype.hasobject:
        raise InvalidInput(f"{name!r} holds Python objects, which are pickles and could run any program. {_SAVE}")
    if dtype.fields is not None or dtype.subdtype is not None or dtype.kind not in "biufcSUMm":
        raise InvalidInput(f"{name!r} holds records ({str(dtype)[:60]}), not numbers. {_SAVE}")
    if len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise InvalidInput(f"{name!r} declares an impossible shape, {str(shape)[:60]}. {_SAVE}")
    return shape, dtype, fortran, file.tell()


def check_safetensors(file: BufferedReader, name: str) -> None:
    """See that the names and shapes in an open safetensors file are there, and not too long for any library.

    Raises:
        InvalidInput: they are not.
    """
    start = file.read(8)
    if len(start) < 8 or int.from_bytes(start, "little") > min(MAX_HEADER_BYTES, os.fstat(file.fileno()).st_size):
        raise InvalidInput(f"{name!r} is damaged (its header is cut or too long). {_AGAIN}")


def _safetensors(path: Path) -> dict[str, ArrayHeader]:
    from safetensors import SafetensorError, safe_open

    with open_plain(path) as file:
        check_safetensors(file, path.name)
    try:
        # the header is checked as a whole: offsets that overlap, leave holes or pass the file's end are refused
        with cast("Any", safe_open)(path, framework="numpy") as tensors:
            names: list[str] = list(tensors.keys())
            _check_number(path, len(names))
            return {name: _tensor(path, name, tensors.get_slice(name)) for name in names}
    except SafetensorError as error:
        raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None


_FLOATS = {"F16": "f2", "F32": "f4", "F64": "f8"}
_WHOLE = {f"{kind}{8 * n}": f"{kind.lower()}{n}" for kind in "IU" for n in (1, 2, 4, 8)}
_TENSOR_TYPES = {said: np.dtype(kind) for said, kind in {**_FLOATS, **_WHOLE, "BOOL": "?"}.items()}


def _tensor(path: Path, name: str, tensor: Any) -> ArrayHeader:
    from safetensors import SafetensorError, safe_open

    said = str(tensor.get_dtype())
    if said not in _TENSOR_TYPES:
        raise InvalidInput(f"{path.name!r}, array {name[:60]!r}, is of the type {said[:20]!r}. Save it as float32.")

    def load(_: Callable[[int, int], None]) -> npt.NDArray[Any]:
        try:
            with cast("Any", safe_open)(path, framework="numpy") as tensors:
                return tensors.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise InvalidInput(f"{path.name!r} is damaged ({str(error)[:100]}). {_AGAIN}") from None

    return ArrayHeader(tuple(map(int, tensor.get_shape())), _TENSOR_TYPES[said], load)


def _cut(name: str, shape: tuple[int, ...], declared: int, there: int) -> str:
    return (
        f"{name!r} is cut short: its header declares the shape {str(shape)[:60]}, {declared:,} bytes, and "
        f"{there:,} are there. {_AGAIN}"
    )
