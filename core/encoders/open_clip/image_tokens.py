"""An open_clip image tower opened before its last block: a native ViT, a ModifiedResNet, or any timm model."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.functional import normalize

Layout = Literal["NLC", "NCHW", "NHWC"]


def prune_unused(module: nn.Module, inputs: tuple[Any, ...]) -> None:
    """Remove parameters on which the output for `inputs` does not depend: leftovers of the layers before the entry."""
    named: list[tuple[nn.Module, str, nn.Parameter]] = []
    for owner in module.modules():
        named += [(owner, name, parameter) for name, parameter in owner.named_parameters(recurse=False)]
    with torch.enable_grad():
        whole = module(*inputs).sum()
    slopes: Any = torch.autograd.grad(whole, [p for _, _, p in named], allow_unused=True)
    for (owner, name, _), slope in zip(named, slopes):
        if slope is None:
            setattr(owner, name, None)


def _with_prefix(prefix: torch.Tensor | None, tokens: torch.Tensor) -> torch.Tensor:
    if prefix is None:
        return tokens
    return torch.cat([prefix, tokens], 1)


class LateBlock(nn.Module):
    """The last block, norm, pooling and projection of a transformer: (tokens (n, P, di), prefix (n, q, di) or None) ->
    (n, d) unit rows."""

    def __init__(self, visual: Any, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.visual = visual
        self._options = dict(options)

    def forward(self, tokens: torch.Tensor, prefix: torch.Tensor | None) -> torch.Tensor:
        """(n, d) unit rows of the joint space."""
        return self._finish(_with_prefix(prefix, tokens), self._options)

    def alone(self, tokens: torch.Tensor, n_prefix: int) -> torch.Tensor:
        """(n, P, d) unit rows: each token as if it were the whole image, so that attention applies its value path
        alone."""
        n, cells, width = tokens.shape
        # attention over equal tokens returns their value
        rows = tokens.reshape(n * cells, 1, width).expand(-1, n_prefix + 1, -1)
        options = dict(self._options)
        for key, value in self._options.items():
            if isinstance(value, torch.Tensor):  # such as rotary positions of the whole image
                options[key] = None
        return self._finish(rows, options).reshape(n, cells, -1)

    def _finish(self, x: torch.Tensor, options: Mapping[str, Any]) -> torch.Tensor:
        x = _last_block(self.visual)(x, **options)
        if hasattr(self.visual, "trunk"):
            pooled = self.visual.trunk.forward_head(self.visual.trunk.norm(x))
            return normalize(self.visual.head(pooled).float(), dim=-1)
        # open_clip's own pooling: class token, mean or attention, and the norm before or after it
        pooled = self.visual._pool(x)[0]
        if self.visual.proj is not None:
            pooled = pooled @ self.visual.proj
        return normalize(pooled.float(), dim=-1)


class LateMap(nn.Module):
    """Pooling and projection after the last feature map: (tokens (n, P, di), prefix (n, q, di) or None) -> (n,
    d) unit rows."""

    def __init__(self, visual: Any, layout: Layout, grid: tuple[int, int]) -> None:
        super().__init__()
        self.visual = visual
        self._layout = layout
        self._grid = grid

    def forward(self, tokens: torch.Tensor, prefix: torch.Tensor | None) -> torch.Tensor:
        """(n, d) unit rows of the joint space."""
        return self._finish(_with_prefix(prefix, tokens), self._grid)

    def alone(self, tokens: torch.Tensor, n_prefix: int) -> torch.Tensor:
        """(n, P, d) unit rows: each cell as if it were the whole map. Attention pooling is reduced to its value
        path."""
        n, cells, width = tokens.shape
        if not hasattr(self.visual, "trunk"):
            pool = self.visual.attnpool
            return normalize(pool.c_proj(pool.v_proj(tokens)).float(), dim=-1)
        rows = tokens.reshape(n * cells, 1, width).expand(-1, n_prefix + 1, -1)
        return self._finish(rows, (1, 1)).reshape(n, cells, -1)

    def _finish(self, x: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        if self._layout == "NCHW":
            x = x.transpose(1, 2).reshape(len(x), -1, *grid)
        elif self._layout == "NHWC":
            x = x.reshape(len(x), *grid, -1)
        if hasattr(self.visual, "trunk"):
            return normalize(self.visual.head(self.visual.trunk.forward_head(x)).float(), dim=-1)
        return normalize(self.visual.attnpool(x).float(), dim=-1)


def _find_blocks(visual: Any) -> Any:
    """The tower's transformer blocks, in order; None if they are missing or cannot be entered."""
    if hasattr(visual, "trunk"):
        blocks = getattr(visual.trunk, "blocks", None)
        if isinstance(blocks, nn.Sequential | nn.ModuleList) and hasattr(visual.trunk, "norm"):
            return blocks
        return None
    if hasattr(visual, "transformer"):
        return visual.transformer.resblocks
    return None


def _last_block(visual: Any) -> Any:
    """The block that the tokens enter."""
    blocks = _find_blocks(visual)
    assert blocks is not None
    return blocks[-1]


@dataclass(frozen=True, slots=True, eq=False)
class TowerInput:
    """Entry point of a tower."""

    layout: Layout
    grid: tuple[int, int]
    n_prefix: int
    block: bool
    """Whether the last block follows; otherwise only pooling and projection after the last feature map."""
    options: Mapping[str, Any]
    """Keyword arguments of the last block, the same for every image, such as rotary positions."""

    @property
    def depth(self) -> str:
        """Part of the tower's fingerprint."""
        return "tokens before the last block 1" if self.block else "cells of the last map 1"


class ImageSide:
    """A frozen image tower that gives its tokens and its vector in one pass.

    Args:
        visual: `model.visual`, in evaluation mode.
        probe: (2, 3, height, width) two different images.
        entry: see `find_entries`.
    """

    def __init__(self, visual: Any, probe: torch.Tensor, entry: TowerInput) -> None:
        self._visual = visual
        self._probe = probe
        self.entry = entry

    def run(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(tokens (n, P, di), vectors (n, d) of any length), with the prefix (n, q, di), if any, between them."""
        states, vectors = _catch_states(self._visual, pixels, self.entry.block)
        rows = _rows(states["x"], self.entry.layout)
        q = self.entry.n_prefix
        if q:
            return rows[:, q:], rows[:, :q], vectors
        return rows, vectors

    def late(self) -> LateBlock | LateMap:
        """A trainable copy of the layers after the tokens."""
        copied = self._copy_late_layers()
        entry = self.entry
        late = LateBlock(copied, entry.options) if entry.block else LateMap(copied, entry.layout, entry.grid)
        late.requires_grad_(True)
        with torch.no_grad():
            tokens, *prefix, _ = self.run(self._probe)
        prune_unused(late, (tokens, prefix[0] if prefix else None))
        return late

    def _copy_late_layers(self) -> Any:
        """Copy the tower from its last block on, or (of a map) its head alone."""
        visual = self._visual
        if not self.entry.block and not hasattr(visual, "trunk"):
            return nn.ModuleDict({"attnpool": copy.deepcopy(visual.attnpool)})
        owner = getattr(visual, "trunk", visual)
        spared: dict[int, Any] = {}
        for name, child in owner.named_children():
            if self.entry.block and name in ("conv1", "patch_embed"):
                spared[id(child)] = nn.Identity()
        blocks = _find_blocks(visual) or ()
        if self.entry.block:
            blocks = blocks[:-1]
        for block in blocks:
            spared[id(block)] = nn.Identity()
        return copy.deepcopy(visual, spared)

    def gap(self) -> float:
        """Largest difference between the tower's vectors and those of `late`, over the two images together and the
        first alone."""
        late = self.late()
        with torch.no_grad():
            tokens, *prefix, vectors = self.run(self._probe)
            known = normalize(vectors.float(), dim=-1)
            both = late(tokens, prefix[0] if prefix else None)
            alone = late(tokens[:1], prefix[0][:1] if prefix else None)
        return float(torch.cat([both - known, alone - known[:1]]).abs().max())


def _catch_states(visual: Any, pixels: torch.Tensor, block: bool) -> tuple[dict[str, Any], torch.Tensor]:
    """(states, vectors) of a pass: "x", the input of the last block or the last feature map, and "options", the
    block's keyword arguments."""
    states: dict[str, Any] = {}

    def entering(module: Any, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        states.update(x=args[0], options=options)

    def leaving(module: Any, args: tuple[Any, ...], output: Any) -> None:
        states.update(x=output, options={})

    if not block and hasattr(visual, "trunk"):
        states.update(x=visual.trunk.forward_features(pixels), options={})
        return states, visual.head(visual.trunk.forward_head(states["x"]))
    if block:
        hook = _last_block(visual).register_forward_pre_hook(entering, with_kwargs=True)
    else:
        hook = visual.layer4.register_forward_hook(leaving)
    try:
        vectors = visual(pixels)
    finally:
        hook.remove()
    if isinstance(vectors, tuple):
        vectors = vectors[0]
    return states, vectors


def find_entries(visual: Any, probe: torch.Tensor) -> list[TowerInput]:
    """Entry points of a tower, the best first."""
    kinds: list[bool] = []
    if _find_blocks(visual) is not None:
        kinds.append(True)
    if hasattr(visual, "trunk") or hasattr(visual, "layer4"):
        kinds.append(False)
    entries: list[TowerInput] = []
    for block in kinds:
        with torch.no_grad():
            states, _ = _catch_states(visual, probe, block)
        entry = _describe_entry(visual, states["x"], block, states["options"])
        if entry is not None:
            entries.append(entry)
    return entries


def _describe_entry(visual: Any, x: torch.Tensor, block: bool, options: Mapping[str, Any]) -> TowerInput | None:
    """Layout and grid of the states `x`; None if they are neither a map nor a grid of patches."""
    trunk = getattr(visual, "trunk", None)
    if x.ndim == 4 and not block:
        layout: Layout = "NHWC" if getattr(trunk, "output_fmt", "NCHW") == "NHWC" else "NCHW"
        rows, columns = x.shape[1:3] if layout == "NHWC" else x.shape[2:4]
        return TowerInput(layout, (int(rows), int(columns)), 0, block, options)
    if x.ndim != 3:
        return None
    if trunk is None:
        prefix = 1
        known: Any = getattr(visual, "grid_size", None)
    else:
        prefix = int(getattr(trunk, "num_prefix_tokens", 0))
        known = getattr(getattr(trunk, "patch_embed", None), "grid_size", None)
    patches = x.shape[1] - prefix
    square = round(patches**0.5)
    grids = [(square, square)]  # timm may rescale its grid to the image
    if known is not None:
        grids.insert(0, (int(known[0]), int(known[1])))
    for grid in grids:
        if grid[0] * grid[1] == patches:
            return TowerInput("NLC", grid, prefix, block, options)
    return None


def _rows(x: torch.Tensor, layout: Layout) -> torch.Tensor:
    """(n, P, di) from a map or from tokens."""
    if layout == "NLC":
        return x
    if layout == "NCHW":
        return x.flatten(2).transpose(1, 2)
    return x.flatten(1, 2)
