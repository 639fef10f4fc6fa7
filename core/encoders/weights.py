"""Weights from untrusted files: tensors by name, read without running code in a pickle, and models whose config is
compared with the file before memory is reserved."""

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

MAX_INFLATED_BYTES = 64 * 2**20
"""Bytes that a packed checkpoint may unpack to, if larger than the file; torch writes checkpoints unpacked."""
MAX_PICKLE_BYTES = 2**22
"""Names and shapes of torch's tensors take some 150 bytes each; torch's pickle reader needs 6 s for 4 MiB."""
MAX_PARTS = 20_000
"""Modules of a model: the largest architecture that open_clip ships has 1,614."""
SPARE_NUMBERS = 2**24
"""Numbers of a model that its file may lack, such as masks: at most 342,069 in those architectures."""
NO_COPIES: Mapping[str, str] = {}
_GLOBAL = re.compile(r"(?:GLOBAL|class) ([\w.]{1,80})")


def read_tensors(path: Path, otherwise: str = "") -> dict[str, Any]:
    """Read every torch tensor of a `.safetensors` file, or of a file of `torch.save`: of its `state_dict` or `model` if
    it has one.

    Args:
        otherwise: another way to save the weights, appended to the message that refuses a packed checkpoint.

    Raises:
        InvalidInput: it cannot be read, unpacks to too much, or holds more than plain tensors and numbers.
    """
    import torch

    check_weights(path, otherwise)
    try:
        if path.suffix == ".safetensors":
            return import_module("safetensors.torch").load_file(path)
        with _Bounded(open_plain(path).detach()) as file:
            content: Any = torch.load(file, map_location="cpu", weights_only=True, mmap=False)
    except Exception as error:  # damaged bytes raise whatever the unpickler or Rust trips over
        fault = weights_fault(error)
        raise InvalidInput(f"{path.name} is not a checkpoint of plain tensors ({fault}). {_SAVE}") from None
    state: Any = content
    if isinstance(content, dict):
        state = content.get("state_dict", content.get("model", content))
    tensors = dict[str, Any]()
    if isinstance(state, dict):
        tensors = {name: x for name, x in state.items() if isinstance(name, str) and isinstance(x, torch.Tensor)}
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            kind = f"{tensor.dtype}, {tensor.layout}, on {tensor.device.type}"
            raise InvalidInput(f"{path.name}: {name[:80]} must be a plain tensor: got {kind}. {_SAVE}")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise InvalidInput(
                f"{path.name}: {name[:80]} has fewer numbers than its shape {tuple(tensor.shape)} needs. {_SAVE}"
            )
    return tensors


def named_state(network: Any) -> dict[str, Any]:
    """The tensors of a torch module by name, sharing its memory."""
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
    """Build a network with these weights, in evaluation mode. Memory is reserved once all of them fit.

    Args:
        make: builds the network, with any weights; called twice.
        tensors: its weights by name, of any floating kind.
        source: their file or folder, and `kind` what the network is, such as "a T5", for the messages.
        copies: optional second names of weights, each with the required name whose tensor it must equal.
        named: the network's tensors by the names that `tensors` must have, each once, sharing its memory.

    Raises:
        InvalidInput: as `check_names`, or the network has more parts than any model.
    """
    check_names(named(on_meta(make, source)), tensors, source, kind, copies)
    network = make()
    for name, parameter in named(network).items():
        parameter.detach().copy_(tensors[name])
    return network.eval()


def check_names(
    wanted: Mapping[str, Any], tensors: Mapping[str, Any], source: str, kind: str, copies: Mapping[str, str] = NO_COPIES
) -> None:
    """Check that weights have the names and shapes of `wanted`; the other arguments are those of `load_network`.

    Raises:
        InvalidInput: a weight is missing, unknown, of another shape or not finite, or a copy differs.
    """
    import torch

    missing = sorted(wanted.keys() - tensors.keys())
    unknown = sorted(tensors.keys() - wanted.keys() - copies.keys())
    for names, fault in ((missing, "lacks weights"), (unknown, "has unknown weights")):
        if names:
            listed = quoted(*names, most=3, length=80)
            raise InvalidInput(f"{source} {fault} of {kind}: {listed}. Use the whole checkpoint of {kind}.")
    for name, tensor in tensors.items():
        shape = wanted[copies.get(name, name)].shape
        if tensor.shape != shape:
            raise InvalidInput(
                f"{source}: {name} of {kind} must be of shape {tuple(shape)}: got {tuple(tensor.shape)}. "
                "Use the config and weights of one model."
            )
        fault = ""
        if not tensor.is_floating_point():
            fault = str(tensor.dtype)[6:]
        elif not bool(torch.isfinite(tensor).all()):
            fault = "NaN or infinite ones"
        if fault:
            raise InvalidInput(
                f"{source}: {name} must hold finite floating-point numbers: got {fault}. "
                "Copy the checkpoint again, or train it at a lower rate."
            )
        if name in copies and not torch.equal(tensor, tensors[copies[name]]):
            raise InvalidInput(
                f"{source}: {name} must equal {copies[name]}, its shared weight: it differs. Copy the checkpoint again."
            )


_SAVE = "Save its state_dict alone, as .safetensors or .pth."


def weights_fault(error: Exception) -> str:
    """Why weights could not be read, without torch's advice to load them unsafely."""
    text = str(error)
    if "weights_only" in text.lower() or "weights only" in text.lower():
        asked = _GLOBAL.search(text)
        if asked:
            return f"it asks for {asked[1]}, which could run any program"
        return "it holds more than tensors"
    return (text.splitlines() or [type(error).__name__])[0][:120]


def check_weights(path: Path, otherwise: str = "") -> None:
    """Check that a library may open the file: its names and pickles must be small, and it must not unpack to far more
    than its size.

    Raises:
        InvalidInput: the file is missing, damaged, too large unpacked, or not a plain file.
    """
    try:
        with open_plain(path) as file:
            if path.suffix == ".safetensors":
                check_safetensors(file, path.name)
            elif file.read(2) == b"PK":
                with StoredZip(file) as packed:
                    members = packed.infolist()
                inflated = sum(entry.file_size for entry in members)
                size = file.seek(0, 2)
                most = max(size, MAX_INFLATED_BYTES)
                if inflated > most:
                    raise InvalidInput(
                        f"{path.name} unpacks to {inflated / 2**20:,.0f} MB; the limit is {most / 2**20:,.0f} MB. "
                        f"Save its state_dict with torch.save, which does not pack{otherwise}."
                    )
                if any(entry.file_size > MAX_PICKLE_BYTES for entry in members if entry.filename.endswith(".pkl")):
                    raise zipfile.BadZipFile("its list of tensors is too long")
    except FileNotFoundError:
        raise InvalidInput(f"File {path} not found. Name a checkpoint.") from None
    except DAMAGE as error:
        why = getattr(error, "strerror", None) or str(error)[:120]
        raise InvalidInput(f"{path.name} is not a checkpoint of plain tensors ({why}). {_SAVE}") from None


class _Bounded(BufferedReader):
    """A file of torch's older layout, whose pickles are counted against MAX_PICKLE_BYTES: torch reads them by these
    methods, and the numbers after them without."""

    def __init__(self, raw: RawIOBase) -> None:
        super().__init__(raw)  # pyright: ignore[reportArgumentType]
        self.is_zip = self.peek(2)[:2] == b"PK"
        self.left = MAX_PICKLE_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        return self._counted(super().read(size if self.is_zip or size is None else min(size, self.left + 1)))

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._counted(super().readline(self.left + 1))

    def _counted(self, data: bytes) -> bytes:
        if not self.is_zip:
            self.left -= len(data)
        if self.left < 0:
            raise ValueError("its list of tensors is too long")
        return data


def on_meta(make: Callable[[], Any], config: str) -> Any:
    """Build the model on torch's meta device, without memory for its numbers.

    Args:
        config: the description it is built from, for the message.

    Raises:
        InvalidInput: it has more than MAX_PARTS parts.
    """
    import torch

    builder = threading.get_ident()  # the hook is global: other threads may build models meanwhile
    parts = 0

    def count(*_: object) -> None:
        nonlocal parts
        parts += threading.get_ident() == builder
        if parts > MAX_PARTS:
            raise InvalidInput(f"{config} asks for more than {MAX_PARTS:,} layers and parts. Copy it again.")

    hook: Any = torch.nn.modules.module.register_module_module_registration_hook(count)
    try:
        with torch.device("meta"):
            return make()
    finally:
        hook.remove()


def check_size(make: Callable[[], Any], weights: Path, config: str) -> None:
    """Check that a model has the size of its file, before memory is reserved.

    Args:
        make: builds the model.
        weights: its file, of 2 bytes a number or more.
        config: the file it is built from, for the message.

    Raises:
        InvalidInput: it has more than MAX_PARTS parts, or more numbers than the file.
    """
    model = on_meta(make, config)
    numbers = sum(int(part.numel()) for part in (*model.parameters(), *model.buffers()))
    with open_plain(weights) as file:
        most = file.seek(0, 2) // 2 + SPARE_NUMBERS
    if numbers > most:
        raise InvalidInput(
            f"{config} asks for a model of {numbers:,} numbers; {weights.name} holds at most {most - SPARE_NUMBERS:,}. "
            "Copy both again from one model."
        )
