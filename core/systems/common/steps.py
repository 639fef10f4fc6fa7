"""One gradient step of a training."""

from __future__ import annotations

import math
from typing import Any

import torch

from core.errors import InvalidInput


def take_step(
    optimiser: torch.optim.Optimizer,
    loss: torch.Tensor,
    share: float = 1.0,
    *,
    clip: float | None = 1.0,
    scaler: Any = None,
) -> float:
    """Take one step of the optimizer, and return the loss.

    Args:
        loss: of a batch, a scalar.
        share: of the initial learning rate of each group of parameters.
        clip: largest norm of the gradient over all parameters; None does not clip.
        scaler: torch's GradScaler for float16.

    Raises:
        InvalidInput: the loss became NaN or infinite; the parameters stay unchanged.
    """
    value = float(loss.detach())
    groups = optimiser.param_groups
    for group in groups:
        group.setdefault("initial_lr", group["lr"])  # the name in torch's schedulers
    if not math.isfinite(value):
        size = groups[0]["initial_lr"]
        raise InvalidInput(f"The loss became NaN at learning rate {size:g}. Lower the learning rate.")
    for group in groups:
        group["lr"] = group["initial_lr"] * share
    scaler = scaler or torch.amp.GradScaler("cpu", enabled=False)  # without effect
    optimiser.zero_grad()
    scaler.scale(loss).backward()
    scaler.unscale_(optimiser)
    if clip is not None:
        torch.nn.utils.clip_grad_norm_([p for group in groups for p in group["params"]], clip)
    scaler.step(optimiser)
    scaler.update()
    return value
