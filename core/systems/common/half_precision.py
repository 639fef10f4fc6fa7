"""Products in half precision while training: in which numbers, as the device multiplies them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

SCALE = 2.0**14
"""What a loss is multiplied with in float16, whose gradients would come out as 0; halved where they overflow."""


def half_of(device: torch.device, precision: str) -> torch.dtype | None:
    """The numbers that products are taken in on this device; None for float32.

    Args:
        precision: "float32", "bfloat16" or "auto": bfloat16 where the processor multiplies it; on a graphics card
            bfloat16 where that does, else float16.
    """
    if precision != "auto":
        return torch.bfloat16 if precision == "bfloat16" else None
    if device.type == "cpu":
        return torch.bfloat16 if multiplies_bfloat16() else None
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def loss_scaler(device: torch.device, half: torch.dtype | None, scale: float = SCALE) -> Any:
    """torch's scaler of losses, from `scale` on, which leaves out steps whose gradients overflow; it does nothing but
    in float16."""
    on = half is torch.float16
    return torch.amp.GradScaler(device.type, init_scale=scale, growth_interval=2**30, enabled=on)


@cache
def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for products of bfloat16 (avx512_bf16 or amx_bf16); only Linux says."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
