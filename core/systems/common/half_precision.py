"""Number formats of half precision in training, by what the device multiplies."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

SCALE = 2.0**14
"""First factor of a loss in float16, whose gradients would underflow to 0; torch halves it where they overflow. A
convention, below torch's default of 2**16."""


def half_of(device: torch.device, precision: str) -> torch.dtype | None:
    """The number format of products on this device; None for float32.

    Args:
        precision: "float32", "bfloat16" or "auto": bfloat16 where the device multiplies it, else float32 on a
            processor and float16 on a graphics card.
    """
    if precision == "bfloat16":
        return torch.bfloat16
    if precision != "auto":
        return None
    if device.type == "cpu":
        fast = multiplies_bfloat16()
        fallback = None
    else:
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        fallback = torch.float16
    if fast:
        return torch.bfloat16
    return fallback


def loss_scaler(device: torch.device, half: torch.dtype | None, scale: float = SCALE) -> Any:
    """torch's scaler of losses, which skips steps whose gradients overflow; without effect except in float16.

    Args:
        scale: first factor of the losses.
    """
    on = half is torch.float16
    return torch.amp.GradScaler(device.type, init_scale=scale, growth_interval=2**30, enabled=on)


@cache
def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for products of bfloat16 (avx512_bf16 or amx_bf16), as Linux reports."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
