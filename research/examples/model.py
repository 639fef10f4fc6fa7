"""The model that the shipped examples diagnose: a small convolutional net, trained from scratch on rendered scenes.

It is no relative of the tower that diagnoses: four convolutions on 64 x 64 pixels, no pretrained weights. One thread
and fixed seeds, so that the same machine and the same torch give the same probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from core.records import F64
from research.scenes.photographs import SceneSpec, render

SIDE = 64
EPOCHS = 16
BATCH = 64
LEARNING_RATE = 3e-3


def scene_pixels(
    scenes: Sequence[SceneSpec], cutouts: Mapping[str, Image.Image], photographs: Mapping[str, Image.Image]
) -> Tensor:
    """(n, 3, 64, 64) uint8: each scene rendered at twice the side and averaged down."""
    pixels = np.empty((len(scenes), SIDE, SIDE, 3), np.uint8)
    for i, scene in enumerate(scenes):
        pixels[i] = np.asarray(to_side(render(scene, cutouts, photographs, size=2 * SIDE)))
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def to_side(picture: Image.Image) -> Image.Image:
    """The image as the victim sees it."""
    return picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)


def _net(n_classes: int, width: int = 24) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(3, width, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    ]
    for k in (1, 2, 3):
        layers += [
            nn.Conv2d(k * width, (k + 1) * width, 3, padding=1, bias=False),
            nn.BatchNorm2d((k + 1) * width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    layers += [nn.Conv2d(4 * width, 4 * width, 3, padding=1, bias=False), nn.BatchNorm2d(4 * width), nn.ReLU()]
    return nn.Sequential(
        *layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * width, n_classes)
    )


def _scaled(pixels: Tensor) -> Tensor:
    return (pixels.float() / 255 - 0.45) / 0.25


def _augmented(pixels: Tensor) -> Tensor:
    """Flips, small turns and shifts, and mixed color channels: unseen cut-outs come in other colors."""
    n = len(pixels)
    x = pixels.float() / 255
    if torch.rand(1) < 0.5:
        x = x.flip(3)
    mix = torch.eye(3) + 0.3 * torch.randn(n, 3, 3)
    mix = mix / mix.sum(2, keepdim=True).clamp(min=0.3)  # grays keep their brightness
    x = torch.einsum("nij,njhw->nihw", mix, x)
    turn = 0.15 * torch.randn(n)
    zoom = torch.exp(0.12 * torch.randn(n))
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0] = affine[:, 1, 1] = zoom * turn.cos()
    affine[:, 1, 0] = zoom * turn.sin()
    affine[:, 0, 1] = -affine[:, 1, 0]
    affine[:, :, 2] = 0.06 * torch.randn(n, 2)
    grid = F.affine_grid(affine, list(x.shape), align_corners=False)
    return (F.grid_sample(x, grid, align_corners=False, padding_mode="reflection") - 0.45) / 0.25


def train_victim(
    pixels: Tensor, labels: Tensor, n_classes: int, *, seed: int, epochs: int = EPOCHS, batch: int = BATCH
) -> nn.Sequential:
    """A trained net in evaluation mode. pixels: (n, 3, 64, 64) uint8; labels: (n,) int64."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net = _net(n_classes)
    steps = len(pixels) // batch
    optimiser = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * steps)
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(pixels))
        for rows in order[: steps * batch].split(batch):
            loss = F.cross_entropy(net(_augmented(pixels[rows])), labels[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / steps:.3f}", flush=True)
    return net.eval()


@torch.no_grad()
def victim_probabilities(net: nn.Sequential, pixels: Tensor) -> F64:
    """(n, k) softmax."""
    return torch.cat([F.softmax(net(_scaled(part)).double(), dim=1) for part in pixels.split(256)]).numpy()
