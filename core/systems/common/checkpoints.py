"""Weights on disk, without pickle: the state of a training that can go on, and finished adapters."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, model_validator

from core.documents import read_stored
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.files import replacing, write_text
from core.forms import Form, read_form
from core.systems.common.epochs import Epoch

FORMAT = 2
STATE = "training.json"
WEIGHTS = "training.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What a stopped training goes on from, beside the module and the optimizer."""

    kept: dict[str, torch.Tensor]
    """Weights of the epoch `best`."""
    best: int
    seconds: float
    curve: list[Epoch]
    scale: float = 1.0
    """What losses were multiplied with, in float16."""


class _State(Form, allow_inf_nan=True):
    format: Literal[2]
    owner: dict[str, Any]
    curve: list[tuple[int, float | None, float, float]]
    number: int
    best: int = Field(ge=0)
    seconds: float
    scale: float = 1.0

    @model_validator(mode="after")
    def _agrees(self) -> _State:
        if not self.best < self.number == len(self.curve):
            raise ValueError(
                f"number must be that of the epochs, {len(self.curve):,}, and above best: got {self.number:,}"
            )
        return self


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write them whole or not at all, with what stands in the file's head."""
    safetensors: Any = import_module("safetensors.torch")
    # as bytes: where the library writes the file itself, a full disk is an error of a kind of its own
    content = safetensors.save(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, metadata
    )
    with replacing(path) as part:
        part.write_bytes(content)


def write_checkpoint(folder: Path, module: Any, optimiser: Any, owner: dict[str, Any], state: Checkpoint) -> None:
    """Keep the state after an epoch. The JSON file is written last: with an older one the epoch between is done
    again."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"now/{name}": tensor for name, tensor in module.state_dict().items()}
    tensors |= {f"best/{name}": tensor for name, tensor in state.kept.items()}
    for i, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{i}/{name}": torch.as_tensor(value) for name, value in values.items()}
    number = len(state.curve)
    write_tensors(folder / f"{number}.{WEIGHTS}", tensors)
    curve = [list(asdict(e).values()) for e in state.curve]
    said = {"format": FORMAT, "owner": owner, "curve": curve, "best": state.best}
    said |= {"seconds": state.seconds, "scale": state.scale}
    write_text(folder / STATE, json.dumps(said | {"number": number}))
    for old in folder.glob(f"*.{WEIGHTS}"):
        if old.name != f"{number}.{WEIGHTS}":
            old.unlink(missing_ok=True)


def check_owner(folder: Path, owner: dict[str, Any]) -> _State | None:
    """What the state's JSON file holds, checked; None where there is no state.

    Args:
        owner: what the training was made with, or the part of it that is known so far.

    Raises:
        InvalidInput: the state is of another training, or is damaged.
    """
    if not (folder / STATE).is_file():
        return None
    again = "Move it away, or train into another folder."
    try:
        given = read_stored(folder / STATE, below=folder)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{folder / STATE} cannot be read: {error}. {again}") from None
    said = read_form(_State, given, f"{STATE} in {folder}", again)
    if any(said.owner.get(name) != value for name, value in json.loads(json.dumps(owner)).items()):
        raise InvalidInput(f"{folder} has the state of another training (other items or settings). {again}")
    return said


def read_checkpoint(folder: Path, module: Any, optimiser: Any, owner: dict[str, Any]) -> Checkpoint | None:
    """Fill module and optimizer from the folder; None where it holds nothing.

    Raises:
        InvalidInput: it holds the state of another training, or is damaged.
    """
    said = check_owner(folder, owner)
    if said is None:
        return None
    number = said.number
    tensors = read_tensors(folder / f"{number}.{WEIGHTS}")
    kept = {name.removeprefix("best/"): tensor for name, tensor in tensors.items() if name.startswith("best/")}
    try:
        _fill(module, optimiser, tensors, kept)
    except (KeyError, RuntimeError, TypeError, ValueError):
        raise InvalidInput(
            f"The weights {number}.{WEIGHTS} in {folder} belong to another training. "
            "Delete the folder to restart, or train into another."
        ) from None
    return Checkpoint(kept, said.best, said.seconds, [Epoch(*row) for row in said.curve], said.scale)


def _fill(module: Any, optimiser: Any, tensors: dict[str, torch.Tensor], kept: dict[str, torch.Tensor]) -> None:
    """The weights of the best epoch, which must fit too, then those of now, and the optimizer's state."""
    module.load_state_dict(kept)
    module.load_state_dict(
        {name.removeprefix("now/"): tensor for name, tensor in tensors.items() if name.startswith("now/")}
    )
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser/"):
            _, i, key = name.split("/", 2)
            states.setdefault(int(i), {})[key] = tensor
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
