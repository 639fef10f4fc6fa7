"""Targets treated as the examples were: masks as probabilities, images as images. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F32
from core.systems.neuralizer.network import Neuralizer

BATCH_PAIRS = 24
"""Example pairs per forward pass, which bound its memory."""


def treat(network: Neuralizer, before: F32, after: F32, targets: F32, *, mask: bool) -> F32:
    """(n, h, w) the treated targets.

    Args:
        before: (L, h, w) examples before, or (n, L, h, w) with separate examples for each target; 0 to 1.
        after: the examples after, of the same shape.
        targets: (n, h, w) of any size; they are padded with black for the network.
        mask: the examples after, and so the results, are masks, 0 to 1; otherwise they are images.

    Raises:
        InvalidInput: shapes differ, or there are 0 or more than `MAX_PAIRS` examples.
    """
    if before.shape != after.shape or before.shape[-2:] != targets.shape[1:] or before.ndim not in (3, 4):
        raise InvalidInput(
            f"Examples before and after must have one shape and the targets' size: got {before.shape}, {after.shape} "
            f"and {targets.shape}. Resize them."
        )
    if before.ndim == 3:
        before = np.broadcast_to(before, (len(targets), *before.shape))
        after = np.broadcast_to(after, (len(targets), *after.shape))
    step = max(1, BATCH_PAIRS // before.shape[1])
    treated: list[F32] = []
    for start in range(0, len(targets), step):
        rows = slice(start, start + step)
        treated.append(_run(network, before[rows], after[rows], targets[rows], mask))
    if not treated:
        return np.zeros(targets.shape, np.float32)
    return np.concatenate(treated)


def vote(after: F32) -> F32:
    """(h, w) share of the examples' masks, (L, h, w), that include each pixel: the baseline of the network."""
    return np.asarray(after.mean(0), np.float32)


def _run(network: Neuralizer, before: F32, after: F32, targets: F32, mask: bool) -> F32:
    height, width = targets.shape[1:]
    up = [-side % network.sizes.divisor for side in (height, width)]

    def tensor(x: F32, channels: int) -> torch.Tensor:
        """The array as the network's first channel; other channels are black, as in the released code."""
        padded = np.pad(x, [*[(0, 0)] * (x.ndim - 2), (0, up[0]), (0, up[1])])
        first = torch.from_numpy(np.ascontiguousarray(padded, np.float32)).unsqueeze(-3)
        if channels == 1:
            return first
        black = torch.zeros_like(first).repeat_interleave(channels - 1, -3)
        return torch.cat([first, black], -3)

    sizes = network.sizes
    with torch.inference_mode():
        out = network(
            tensor(before, sizes.in_channels), tensor(after, sizes.out_channels), tensor(targets, sizes.in_channels)
        )[:, 0, :height, :width]
        if mask:
            return out.sigmoid().numpy()
        return out.clamp(0, 1).numpy()
