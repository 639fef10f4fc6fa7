"""The losses of "Distilling step-by-step", equations 1 to 4."""

from __future__ import annotations

import torch
from torch import Tensor

from core.systems.common.words import IGNORED


def token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over the batch's target tokens, end signs included.

    Args:
        logits: (n, t, v).
        targets: (n, t) tokens, `IGNORED` behind the end.
    """
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED)


def step_by_step_loss(label: Tensor, rationale: Tensor, alpha: float) -> Tensor:
    """alpha times the label's loss plus 1 - alpha times the reason's, as in the released code; the paper writes label +
    lambda reason, which is the same up to a factor."""
    return alpha * label + (1.0 - alpha) * rationale
