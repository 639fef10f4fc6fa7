"""Any open_clip model opened before its last blocks, on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from core.encoders.arithmetic import unit_rows
from core.encoders.batches import in_full_batches
from core.encoders.open_clip.image_tokens import ImageSide, LateBlock, LateMap, TowerInput, find_entries
from core.encoders.open_clip.prompt_tower import MAX_TOWER_GAP
from core.encoders.open_clip.text_tokens import TextSide
from core.encoders.tokens import ImageTokens, TextTokens
from core.errors import InvalidInput
from core.records import F32

_FAULTS = (AttributeError, TypeError, ValueError, IndexError, RuntimeError, NotImplementedError)
"""Errors of torch, timm and open_clip where a tower is built differently than expected."""


class Owner(Protocol):
    """The part of an encoder that its tower needs."""

    name: str
    fingerprint: str
    batch_size: int
    logit_scale: float

    def preprocess(self, image: Image.Image) -> F32: ...


class OpenClipTokenTower:
    """The tokens before the last block of both towers. A tower of one block has its embeddings as tokens.

    Of a ViT (native or timm) the tokens are the patches that enter the last block, as in Cola; of a ResNet or another
    network without blocks they are the cells of its last feature map.

    Raises:
        InvalidInput: a tower cannot be opened, or its tokens do not lead to its own vectors.
    """

    def __init__(self, encoder: Owner, model: Any, tokenizer: Any) -> None:
        self._name = encoder.name
        self._batch_size = encoder.batch_size
        self.logit_scale = encoder.logit_scale
        self._texts = TextSide(model, tokenizer, encoder.name, encoder.batch_size)
        self._device = self._texts.device
        noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
        probe = np.stack([encoder.preprocess(Image.fromarray(pixels)) for pixels in noise])
        self._images = self._open_images(model.visual, torch.from_numpy(probe).to(self._device))
        self.fingerprint = f"{encoder.fingerprint}/{self._images.entry.depth}"
        self.grid = self._images.entry.grid
        first = self.image_tokens(probe)
        text = self.text_tokens(["a"])
        self.image_width = first.tokens.shape[2]
        self.text_width = text.tokens.shape[2]
        self.joint_width = first.pooled.shape[1]
        self._alone = self._late_part_of_patches(probe)

    def _open_images(self, visual: Any, probe: torch.Tensor) -> ImageSide:
        """Open the image tower at the first entry from which it gives its own vectors."""
        tried: list[str] = []
        entries: list[TowerInput] = []
        try:
            entries = find_entries(visual, probe)
        except _FAULTS as error:
            tried = [f"{type(error).__name__}: {error}"]
        for entry in entries:
            side = ImageSide(visual, probe, entry)
            try:
                gap = side.gap()
            except _FAULTS as error:
                tried.append(f"{type(error).__name__}: {error}")
                continue
            if gap < MAX_TOWER_GAP:
                return side
            tried.append(f"its vectors from there differ by {gap:.2g}")
        kind = type(getattr(visual, "trunk", visual)).__name__
        raise InvalidInput(
            f"The image tower of {self._name} ({kind}) cannot be opened before its last block "
            f"({'; '.join(tried) or 'it has no block or map'}). Use a CLIP with a ViT or a ResNet, the encoder "
            "'embedded', or an adapter that needs only pooled vectors (linear)."
        )

    def image_tokens(self, batch: F32) -> ImageTokens:
        """Of (n, 3, height, width) preprocessed images; an image's tokens do not depend on the other images."""
        pixels = torch.from_numpy(batch)
        tokens, *_, vectors = in_full_batches(pixels, self._batch_size, self._device, self._images.run)
        return ImageTokens(tokens, unit_rows(vectors))

    def cells(self, tokens: F32) -> F32:
        """(n, r, c, di) of (n, P, di): the patches as they lie."""
        return tokens.reshape(len(tokens), *self.grid, -1)

    def text_tokens(self, texts: Sequence[str]) -> TextTokens:
        """Texts past the context length are truncated: see the encoder's `count_truncated`."""
        return self._texts.read(texts)

    @property
    def has_patch_vectors(self) -> bool:
        """Whether `patch_vectors` works for this tower."""
        return self._alone is not None

    def patch_vectors(self, batch: F32) -> F32:
        """(n, P, d) unit rows: each patch in the joint space.

        As MaskCLIP (Zhou et al. 2022, arXiv 2112.01071, section 3.2): in the last attention a patch gets its own value
        instead of the mix over all patches, and goes on through the tower. Here the last block gets one patch at a
        time, repeated for the class token, so that attention mixes only equal values. This extends to towers that pool
        by mean or by attention, which is ours.

        Raises:
            InvalidInput: a single patch cannot pass this tower.
        """
        if self._alone is None:
            raise InvalidInput(
                f"The image tower of {self._name} gives no vectors of single patches. Use the occlusion map."
            )
        return in_full_batches(torch.from_numpy(batch), self._batch_size, self._device, self._patches)[0]

    def _patches(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        assert self._alone is not None
        return (self._alone.alone(self._images.run(pixels)[0], self._images.entry.n_prefix),)

    def _late_part_of_patches(self, probe: F32) -> LateBlock | LateMap | None:
        """The late part, if single patches pass it; else None."""
        self._alone = self._images.late().requires_grad_(False)
        try:
            vectors = self.patch_vectors(probe)
        except _FAULTS:
            return None
        shape = (len(probe), self.grid[0] * self.grid[1], self.joint_width)
        if vectors.shape != shape or not bool(np.isfinite(vectors).all()):
            return None
        return self._alone
