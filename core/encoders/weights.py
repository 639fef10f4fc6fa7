"""Weights that may have been received: the tensors of a file by name, without running what a pickle may hold, and the
model that a config asks for, held against its file before room is made for it."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Callable
from importlib import import_module
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any

from core.arrays import DAMAGE, check_safetensors
from core.errors import InvalidInput
from core.received import StoredZip, open_plain

MOST_INFLATED = 64 * 2**20
"""Bytes that a packed checkpoint may unpack to beyond its own size; torch writes them unpacked."""
MAX_PICKLE_BYTES = 2**22
"""Of the names and shapes of torch's tensors, some 150 bytes each: of 4 MiB, torch's reader of pickles takes 6 s."""
MAX_PARTS = 20_000
"""Modules of a model: of the architectures that open_clip ships, the largest number is 1,614."""
SPARE_NUMBERS = 2**24
"""Numbers of a model that its file need not hold, such as masks; of those architectures the most have 342,069."""
_GLOBAL = re.compile(r"(?:GLOBAL|class) ([\w.]{1,80})")


def read_tensors(path: Path, otherwise: str = "") -> dict[str, Any]:
    """Every torch tensor of a `.safetensors` file, or of a file of `torch.save`: of its `state_dict` or `model` if it
    has one.

    Args:
        otherwise: what else may be saved, for the message that refuses a checkpoint.

    Raises:
        InvalidInput: it cannot be read, unpacks to too much, or holds more than plain tensors and numbers.
    """
    import torch

    check_weights(path, otherwise)
    try:
        if path.suffix == ".safetensors":
            return import_module("safetensors.torch").load_file(path)
        with _Bounded(open_plain(path).detach()) as file:
            said: Any = torch.load(file, map_location="cpu", weights_only=True, mmap=False)
    except Exception as error:  # damaged bytes raise whatever the unpickler or Rust trips over
        raise InvalidInput(f"{path.name} is no checkpoint of plain tensors ({weights_fault(error)}). {_SAVE}") from None
    inner: Any = said.get("state_dict", said.get("model", said)) if isinstance(said, dict) else {}
    named = inner.items() if isinstance(inner, dict) else ()
    return {name: value for name, value in named if isinstance(name, str) and isinstance(value, torch.Tensor)}


def tensor_shapes(path: Path) -> dict[str, list[int]]:
    """The shape of each array of a `.safetensors` file, by name; none is read.

    Raises:
        InvalidInput: it is damaged, or no plain file.
    """
    check_weights(path)
    safetensors: Any = import_module("safetensors")
    try:
        with safetensors.safe_open(path, "np") as file:
            return {name: file.get_slice(name).get_shape() for name in list(file.keys())}
    except Exception as error:  # safetensors raises its own kind, from Rust
        raise InvalidInput(f"{path} cannot be read ({str(error)[:120]}). It is damaged: write it again.") from error


_SAVE = "Save its state_dict alone, as .safetensors or .pth."


def weights_fault(error: Exception) -> str:
    """Why weights could not be read, without torch's advice to run what they hold."""
    text = str(error)
    if "weights_only" in text.lower() or "weights only" in text.lower():
        found = _GLOBAL.search(text)
        return f"it asks for {found[1]}, which could run any program" if found else "it holds more than tensors"
    return (text.splitlines() or [type(error).__name__])[0][:120]


def check_weights(path: Path, otherwise: str = "") -> None:
    """See that a library may open the file: a plain one, whose names and pickles are small and which unpacks to no more
    than it has.

    Raises:
        InvalidInput: it is not.
    """
    try:
        with open_plain(path) as file:
            if path.suffix == ".safetensors":
                check_safetensors(file, path.name)
            elif file.read(2) == b"PK":
                _check_zip(file, path.name, otherwise)
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {path}. Name a checkpoint.") from None
    except DAMAGE as error:
        why = getattr(error, "strerror", None) or str(error)[:120]
        raise InvalidInput(f"{path.name} is no checkpoint of plain tensors ({why}). {_SAVE}") from None


def _check_zip(file: BufferedReader, name: str, otherwise: str) -> None:
    with StoredZip(file) as packed:
        members = packed.infolist()
    inflated, size = sum(entry.file_size for entry in members), file.seek(0, 2)
    most = max(size, MOST_INFLATED)
    if inflated > most:
        raise InvalidInput(
            f"{name} unpacks to {inflated / 2**20:,.0f} MB; at most {most / 2**20:,.0f} MB are read of it. "
            f"Save its state_dict with torch.save, which does not pack{otherwise}."
        )
    if any(entry.file_size > MAX_PICKLE_BYTES for entry in members if entry.filename.endswith(".pkl")):
        raise zipfile.BadZipFile("its list of tensors is too long")


class _Bounded(BufferedReader):
    """A file of torch's older layout: the pickles before its numbers are read through Python, the numbers are not."""

    def __init__(self, raw: RawIOBase) -> None:
        super().__init__(raw)  # pyright: ignore[reportArgumentType]
        self.is_zip = self.peek(2)[:2] == b"PK"
        self.left = MAX_PICKLE_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        return self._counted(super().read(size if self.is_zip or size is None else min(size, self.left + 1)))

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._counted(super().readline(self.left + 1))

    def _counted(self, data: bytes) -> bytes:
        self.left -= 0 if self.is_zip else len(data)
        if self.left < 0:
            raise ValueError("its list of tensors is too long")
        return data


def check_size(make: Callable[[], Any], weights: Path, config: str) -> None:
    """Make the model without its numbers, and see that it is of the size of its file before any room is made.

    Args:
        make: builds the model; what it makes lies on no device.
        weights: its file, of 2 bytes a number or more.
        config: the file that says how it is built, for the message.

    Raises:
        InvalidInput: it has more parts than any model, or more numbers than the file.
    """
    import torch

    own, parts = threading.get_ident(), 0

    def count(*_: object) -> None:
        nonlocal parts
        parts += threading.get_ident() == own
        if parts > MAX_PARTS:
            raise InvalidInput(f"{config} asks for more than {MAX_PARTS:,} layers and other parts. Copy it again.")

    hook: Any = torch.nn.modules.module.register_module_module_registration_hook(count)
    try:
        with torch.device("meta"):
            model = make()
    finally:
        hook.remove()
    numbers = sum(int(part.numel()) for part in (*model.parameters(), *model.buffers()))
    with open_plain(weights) as file:
        most = file.seek(0, 2) // 2 + SPARE_NUMBERS
    if numbers > most:
        raise InvalidInput(
            f"{config} asks for a model of {numbers:,} numbers; {weights.name} holds at most {most - SPARE_NUMBERS:,}. "
            "They do not belong together: copy both again."
        )
