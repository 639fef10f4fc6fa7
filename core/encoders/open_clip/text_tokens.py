"""An open_clip text tower opened before its last block: native, CustomTextCLIP, or a Hugging Face encoder."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from core.encoders.arithmetic import unit_rows
from core.encoders.batches import in_full_batches
from core.encoders.open_clip.image_tokens import prune_unused
from core.encoders.open_clip.prompt_tower import MAX_TOWER_GAP, OpenClipTower
from core.encoders.prompts import CHECK_PROMPT
from core.encoders.tokens import TextTokens
from core.errors import InvalidInput
from core.records import I64, Bool

_LENGTH_STEP = 8
"""Texts are padded to a multiple of this many tokens: a text's length does not depend on the others, and little is
padded."""


class LateNative(nn.Module):
    """The last block, norm, pooling and projection of open_clip's own text transformer."""

    def __init__(
        self, block: Any, norm: Any, projection: Any, mask: torch.Tensor | None, pool: str, eos: int | None
    ) -> None:
        super().__init__()
        self.block = block
        self.norm = norm
        self.projection = projection
        self.register_buffer("mask", mask, persistent=False)
        self._pool = pool
        self._eos = eos

    def forward(self, tokens: torch.Tensor, ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(m, d) unit rows. `seen` is unused: a causal mask hides padding, or the tower was trained to see padding."""
        transformer: Any = import_module("open_clip.transformer")
        length = tokens.shape[1]
        mask: Any = self.mask
        if mask is not None:
            mask = mask[:length, :length]
        x = self.norm(self.block(tokens, attn_mask=mask))
        pooled = transformer.text_global_pool(x, ids, self._pool, eos_token_id=self._eos)
        if isinstance(self.projection, nn.Module):
            pooled = self.projection(pooled)
        elif self.projection is not None:
            pooled = pooled @ self.projection
        return normalize(pooled.float(), dim=-1)


class _Through(nn.Module):
    """Replaces an encoder's embeddings: returns its input states."""

    def forward(self, *args: Any, **options: Any) -> torch.Tensor:
        return next(v for v in (*args, *options.values()) if isinstance(v, torch.Tensor) and v.is_floating_point())


class LateHuggingFace(nn.Module):
    """The last layer, pooling and projection of a Hugging Face text encoder, run by its own code without the earlier
    layers."""

    def __init__(self, text: Any) -> None:
        super().__init__()
        encoder = text.transformer
        stacks = [(name, module) for name, module in encoder.named_modules() if isinstance(module, nn.ModuleList)]
        path, layers = max(stacks, key=lambda stack: len(stack[1]))
        spared: dict[int, Any] = {id(layer): nn.Identity() for layer in layers[:-1]}
        spared[id(encoder.embeddings)] = _Through()
        self.encoder = copy.deepcopy(encoder, spared)
        above, _, name = path.rpartition(".")
        setattr(self.encoder.get_submodule(above), name, nn.ModuleList([self.encoder.get_submodule(path)[-1]]))
        self.pooler = copy.deepcopy(text.pooler)
        self.projection = copy.deepcopy(text.proj)

    def forward(self, tokens: torch.Tensor, ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(m, d) unit rows; `ids` are unused."""
        mask = seen.long()
        pooled = self.pooler(self.encoder(inputs_embeds=tokens, attention_mask=mask), mask)
        return normalize(self.projection(pooled).float(), dim=-1)


class TextSide(OpenClipTower):
    """A frozen text tower that gives its tokens and its vector in one pass.

    Raises:
        InvalidInput: the tower cannot be opened before its last block.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str, batch_size: int) -> None:
        super().__init__(model, tokenizer, name)
        self._batch_size = batch_size
        self._reads_padding = self.padded([[0]]).shape[1] > 1
        self._tail = None if self._hf else self._native_tail()
        try:
            gap = self._late_gap()
        except (AttributeError, TypeError, ValueError, IndexError, RuntimeError, StopIteration) as error:
            self._require(False, f"its last block was not found ({type(error).__name__}: {error})")
            raise  # never reached: _require has raised
        self._require(gap < MAX_TOWER_GAP, f"its vectors from the last block differ by {gap:.2g}")

    def _require(self, holds: bool, why: str) -> None:
        if not holds:
            raise InvalidInput(
                f"The text tower of {self._name} cannot be opened for token features: {why}. "
                "Use a CLIP, SigLIP or LiT-like model with a BERT-like "
                "text encoder, the encoder 'embedded', or an adapter that needs only pooled vectors (linear)."
            )

    def _native_tail(self) -> LateNative:
        text = self._text
        block = text.transformer.resblocks[-1]
        return LateNative(block, text.ln_final, text.text_projection, self._mask, self._pool, self._eos)

    def _late_gap(self) -> float:
        texts = self.read([CHECK_PROMPT, "a"])
        with torch.no_grad():
            inputs = (torch.from_numpy(array).to(self.device) for array in (texts.tokens, texts.ids, texts.seen))
            again = self.late()(*inputs)
        return float(np.abs(again.cpu().numpy() - texts.pooled).max())

    def late(self) -> nn.Module:
        """A trainable copy of the layers after the tokens: (tokens (m, T, dt), ids (m, T), seen (m, T)) -> (m, d) unit
        rows."""
        late = LateHuggingFace(self._text) if self._tail is None else copy.deepcopy(self._tail)
        late.requires_grad_(True)
        ids = torch.from_numpy(self._rows(self._cut([CHECK_PROMPT]), self.length)[0]).to(self.device)
        with torch.no_grad():
            tokens, _ = self._states(ids)
        prune_unused(late, (tokens, ids, self._mask_of(ids)))
        return late

    def read(self, texts: Sequence[str]) -> TextTokens:
        """Tokens before the last block. A tower trained to see padding (SigLIP) keeps the states of its padding; others
        have 0 there."""
        cut = self._cut(texts)
        sizes = [len(row) for row in cut]
        if self._reads_padding:
            sizes = [self.length] * len(cut)
        lengths = [min(self.length, -(-size // _LENGTH_STEP) * _LENGTH_STEP) for size in sizes]
        longest = self.length if self._reads_padding else max(sizes, default=0)
        width, joint = self._widths()
        ids, seen, words = self._rows(cut, longest)
        tokens = np.zeros((len(cut), longest, width), np.float32)
        pooled = np.zeros((len(cut), joint), np.float32)
        for length in sorted(set(lengths)):
            group = [i for i, text_length in enumerate(lengths) if text_length == length]
            padded = torch.from_numpy(self._rows([cut[i] for i in group], length)[0])
            states, vectors = in_full_batches(padded, self._batch_size, self.device, self._states)
            tokens[group, : min(length, longest)] = states[:, :longest]
            pooled[group] = unit_rows(vectors)
        if not self._reads_padding:
            tokens *= seen[..., None]
        return TextTokens(tokens, ids, words, seen, pooled, tuple(self._spelled(row) for row in cut))

    def _cut(self, texts: Sequence[str]) -> list[list[int]]:
        before, after = self.marks()
        room = self.length - len(before) - len(after)
        return [[*before, *self.tokens(text)[:room], *after] for text in texts]

    def _rows(self, rows: Sequence[Sequence[int]], length: int) -> tuple[I64, Bool, Bool]:
        """(m, length) ids, True where they are not padding, and True on tokens of the text without marks."""
        before, after = self.marks()
        ids = np.array([[*row, *[self._pad] * (length - len(row))] for row in rows], np.int64).reshape(
            len(rows), length
        )
        position = np.arange(length)
        size = np.array([len(row) for row in rows], np.int64)[:, None]
        return ids, position < size, (position >= len(before)) & (position < size - len(after))

    def _mask_of(self, ids: torch.Tensor) -> torch.Tensor:
        if self._hf:
            return ids != self._text.config.pad_token_id
        return torch.ones_like(ids, dtype=torch.bool)

    def _states(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """((m, T, dt) states before the last block, (m, d) vectors)."""
        if self._hf:
            mask = self._mask_of(ids).long()
            out = self._text.transformer(input_ids=ids, attention_mask=mask, output_hidden_states=True)
            return out.hidden_states[-2], self._text.proj(self._text.pooler(out, mask))
        length = ids.shape[1]
        x = self.embed(ids) + self._text.positional_embedding[:length]
        mask = None if self._mask is None else self._mask[:length, :length]
        for block in self._text.transformer.resblocks[:-1]:
            x = block(x, attn_mask=mask)
        assert self._tail is not None
        return x, self._tail(x, ids, self._mask_of(ids))

    def _widths(self) -> tuple[int, int]:
        """(dt, d)."""
        with torch.no_grad():
            ids = torch.from_numpy(self._rows(self._cut(["a"]), self.length)[0])
            tokens, vectors = self._states(ids.to(self.device))
        return tokens.shape[-1], vectors.shape[-1]

    def _spelled(self, row: Sequence[int]) -> tuple[str, ...]:
        if self._inner is not None:
            return tuple(str(piece) for piece in self._inner.convert_ids_to_tokens(list(row)))
        return tuple(self.spelled(token) for token in row)
