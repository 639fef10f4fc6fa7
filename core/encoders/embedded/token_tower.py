"""The embedded encoder opened before its last blocks: EfficientNet-Lite0's maps as patches, MiniLM's states before its
last layer as words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from core.encoders.embedded.alignment import Alignment
from core.encoders.embedded.lite0 import Convolution
from core.encoders.embedded.lite0_runtime import best_mapper
from core.encoders.embedded.minilm_tokens import MAX_TOKENS
from core.encoders.embedded.minilm_torch import load_tower
from core.encoders.embedded.pixel_cues import measure_cues
from core.encoders.tokens import ImageTokens, TextTokens
from core.records import F32

COARSE = 47
FINE = 32
"""Layers with maps as tokens: the last block's output (320 channels, 7 x 7) and the last at stride 16 (112 channels,
14 x 14)."""
SIDE = 7
COARSE_WIDTH = 320
FINE_WIDTH = 4 * 112
WIDTH = COARSE_WIDTH + FINE_WIDTH
_BATCH_TEXTS = 64
_DEPTH = "embedded tokens 2"


class EmbeddedTokenTower:
    """49 patches of 768 numbers: the last block's 320 channels, then the four cells of the finer map that lie in the
    patch.

    The finer map is needed because the last block, trained to name one object, hardly separates colors and textures.
    """

    grid = (SIDE, SIDE)
    image_width = WIDTH
    text_width = 384

    def __init__(
        self,
        layers: list[Convolution],
        alignment: Alignment,
        fingerprint: str,
        logit_scale: float,
        threads: int | None = None,
    ) -> None:
        self._layers = layers
        self._alignment = alignment
        self._map = best_mapper(layers, (COARSE, FINE), threads)
        self.fingerprint = f"{fingerprint}/{_DEPTH}"
        self.joint_width = alignment.texts(np.zeros((1, 384), np.float32)).shape[1]
        self.logit_scale = logit_scale

    def image_tokens(self, batch: F32) -> ImageTokens:
        """Of (n, 3, 224, 224)."""
        coarse, fine, features = self._map(np.ascontiguousarray(batch, np.float32))
        n = len(batch)
        rows = coarse.reshape(n, COARSE_WIDTH, SIDE * SIDE).transpose(0, 2, 1)
        cells = fine.reshape(n, 112, SIDE, 2, SIDE, 2).transpose(0, 2, 4, 3, 5, 1).reshape(n, SIDE * SIDE, FINE_WIDTH)
        cues = measure_cues(batch)
        known = self._alignment.known_images(features, cues)
        return ImageTokens(np.concatenate([rows, cells], 2), self._alignment.with_captions(known, features, cues))

    def cells(self, tokens: F32) -> F32:
        """(n, 14, 14, 112) of (n, 49, 768): the finer map."""
        n = len(tokens)
        fine = tokens[..., COARSE_WIDTH:].reshape(n, SIDE, SIDE, 2, 2, FINE_WIDTH // 4)
        return fine.transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * SIDE, 2 * SIDE, FINE_WIDTH // 4)

    def text_tokens(self, texts: Sequence[str]) -> TextTokens:
        """MiniLM's states before the last of its six layers."""
        model, tokenizer = load_tower()
        if not texts:
            empty = np.zeros((0, 0), np.bool_)
            tokens = np.zeros((0, 0, 384), np.float32)
            pooled = np.zeros((0, self.joint_width), np.float32)
            return TextTokens(tokens, np.zeros((0, 0), np.int64), empty, empty, pooled, ())
        parts: list[tuple[Any, Any]] = []
        means: list[F32] = []
        batches: list[list[list[int]]] = []
        for start in range(0, len(texts), _BATCH_TEXTS):
            batch = list(texts[start : start + _BATCH_TEXTS])
            batches.append(tokenizer(batch, truncation=True, max_length=MAX_TOKENS)["input_ids"])
        longest = max(max(map(len, batch)) for batch in batches)
        for batch in batches:
            ids = torch.tensor([[*row, *[tokenizer.pad_token_id] * (longest - len(row))] for row in batch])
            seen = ids != tokenizer.pad_token_id
            with torch.inference_mode():
                output = model(input_ids=ids, attention_mask=seen.long(), output_hidden_states=True)
                mask = seen.unsqueeze(-1)
                means.append(((output.last_hidden_state * mask).sum(1) / mask.sum(1)).numpy())
                parts.append((ids.numpy(), (output.hidden_states[-2] * mask).numpy()))
        ids = np.concatenate([p[0] for p in parts])
        tokens = np.concatenate([p[1] for p in parts])
        seen = ids != tokenizer.pad_token_id
        marks = np.isin(ids, [tokenizer.cls_token_id, tokenizer.sep_token_id])
        pieces = tuple(tuple(tokenizer.convert_ids_to_tokens(row[s].tolist())) for row, s in zip(ids, seen))
        pooled = self._alignment.texts(np.concatenate(means))
        return TextTokens(tokens, ids.astype(np.int64), seen & ~marks, seen, pooled, pieces)
