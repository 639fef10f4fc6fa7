"""The network: one U-Net over a target and pairs of examples, which exchange features in each block.

Source: Neuralizer (Czolbe and Dalca 2023, CVPR, arXiv 2305.02644, section 3.2) and its released code, whose names of
parameters these are (github.com/SteffenCzolbe/neuralizer, commit 9342528). Departure: the first weights (`begin`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn.functional import conv2d, gelu, interpolate, max_pool2d

from core.errors import InvalidInput

MAX_PAIRS = 32
"""Most examples in the training of the published network."""
GAIN = 1.4
EMBEDDING_GAIN = 4.0
"""Gains of the first weights; see `Neuralizer.begin`."""
Streams = tuple[torch.Tensor, torch.Tensor]
"""Features of the examples (B, L, C, H, W), and of the target (B, C, H, W)."""
Layer = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class NetworkSizes:
    """Sizes of the network."""

    stages: int = 4
    """Levels of the U-Net; a side of the image must be divisible by 2 ** (stages - 1)."""
    channels: int = 16
    """Of both streams, on every level."""
    in_channels: int = 1
    out_channels: int = 1
    conv_layers: int = 2
    """Convolutions of a residual unit."""

    @property
    def divisor(self) -> int:
        """Divisor of the sides of an image."""
        return 2 ** (self.stages - 1)


class Each(nn.Module):
    """A layer for (B, C, H, W) applied to each example of (B, L, C, H, W)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return for_each(self.module, x)


def for_each(layer: Layer, x: torch.Tensor) -> torch.Tensor:
    """(B, L, ...) of (B, L, ...): the layer sees B times L images."""
    y = layer(x.flatten(0, 1))
    return y.view(*x.shape[:2], *y.shape[1:])


class ResidualUnit(nn.Module):
    """gelu(x + convolutions of x), without any norm."""

    def __init__(self, channels: int, conv_layers: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for k in range(conv_layers):
            if k:
                layers.append(nn.GELU())
            layers.append(nn.Conv2d(channels, channels, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return gelu(x + self.layers(x))


class PairwiseBlock(nn.Module):
    """A residual unit for both streams, then a convolution of each example with the target.

    The target takes the mean over the examples, so their order and number do not matter.
    """

    def __init__(self, channels: int, conv_layers: int) -> None:
        super().__init__()
        self.context_conv = Each(ResidualUnit(channels, conv_layers))
        self.target_conv = ResidualUnit(channels, conv_layers)
        self.combine_conv_target = Each(nn.Conv2d(2 * channels, channels, 1))
        self.combine_conv_context = Each(nn.Conv2d(2 * channels, channels, 1))

    def forward(self, context: torch.Tensor, target: torch.Tensor) -> Streams:
        context = self.context_conv(context)
        target = self.target_conv(target)
        update = self.combine_conv_target.module(torch.cat([context.mean(1), target], 1))  # the mean over pairs
        # the convolution of both maps as the sum of one of each, so that the target's, which all examples share, is
        # computed once
        combine = cast(nn.Conv2d, self.combine_conv_context.module)
        first, second = combine.weight.chunk(2, 1)
        of_context = for_each(lambda x: conv2d(x, first), context)
        of_target = conv2d(target, second, combine.bias)
        return gelu(context + of_context + of_target.unsqueeze(1)), gelu(target + update)


class Upsampling(nn.Module):
    """Doubled sides, concatenated with the encoder's features of that level, reduced to C channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.context_conv_layer = Each(nn.Conv2d(2 * channels, channels, 1))
        self.target_conv_layer = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, low: Streams, skipped: Streams) -> Streams:
        context = torch.cat([for_each(_twice, low[0]), skipped[0]], 2)
        target = torch.cat([_twice(low[1]), skipped[1]], 1)
        return self.context_conv_layer(context), self.target_conv_layer(target)


class OutputBlock(nn.Module):
    """A residual unit and a 1 x 1 convolution without activation: masks come as logits."""

    def __init__(self, channels: int, out_channels: int, conv_layers: int) -> None:
        super().__init__()
        self.block = nn.Sequential(ResidualUnit(channels, conv_layers), nn.Conv2d(channels, out_channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x)


class Neuralizer(nn.Module):
    """A target treated as the examples were."""

    def __init__(self, sizes: NetworkSizes = NetworkSizes()) -> None:
        super().__init__()
        self.sizes = sizes
        c = sizes.channels
        self.target_embedding = nn.Conv2d(sizes.in_channels, c, 1)
        self.context_embedding = Each(nn.Conv2d(sizes.in_channels + sizes.out_channels, c, 1))
        self.enc_blocks = nn.ModuleList(PairwiseBlock(c, sizes.conv_layers) for _ in range(sizes.stages))
        self.dec_blocks = nn.ModuleList(PairwiseBlock(c, sizes.conv_layers) for _ in range(sizes.stages - 1))
        self.upsample_blocks = nn.ModuleList(Upsampling(c) for _ in range(sizes.stages - 1))
        self.output_block = OutputBlock(c, sizes.out_channels, sizes.conv_layers)

    def forward(self, context_in: torch.Tensor, context_out: torch.Tensor, target_in: torch.Tensor) -> torch.Tensor:
        """(B, out, H, W).

        Args:
            context_in: (B, L, in, H, W), the examples before.
            context_out: (B, L, out, H, W), the examples after.
            target_in: (B, in, H, W); all values 0 to 1.

        Raises:
            InvalidInput: shapes differ, there are 0 or more than `MAX_PAIRS` examples, or a side cannot be halved at
                every level.
        """
        self._check(context_in, context_out, target_in)
        streams, skipped = self.encode(context_in, context_out, target_in)
        for up, block, finer in zip(self.upsample_blocks, self.dec_blocks, reversed(skipped), strict=True):
            streams = block(*up(streams, finer))
        return self.output_block(streams[1])

    def encode(
        self, context_in: torch.Tensor, context_out: torch.Tensor, target_in: torch.Tensor
    ) -> tuple[Streams, list[Streams]]:
        """Both streams at the lowest level, and at each level above it, the finest first."""
        streams = self.context_embedding(torch.cat([context_in, context_out], 2)), self.target_embedding(target_in)
        skipped: list[Streams] = []
        for level, block in enumerate(self.enc_blocks):
            if level:
                skipped.append(streams)
                streams = for_each(_half, streams[0]), _half(streams[1])
            streams = block(*streams)
        return streams, skipped

    def begin(self, generator: torch.Generator) -> None:
        """Draw orthogonal kernels of gain 1.4 (4 for the two embeddings), and biases of 0.

        With torch's own first weights the signal dies within the blocks, which lack a norm, and the network learns
        nothing in thousands of steps.
        """
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                gain = EMBEDDING_GAIN if "embedding" in name else GAIN
                nn.init.orthogonal_(module.weight, gain=gain, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def _check(self, context_in: torch.Tensor, context_out: torch.Tensor, target: torch.Tensor) -> None:
        pairs = 0
        if context_in.ndim == 5:
            pairs = context_in.shape[1]
        if not 1 <= pairs <= MAX_PAIRS:
            raise InvalidInput(f"A Neuralizer takes 1 to {MAX_PAIRS} example pairs: got {pairs}. Change their number.")
        n, _, height, width = target.shape
        shapes = {
            "context_in": (n, pairs, self.sizes.in_channels, height, width),
            "context_out": (n, pairs, self.sizes.out_channels, height, width),
            "target_in": (n, self.sizes.in_channels, height, width),
        }
        for (name, shape), tensor in zip(shapes.items(), (context_in, context_out, target), strict=True):
            if tuple(tensor.shape) != shape:
                raise InvalidInput(
                    f"{name} must have the shape {shape}: got {tuple(tensor.shape)}. Use one size for scans and "
                    "examples."
                )
        if height % self.sizes.divisor or width % self.sizes.divisor:
            raise InvalidInput(
                f"Sides must be divisible by {self.sizes.divisor} with {self.sizes.stages} stages: got {height} x "
                f"{width}. Pad or resize the scans."
            )


def _half(x: torch.Tensor) -> torch.Tensor:
    return max_pool2d(x, 2)


def _twice(x: torch.Tensor) -> torch.Tensor:
    return interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
