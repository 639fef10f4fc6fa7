"""A target treated as the examples were: masks as probabilities, images as images. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F32
from core.systems.neuralizer.network import Neuralizer

AT_ONCE = 24
"""Pairs that go through the network together."""


def treat(network: Neuralizer, before: F32, after: F32, targets: F32, *, mask: bool) -> F32:
    """(n, h, w) what becomes of the targets.

    Args:
        before: (L, h, w) examples, or (n, L, h, w) for each target its own; 0 to 1.
        after: what was made of them, of the same shape.
        targets: (n, h, w); the sides may be any, they are padded with black as the network needs it.
        mask: the examples' second halves are masks, and so are the answers, 0 to 1; otherwise they are images.

    Raises:
        InvalidInput: shapes do not fit, or there are no or too many examples.
    """
    if before.shape != after.shape or before.shape[-2:] != targets.shape[1:] or before.ndim not in (3, 4):
        raise InvalidInput(
            f"Examples before and after must be alike and as large as the targets: got {before.shape}, {after.shape} "
            f"and {targets.shape}. Resize them."
        )
    own = before.ndim == 4
    step = max(1, AT_ONCE // before.shape[-3])
    found: list[F32] = []
    for start in range(0, len(targets), step):
        part = targets[start : start + step]
        some = [x[start : start + step] if own else np.broadcast_to(x, (len(part), *x.shape)) for x in (before, after)]
        found.append(_run(network, some[0], some[1], part, mask))
    return np.concatenate(found) if found else np.zeros(targets.shape, np.float32)


def vote(after: F32) -> F32:
    """(h, w) share of the examples' masks, (L, h, w), that hold each pixel: what the network must beat."""
    return np.asarray(after.mean(0), np.float32)


def _run(network: Neuralizer, before: F32, after: F32, targets: F32, mask: bool) -> F32:
    height, width = targets.shape[1:]
    up = [-side % network.sizes.divisor for side in (height, width)]

    def tensor(x: F32, channels: int) -> torch.Tensor:
        """The array in the first of the network's channels; the others are black, as in the released code."""
        padded = np.pad(x, [*[(0, 0)] * (x.ndim - 2), (0, up[0]), (0, up[1])])
        first = torch.from_numpy(np.ascontiguousarray(padded, np.float32)).unsqueeze(-3)
        if channels == 1:
            return first
        black = torch.zeros_like(first).repeat_interleave(channels - 1, -3)
        return torch.cat([first, black], -3)

    sizes = network.sizes
    with torch.inference_mode():
        given = tensor(before, sizes.in_channels), tensor(after, sizes.out_channels), tensor(targets, sizes.in_channels)
        out = network(*given)[:, 0, :height, :width]
        return (out.sigmoid() if mask else out.clamp(0, 1)).numpy()
