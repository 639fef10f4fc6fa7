"""Weights that may have been received: the tensors of a file by name, without running what a pickle may hold, and the
model that a config asks for, held against its file before room is made for it."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any

from core.arrays import DAMAGE, check_safetensors
from core.errors import InvalidInput, quoted
from core.received import StoredZip, open_plain

MOST_INFLATED = 64 * 2**20
"""Bytes that a packed checkpoint may unpack to beyond its own size; torch writes them unpacked."""
MAX_PICKLE_BYTES = 2**22
"""Of the names and shapes of torch's tensors, some 150 bytes each: of 4 MiB, torch's reader of pickles takes 6 s."""
MAX_PARTS = 20_000
"""Modules of a model: of the architectures that open_clip ships, the largest number is 1,614."""
SPARE_NUMBERS = 2**24
"""Numbers of a model that its file need not hold, such as masks; of those architectures the most have 342,069."""
NO_COPIES: Mapping[str, str] = {}
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
    found = {name: value for name, value in named if isinstance(name, str) and isinstance(value, torch.Tensor)}
    for name, tensor in found.items():
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            kind = f"{tensor.dtype}, {tensor.layout}, on {tensor.device.type}"
            raise InvalidInput(f"{path.name}: {name[:80]} must be a plain tensor: it is {kind}. {_SAVE}")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise InvalidInput(
                f"{path.name}: {name[:80]} holds fewer numbers than its shape, {tuple(tensor.shape)}, asks for. {_SAVE}"
            )
    return found


def named_state(network: Any) -> dict[str, Any]:
    """The numbers of a torch module by name, shared with it."""
    return network.state_dict()


def load_network(
    make: Callable[[], Any],
    tensors: Mapping[str, Any],
    source: str,
    kind: str,
    *,
    copies: Mapping[str, str] = NO_COPIES,
    named: Callable[[Any], dict[str, Any]] = named_state,
) -> Any:
    """The network with these weights, in evaluation mode. Room is made for it once all of them fit.

    Args:
        make: builds the network, with any weights; called twice.
        tensors: its weights by name, of any floating kind.
        source: their file or folder, and `kind` what the network is, such as "a T5", for the messages.
        copies: names under which a weight may stand once more, and the name under which it must stand.
        named: the network's numbers by the names that `tensors` must have, each once, shared with it.

    Raises:
        InvalidInput: as `check_names`, or the network has more parts than any model.
    """
    check_names(named(on_meta(make, source)), tensors, source, kind, copies)
    network = make()
    for name, own in named(network).items():
        own.detach().copy_(tensors[name])
    return network.eval()


def check_names(
    wanted: Mapping[str, Any], tensors: Mapping[str, Any], source: str, kind: str, copies: Mapping[str, str] = NO_COPIES
) -> None:
    """See that weights have the names and shapes of `wanted`; the other arguments are those of `load_network`.

    Raises:
        InvalidInput: one is missing, unknown, of another shape or not of finite numbers, or a copy differs.
    """
    import torch

    missing = sorted(wanted.keys() - tensors.keys())
    unknown = sorted(tensors.keys() - wanted.keys() - copies.keys())
    for names, fault in ((missing, "lacks weights"), (unknown, "has unknown weights")):
        if names:
            listed = quoted(*names, most=3, length=80)
            raise InvalidInput(f"{source} {fault} of {kind}: {listed}. Bring the whole checkpoint of {kind}.")
    for name, tensor in tensors.items():
        shape = wanted[copies.get(name, name)].shape
        if tensor.shape != shape:
            raise InvalidInput(
                f"{source}: {name} of {kind} must be of shape {tuple(shape)}: got {tuple(tensor.shape)}. "
                "Bring config and weights of one model."
            )
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise InvalidInput(
                f"{source}: {name} must hold finite floating-point numbers: got {str(tensor.dtype)[6:]}, or some that "
                "are not finite. Copy the checkpoint again, or train it at a lower rate."
            )
        if name in copies and not torch.equal(tensor, tensors[copies[name]]):
            raise InvalidInput(
                f"{source}: {name} must equal {copies[name]}, which it shares: it differs. Bring it as it was saved."
            )


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
    inflated = sum(entry.file_size for entry in members)
    size = file.seek(0, 2)
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


def on_meta(make: Callable[[], Any], config: str) -> Any:
    """The model without its numbers: what `make` builds lies on no device.

    Args:
        config: what says how it is built, for the message.

    Raises:
        InvalidInput: it has more parts than any model.
    """
    import torch

    own = threading.get_ident()
    parts = 0

    def count(*_: object) -> None:
        nonlocal parts
        parts += threading.get_ident() == own
        if parts > MAX_PARTS:
            raise InvalidInput(f"{config} asks for more than {MAX_PARTS:,} layers and other parts. Copy it again.")

    hook: Any = torch.nn.modules.module.register_module_module_registration_hook(count)
    try:
        with torch.device("meta"):
            return make()
    finally:
        hook.remove()


def check_size(make: Callable[[], Any], weights: Path, config: str) -> None:
    """See that a model is of the size of its file, before any room is made.

    Args:
        make: builds the model.
        weights: its file, of 2 bytes a number or more.
        config: the file that says how it is built, for the message.

    Raises:
        InvalidInput: it has more parts than any model, or more numbers than the file.
    """
    model = on_meta(make, config)
    numbers = sum(int(part.numel()) for part in (*model.parameters(), *model.buffers()))
    with open_plain(weights) as file:
        most = file.seek(0, 2) // 2 + SPARE_NUMBERS
    if numbers > most:
        raise InvalidInput(
            f"{config} asks for a model of {numbers:,} numbers; {weights.name} holds at most {most - SPARE_NUMBERS:,}. "
            "They do not belong together: copy both again."
        )
