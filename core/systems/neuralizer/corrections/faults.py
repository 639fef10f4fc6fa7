"""Faults of scans: noise, bias field, holes, coarse pixels, missing lines of k-space, motion. Images are (N, 1, H, W),
0 to 1; each gets its own random fault."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import interpolate

Fault = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def smooth(coarse: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(N, C, H, W) smooth field through the points of (N, C, h, w)."""
    return interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True)


def noisy(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images with Gaussian noise of standard deviation 0.08 to 0.2, clipped to 0 to 1."""
    strength = 0.08 + 0.12 * torch.rand((len(images), 1, 1, 1), generator=generator)
    return (images + strength * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def shaded(images: torch.Tensor, generator: torch.Generator, strength: float = 0.6) -> torch.Tensor:
    """Images times a bias field: e to a smooth field through 3 x 3 points of that standard deviation. The maximum is
    then 1 again, as in any scan that Errata reads."""
    field = strength * torch.randn((len(images), 1, 3, 3), generator=generator)
    spoilt = images * torch.exp(smooth(field, *images.shape[2:]))
    return spoilt / spoilt.amax((1, 2, 3), keepdim=True).clamp(min=1e-6)


def with_hole(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images with a black square of a quarter of the side near the middle."""
    spoilt = images.clone()
    height, width = images.shape[2:]
    side = max(1, height // 4)
    for image in spoilt:
        down = int(torch.randint(height // 6, height - side - height // 6 + 1, (1,), generator=generator))
        across = int(torch.randint(width // 6, width - side - width // 6 + 1, (1,), generator=generator))
        image[:, down : down + side, across : across + side] = 0
    return spoilt


def coarse(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images at a half to a third of the resolution, resized back."""
    factor = float(2 + torch.rand(1, generator=generator))
    small = [max(1, round(side / factor)) for side in images.shape[2:]]
    return interpolate(interpolate(images, small, mode="area"), images.shape[2:], mode="bilinear", align_corners=False)


def undersampled(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images without a random half of the lines of k-space; the central eighth stays."""
    lines = images.shape[-1]
    random = torch.rand((len(images), 1, 1, lines), generator=generator) < 0.5
    middle = abs(torch.arange(lines) - lines // 2) <= lines // 16
    spectrum = torch.fft.fftshift(torch.fft.fft2(images), dim=(-2, -1)) * (random | middle)
    return torch.fft.ifft2(torch.fft.ifftshift(spectrum, dim=(-2, -1))).abs()


def moved(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images of a head that moves up or down by up to 4 pixels before the last lines of k-space: those past a sixteenth
    to an eighth of all on one side."""
    n = len(images)
    height, lines = images.shape[2:]
    shift = 8 * torch.rand((n, 1, 1, 1), generator=generator) - 4
    phase = torch.exp(-2j * torch.pi * torch.fft.fftfreq(height)[:, None] * shift)  # (n, 1, height, 1)
    first = (1 + torch.rand((n, 1, 1, 1), generator=generator)) / 16
    late = torch.fft.fftfreq(lines) >= first  # (n, 1, 1, lines), in cycles a pixel
    spectrum = torch.fft.fft2(images)
    return torch.fft.ifft2(torch.where(late, spectrum * phase, spectrum)).abs()


FAULTS: dict[str, Fault] = {
    "denoise": noisy,
    "bias": shaded,
    "inpaint": with_hole,
    "super-resolution": coarse,
    "undersampling": undersampled,
    "motion": moved,
}
"""By the task that removes the fault."""
