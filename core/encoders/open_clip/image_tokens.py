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


def prune_unused(module: nn.Module, given: tuple[Any, ...]) -> None:
    """Take away the parameters on which the output for `given` does not depend: leftovers of a copy that is entered
    half-way."""
    named = [(owner, name, p) for owner in module.modules() for name, p in owner.named_parameters(recurse=False)]
    with torch.enable_grad():
        whole = module(*given).sum()
    slopes: Any = torch.autograd.grad(whole, [p for _, _, p in named], allow_unused=True)
    for (owner, name, _), slope in zip(named, slopes):
        if slope is None:
            setattr(owner, name, None)


class LateBlock(nn.Module):
    """The last block, norm, pooling and projection of a transformer: (tokens (n, P, di), prefix (n, q, di) or None) ->
    (n, d) unit rows."""

    def __init__(self, visual: Any, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.visual = visual
        self._options = dict(options)

    def forward(self, tokens: torch.Tensor, prefix: torch.Tensor | None) -> torch.Tensor:
        """(n, d) unit rows of the joint space."""
        return self._finish(tokens if prefix is None else torch.cat([prefix, tokens], 1), self._options)

    def alone(self, tokens: torch.Tensor, n_prefix: int) -> torch.Tensor:
        """(n, P, d) unit rows: each token as if it were the whole image, which attention then passes on by its value
        path alone."""
        n, cells, width = tokens.shape
        # equal tokens: attention gives back their value
        rows = tokens.reshape(n * cells, 1, width).expand(-1, n_prefix + 1, -1)
        without = {key: None if isinstance(value, torch.Tensor) else value for key, value in self._options.items()}
        return self._finish(rows, without).reshape(n, cells, -1)

    def _finish(self, x: torch.Tensor, options: Mapping[str, Any]) -> torch.Tensor:
        x = last_block(self.visual)(x, **options)
        if hasattr(self.visual, "trunk"):
            pooled = self.visual.trunk.forward_head(self.visual.trunk.norm(x))
            return normalize(self.visual.head(pooled).float(), dim=-1)
        # open_clip's own pooling: class token, mean or attention, and the norm before or after it
        pooled = self.visual._pool(x)[0]
        return normalize((pooled if self.visual.proj is None else pooled @ self.visual.proj).float(), dim=-1)


class LateMap(nn.Module):
    """What follows the last feature map: pooling and projection. (tokens (n, P, di), prefix (n, q, di) or None) -> (n,
    d) unit rows."""

    def __init__(self, visual: Any, layout: Layout, grid: tuple[int, int]) -> None:
        super().__init__()
        self.visual = visual
        self._layout = layout
        self._grid = grid

    def forward(self, tokens: torch.Tensor, prefix: torch.Tensor | None) -> torch.Tensor:
        """(n, d) unit rows of the joint space."""
        return self._finish(tokens if prefix is None else torch.cat([prefix, tokens], 1), self._grid)

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


def blocks(visual: Any) -> Any:
    """The tower's transformer blocks, in order; None where it has none that can be entered."""
    if hasattr(visual, "trunk"):
        found = getattr(visual.trunk, "blocks", None)
        return found if isinstance(found, nn.Sequential | nn.ModuleList) and hasattr(visual.trunk, "norm") else None
    return visual.transformer.resblocks if hasattr(visual, "transformer") else None


def last_block(visual: Any) -> Any:
    """The block that the tokens enter."""
    found = blocks(visual)
    assert found is not None
    return found[-1]


@dataclass(frozen=True, slots=True, eq=False)
class TowerInput:
    """Where and how a tower is entered."""

    layout: Layout
    grid: tuple[int, int]
    n_prefix: int
    block: bool
    """Whether the last block follows; otherwise only what stands behind the last feature map."""
    options: Mapping[str, Any]
    """What the last block is given besides tokens, the same for every image (rotary positions, say)."""

    @property
    def depth(self) -> str:
        """Part of the tower's fingerprint."""
        return "tokens before the last block 1" if self.block else "cells of the last map 1"


class ImageSide:
    """A frozen image tower that gives its tokens and its vector in one pass.

    Args:
        visual: `model.visual`, in evaluation mode.
        probe: (2, 3, height, width) two different images.
        entry: see `entries`.
    """

    def __init__(self, visual: Any, probe: torch.Tensor, entry: TowerInput) -> None:
        self._visual = visual
        self._probe = probe
        self.entry = entry

    def run(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(tokens (n, P, di), vectors (n, d) of any length), and between them the prefix (n, q, di) where there is
        one."""
        kept, vectors = caught(self._visual, pixels, self.entry.block)
        rows = _rows(kept["x"], self.entry.layout)
        q = self.entry.n_prefix
        return (rows[:, q:], rows[:, :q], vectors) if q else (rows, vectors)

    def late(self) -> LateBlock | LateMap:
        """A copy of what follows the tokens, trainable."""
        last = self._copied()
        entry = self.entry
        late = LateBlock(last, entry.options) if entry.block else LateMap(last, entry.layout, entry.grid)
        late.requires_grad_(True)
        with torch.no_grad():
            tokens, *prefix, _ = self.run(self._probe)
        prune_unused(late, (tokens, prefix[0] if prefix else None))
        return late

    def _copied(self) -> Any:
        """The tower without what stands before its last block, or (of a map) without anything but its head."""
        visual = self._visual
        if not self.entry.block and not hasattr(visual, "trunk"):
            return nn.ModuleDict({"attnpool": copy.deepcopy(visual.attnpool)})
        owner = getattr(visual, "trunk", visual)
        spared: dict[int, Any] = {}
        for name, child in owner.named_children():
            if self.entry.block and name in ("conv1", "patch_embed"):
                spared[id(child)] = nn.Identity()
        found = blocks(visual) or ()
        for block in found[:-1] if self.entry.block else found:
            spared[id(block)] = nn.Identity()
        return copy.deepcopy(visual, spared)

    def gap(self) -> float:
        """Largest difference between the tower's vectors and those of `late`, over the two images together and the
        first alone."""
        late = self.late()
        with torch.no_grad():
            tokens, *prefix, vectors = self.run(self._probe)
            known = normalize(vectors.float(), dim=-1)
            given = prefix[0] if prefix else None
            both = late(tokens, given)
            one = late(tokens[:1], None if given is None else given[:1])
        return float(torch.cat([both - known, one - known[:1]]).abs().max())


def caught(visual: Any, pixels: torch.Tensor, block: bool) -> tuple[dict[str, Any], torch.Tensor]:
    """What enters the last block (as "x", and its keyword arguments), or the last feature map, and the tower's
    vectors."""
    kept: dict[str, Any] = {}

    def entering(module: Any, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        kept.update(x=args[0], options=options)

    def leaving(module: Any, args: tuple[Any, ...], output: Any) -> None:
        kept.update(x=output, options={})

    if not block and hasattr(visual, "trunk"):
        kept.update(x=visual.trunk.forward_features(pixels), options={})
        return kept, visual.head(visual.trunk.forward_head(kept["x"]))
    if block:
        hook = last_block(visual).register_forward_pre_hook(entering, with_kwargs=True)
    else:
        hook = visual.layer4.register_forward_hook(leaving)
    try:
        vectors = visual(pixels)
    finally:
        hook.remove()
    return kept, vectors[0] if isinstance(vectors, tuple) else vectors


def entries(visual: Any, probe: torch.Tensor) -> list[TowerInput]:
    """The ways into a tower, the best first."""
    found: list[TowerInput] = []
    ways = [True] if blocks(visual) is not None else []
    ways += [False] if hasattr(visual, "trunk") or hasattr(visual, "layer4") else []
    for block in ways:
        with torch.no_grad():
            kept, _ = caught(visual, probe, block)
        if (entry := _entry(visual, kept["x"], block, kept["options"])) is not None:
            found.append(entry)
    return found


def _entry(visual: Any, x: torch.Tensor, block: bool, options: Mapping[str, Any]) -> TowerInput | None:
    trunk = getattr(visual, "trunk", None)
    if x.ndim == 4 and not block:
        layout: Layout = "NHWC" if getattr(trunk, "output_fmt", "NCHW") == "NHWC" else "NCHW"
        side = x.shape[1:3] if layout == "NHWC" else x.shape[2:4]
        return TowerInput(layout, (int(side[0]), int(side[1])), 0, block, options)
    if x.ndim != 3:
        return None
    prefix = 1 if trunk is None else int(getattr(trunk, "num_prefix_tokens", 0))
    patches = x.shape[1] - prefix
    known: Any = getattr(visual if trunk is None else getattr(trunk, "patch_embed", None), "grid_size", None)
    square = round(patches**0.5)
    grids = [(square, square)]  # timm may rescale its grid to the image
    if known is not None:
        grids.insert(0, (int(known[0]), int(known[1])))
    grid = next((g for g in grids if g[0] * g[1] == patches), None)
    return None if grid is None else TowerInput("NLC", grid, prefix, block, options)


def _rows(x: torch.Tensor, layout: Layout) -> torch.Tensor:
    """(n, P, di) from a map or from tokens."""
    if layout == "NLC":
        return x
    return x.flatten(2).transpose(1, 2) if layout == "NCHW" else x.flatten(1, 2)
