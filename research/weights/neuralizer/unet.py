"""A plain U-Net of about the size of the Neuralizer that ships: what one trains for a single task, and the model of the
example of scans.

Source: Ronneberger et al. 2015, arXiv 1505.04597. Departures: as many channels on every level as the Neuralizer, group
norm, and the classes' mean soft Dice beside cross-entropy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, interpolate, max_pool2d, one_hot

from core.records import F32, I64
from core.systems.common.schedule import warmed
from core.systems.common.steps import take_step

CHANNELS = 23
STAGES = 4
LR = 4e-3
FLOOR = 0.02
Draw = Callable[[], tuple[torch.Tensor, torch.Tensor]]
"""A batch: (n, 1, h, w) images and (n, h, w) class numbers, 0 the background."""


class UNet(nn.Module):
    """Images (n, 1, h, w) to logits (n, classes, h, w); sides are multiples of 8."""

    def __init__(self, classes: int, channels: int = CHANNELS) -> None:
        super().__init__()
        self.down = nn.ModuleList(_pair(channels if k else 1, channels) for k in range(STAGES))
        self.up = nn.ModuleList(_pair(2 * channels, channels) for _ in range(STAGES - 1))
        self.out = nn.Conv2d(channels, classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        levels = list[torch.Tensor]()
        x = images
        for k, unit in enumerate(self.down):
            x = unit(max_pool2d(x, 2) if k else x)
            levels.append(x)
        for unit, beside in zip(self.up, levels[-2::-1]):
            x = unit(torch.cat([interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), beside], 1))
        return self.out(x)


def _pair(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.GroupNorm(1, after), nn.GELU()]
    return nn.Sequential(*layers)


def teach_unet(network: UNet, draw: Draw, steps: int) -> float:
    """Teach it in place; the loss of the last step."""
    optimiser = torch.optim.Adam(network.parameters(), lr=LR)
    value = float("nan")
    for step in range(steps):
        images, classes = draw()
        logits = network(images)
        wanted = one_hot(classes, logits.shape[1]).permute(0, 3, 1, 2).float()
        chances = logits.softmax(1)
        both = (chances * wanted).sum((0, 2, 3))
        all_ = (chances + wanted).sum((0, 2, 3))
        loss = cross_entropy(logits, classes) + 1 - ((2 * both + 1) / (all_ + 1))[1:].mean()
        value = take_step(optimiser, loss, warmed(step, steps, 50, FLOOR))
    return value


def classes_of(network: UNet, images: F32) -> I64:
    """(n, h, w) the most likely class of each pixel of (n, h, w) images, 0 to 1."""
    network.eval()
    with torch.inference_mode():
        parts = [network(torch.from_numpy(images[k : k + 16])[:, None]).argmax(1) for k in range(0, len(images), 16)]
    return torch.cat(parts).numpy().astype(np.int64)
