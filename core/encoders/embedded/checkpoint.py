"""Read a checkpoint of plain tensors without importing torch, and without running code in a pickle.

`torch.save` had two layouts; this reads the older one (several pickles, then the raw numbers), which the embedded
encoder's package uses. Only the four names below are ever resolved.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput

Array = npt.NDArray[Any]

_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def _rebuild_tensor(
    storage: tuple[str, int], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Any:
    """Record a tensor, to be built once the storages behind the pickles are read."""
    return ("tensor", storage, offset, size, stride)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): "FloatStorage",
    ("torch", "LongStorage"): "LongStorage",
}


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.dtypes: dict[str, np.dtype[Any]] = {}

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise InvalidInput(
                f"The checkpoint asks for {module_name}.{global_name}: only plain tensors are read. Download it again."
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        _, kind, key, _, count, *_ = pid
        self.dtypes[key] = _DTYPES[kind]
        return key, count


def read_state_dict(path: Path) -> dict[str, Array]:
    """Read the tensors of an older-layout checkpoint, by name and in file order.

    Raises:
        InvalidInput: the file is truncated, in another layout, or holds more than plain tensors.
    """
    try:
        with path.open("rb") as file:
            for _ in range(3):  # magic number, protocol, sizes of the writer's integers
                _TensorUnpickler(file).load()
            reader = _TensorUnpickler(file)
            records: dict[str, Any] = reader.load()
            keys: list[str] = _TensorUnpickler(file).load()
            storages = {key: _read_storage(file, reader.dtypes[key]) for key in keys}
    except (pickle.UnpicklingError, EOFError, struct.error, KeyError, ValueError) as error:
        raise InvalidInput(f"{path.name} is not a readable checkpoint ({error}). Install its package again.") from error
    return {name: _build_tensor(storages, record) for name, record in records.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> Array:
    (count,) = struct.unpack("<q", file.read(8))
    data = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    if len(data) != count:
        raise EOFError("truncated")
    return data


def _build_tensor(storages: dict[str, Array], record: Any) -> Array:
    _, (key, _), offset, size, stride = record
    storage = storages[key]
    steps = [step * storage.itemsize for step in stride]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(storage[offset:], size, steps))
