"""An adapter out of a training that was stopped: the weights of the best epoch that was finished."""
# torch's type stubs are partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.encoders import Encoder
from core.errors import InvalidInput
from core.records import Pictured, Progress, no_progress
from core.training.adapted import Adapted, make_adapted, tower_of
from core.training.adapters import make_adapter
from core.training.checkpoints import STATE, WEIGHTS, Epoch, read_tensors
from core.training.loop import Trained, Training, picture_groups, split_items
from core.training.train import read_tokens


def curve_so_far(state: Path) -> tuple[Epoch, ...]:
    """The epochs that a training under way, or one that was stopped, has finished; none where there is no state yet."""
    try:
        return tuple(Epoch(*row) for row in json.loads((state / STATE).read_text("utf-8"))["curve"])
    except (OSError, KeyError, TypeError, ValueError):
        return ()


def adapted_so_far(
    pictured: Pictured,
    name: str,
    settings: Mapping[str, Any],
    how: Training,
    encoder: Encoder,
    *,
    state: Path,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Adapted | None:
    """The adapter as it stood after the best epoch in `state`; None where no epoch of training was finished.

    Args: as of `core.training.train.adapt`, which wrote the state.

    Raises:
        InvalidInput: the state is damaged, or is of another adapter.
    """
    curve = curve_so_far(state)
    if len(curve) < 2:  # the first is before training
        return None
    said = json.loads((state / STATE).read_text("utf-8"))
    tensors = read_tensors(state / f"{said['number']}.{WEIGHTS}")
    best = {key.removeprefix("best/"): tensor for key, tensor in tensors.items() if key.startswith("best/")}
    adapter, tower = make_adapter(name, settings), tower_of(encoder)
    module = adapter.build(tower, encoder, how.seed)
    if hasattr(module, "prepare"):
        module.prepare(best["used"])
    try:
        module.load_state_dict(best)
    except RuntimeError as error:
        raise InvalidInput(f"{state} holds the state of another adapter than {name!r} with these settings. Train it again.") from error
    read = read_tokens(pictured, encoder, cache=cache, progress=progress)
    learn, hold = split_items(len(read.data.questions), how.validation, picture_groups(read.data), how.seed)
    size = sum(p.numel() for p in module.parameters() if p.requires_grad)
    lr = adapter.learning_rate if how.lr is None else how.lr
    found = Trained(module.eval(), curve, int(said["best"]), len(learn), len(hold), float(said["seconds"]), lr, size)
    return make_adapted(name, settings, how, found, encoder, read.benchmark)
