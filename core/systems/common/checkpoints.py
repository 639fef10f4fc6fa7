"""Weights on disk without pickle: the state of a training that can resume, and finished adapters."""

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
"""Name of the state's file."""
WEIGHTS = "training.safetensors"
"""Name of the weights' file after the number of epochs and a dot."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """State from which a stopped training resumes, beside the module and the optimizer."""

    best_weights: dict[str, torch.Tensor]
    """Weights of the epoch `best`."""
    best: int
    seconds: float
    curve: list[Epoch]
    scale: float = 1.0
    """Factor of the losses in float16."""


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
    """Write a safetensors file whole or not at all.

    Args:
        metadata: texts for the file's header.
    """
    safetensors: Any = import_module("safetensors.torch")
    # as bytes: where the library writes the file itself, a full disk is an error of a kind of its own
    content = safetensors.save(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, metadata
    )
    with replacing(path) as part:
        part.write_bytes(content)


def write_checkpoint(folder: Path, module: Any, optimiser: Any, owner: dict[str, Any], state: Checkpoint) -> None:
    """Write the state after an epoch. The JSON file comes last: after an interruption before it, training repeats one
    epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"now/{name}": tensor for name, tensor in module.state_dict().items()}
    tensors |= {f"best/{name}": tensor for name, tensor in state.best_weights.items()}
    for i, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{i}/{name}": torch.as_tensor(value) for name, value in values.items()}
    number = len(state.curve)
    write_tensors(folder / f"{number}.{WEIGHTS}", tensors)
    curve = [list(asdict(e).values()) for e in state.curve]
    document = {"format": FORMAT, "owner": owner, "curve": curve, "best": state.best}
    document |= {"seconds": state.seconds, "scale": state.scale, "number": number}
    write_text(folder / STATE, json.dumps(document))
    for old in folder.glob(f"*.{WEIGHTS}"):
        if old.name != f"{number}.{WEIGHTS}":
            old.unlink(missing_ok=True)


def check_owner(folder: Path, owner: dict[str, Any]) -> _State | None:
    """The checked content of the state's JSON file; None without one.

    Args:
        owner: items and settings of the training, or those that are known so far.

    Raises:
        InvalidInput: the state belongs to another training, or is damaged.
    """
    if not (folder / STATE).is_file():
        return None
    advice = "Move it away, or train into another folder."
    try:
        document = read_stored(folder / STATE, below=folder)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{folder / STATE} cannot be read: {error}. {advice}") from None
    state = read_form(_State, document, f"{STATE} in {folder}", advice)
    if any(state.owner.get(name) != value for name, value in json.loads(json.dumps(owner)).items()):
        raise InvalidInput(f"{folder} has the state of another training (other items or settings). {advice}")
    return state


def read_checkpoint(folder: Path, module: Any, optimiser: Any, owner: dict[str, Any]) -> Checkpoint | None:
    """Load module and optimizer from the folder; None without a state.

    Raises:
        InvalidInput: the state belongs to another training, or is damaged.
    """
    state = check_owner(folder, owner)
    if state is None:
        return None
    number = state.number
    tensors = read_tensors(folder / f"{number}.{WEIGHTS}")
    best = {name.removeprefix("best/"): tensor for name, tensor in tensors.items() if name.startswith("best/")}
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser/"):
            _, i, key = name.split("/", 2)
            states.setdefault(int(i), {})[key] = tensor
    now = {name.removeprefix("now/"): tensor for name, tensor in tensors.items() if name.startswith("now/")}
    try:
        module.load_state_dict(best)  # to check that they fit
        module.load_state_dict(now)
        optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    except (KeyError, RuntimeError, TypeError, ValueError):
        raise InvalidInput(
            f"The weights {number}.{WEIGHTS} in {folder} belong to another training. "
            "Delete the folder to restart, or train into another."
        ) from None
    return Checkpoint(best, state.best, state.seconds, [Epoch(*row) for row in state.curve], state.scale)
