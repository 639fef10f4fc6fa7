"""Texts that begin alike, through a causal text tower: what they share goes through it once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.nn.functional import linear, scaled_dot_product_attention


def run_behind(blocks: Iterable[Any], start: torch.Tensor, rest: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    """(n, P + R, w) states of n texts after open_clip's own blocks under a causal mask, differentiable.

    No token sees what follows it, so the states of a start are those of every text that begins with it.

    Args:
        start: (g, P, w) embeddings, positions added, of g starts.
        rest: (n, R, w) embeddings, positions added, of what follows.
        of: (n,) which start each text has.
    """
    seen = torch.ones(rest.shape[1], start.shape[1] + rest.shape[1], dtype=torch.bool, device=rest.device)
    seen = seen.tril(start.shape[1])  # (R, P + R): the start, and what is not behind
    for block in blocks:
        q, k, v = _projected(block, start)
        own_q, own_k, own_v = _projected(block, rest)
        keys = torch.cat([k[of], own_k], 2)
        values = torch.cat([v[of], own_v], 2)
        start = _after(block, start, scaled_dot_product_attention(q, k, v, is_causal=True))
        rest = _after(block, rest, scaled_dot_product_attention(own_q, keys, values, attn_mask=seen))
    return torch.cat([start[of], rest], 1)


def _projected(block: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values, (n, heads, T, w / heads), of (n, T, w) states."""
    n, length, width = x.shape
    heads: int = block.attn.num_heads
    rows = linear(block.ln_1(x), block.attn.in_proj_weight, block.attn.in_proj_bias)
    q, k, v = rows.view(n, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    return q, k, v


def _after(block: Any, x: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """(n, T, w) states after the block."""
    x = x + block.ls_1(block.attn.out_proj(attended.transpose(1, 2).reshape(x.shape)))
    return x + block.ls_2(block.mlp(block.ln_2(x)))
