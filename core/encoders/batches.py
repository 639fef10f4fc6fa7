"""Batches for a model: of one size, so that a row's result does not depend on the other rows, or of texts of about one
length, so that little is padded."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized

import numpy as np
import torch

from core.records import F32, I64


def by_length(texts: Sequence[Sized], size: int) -> list[I64]:
    """Indices of texts, or of their tokens, shortest first, in batches of at most `size`; equal lengths in their own
    order.

    Example:
        >>> [rows.tolist() for rows in by_length(["ccc", "a", "bb", "d"], 3)]
        [[1, 3, 2], [0]]
    """
    order = np.argsort([len(text) for text in texts], kind="stable").astype(np.int64)
    return [order[start : start + size] for start in range(0, len(order), size)]


def chosen_device() -> torch.device:
    """The GPU, else the CPU: where encoders, prompts and adapters compute."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def in_full_batches(
    rows: torch.Tensor, size: int, device: torch.device, run: Callable[[torch.Tensor], tuple[torch.Tensor, ...]]
) -> tuple[F32, ...]:
    """Run a model over all rows, without gradients; float32 outputs on the CPU.

    Every batch has `size` rows, the last one padded with its first row: a matrix product may round differently for
    another number of rows.

    Args:
        rows: (n, ...); n may be 0.
        run: from (size, ...) on `device` to tensors of `size` rows each.
    """
    parts: list[tuple[F32, ...]] = []
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        n = len(chunk)
        if n < size:
            chunk = torch.cat([chunk, chunk[:1].expand(size - n, *chunk.shape[1:])])
        with torch.inference_mode():
            parts.append(tuple(out.float().cpu().numpy()[:n] for out in run(chunk.to(device))))
    if not parts:  # one row of zeros shows the outputs' shapes
        example = torch.zeros(1, *rows.shape[1:], dtype=rows.dtype)
        return tuple(out[:0] for out in in_full_batches(example, size, device, run))
    return tuple(np.concatenate(outputs) for outputs in zip(*parts))
