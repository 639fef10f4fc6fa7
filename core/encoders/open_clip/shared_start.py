"""Texts that begin alike, through a causal text tower: their common start goes through it once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.nn.functional import linear, scaled_dot_product_attention


def run_behind(blocks: Iterable[Any], start: torch.Tensor, rest: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    """(n, P + R, w) states of n texts after open_clip's own blocks under a causal mask, differentiable.

    A token does not see later ones, so a start has the same states in every text that begins with it.

    Args:
        start: (g, P, w) embeddings, positions added, of g starts.
        rest: (n, R, w) embeddings, positions added, after the start.
        of: (n,) index of each text's start.
    """
    seen = torch.ones(rest.shape[1], start.shape[1] + rest.shape[1], dtype=torch.bool, device=rest.device)
    seen = seen.tril(start.shape[1])  # (R, P + R): the start, and the rest up to the token itself
    for block in blocks:
        q, k, v = _project(block, start)
        rest_q, rest_k, rest_v = _project(block, rest)
        keys = torch.cat([k[of], rest_k], 2)
        values = torch.cat([v[of], rest_v], 2)
        start = _finish(block, start, scaled_dot_product_attention(q, k, v, is_causal=True))
        rest = _finish(block, rest, scaled_dot_product_attention(rest_q, keys, values, attn_mask=seen))
    return torch.cat([start[of], rest], 1)


def _project(block: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values, (n, heads, T, w / heads), of (n, T, w) states."""
    n, length, width = x.shape
    heads: int = block.attn.num_heads
    rows = linear(block.ln_1(x), block.attn.in_proj_weight, block.attn.in_proj_bias)
    q, k, v = rows.view(n, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    return q, k, v


def _finish(block: Any, x: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """(n, T, w) states after the block."""
    x = x + block.ls_1(block.attn.out_proj(attended.transpose(1, 2).reshape(x.shape)))
    return x + block.ls_2(block.mlp(block.ln_2(x)))
