"""An open_clip text tower that takes vectors in place of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import torch

from core.encoders.open_clip.shared_start import run_behind
from core.encoders.prompts import CHECK_PROMPT, tokenizer_digest
from core.errors import InvalidInput
from core.records import I64

MAX_TOWER_GAP = 1e-3
"""Largest difference, in a number of a unit vector, between the model's vectors and those of its opened tower."""
MAX_PATH_GAP = 1e-5
"""Largest difference between two paths through the same tower."""


class OpenClipTower:
    """The text tower of an open_clip model: native CLIP, CustomTextCLIP with open_clip's TextTransformer (SigLIP too),
    or with a Hugging Face encoder. All its parameters are frozen.

    Raises:
        InvalidInput: the tower does not take word embeddings.
    """

    learning_rate = 0.002
    """Zhou et al. 2022, for CLIP."""
    epochs = None

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self._text: Any = getattr(model, "text", model)
        self._name = name
        self._tokenizer = tokenizer
        self._inner: Any = getattr(tokenizer, "tokenizer", None)  # a Hugging Face tokenizer
        self._hf = hasattr(self._text, "pooler") and hasattr(self._text, "config")
        self._require(getattr(self._text, "cls_emb", None) is None, "it adds a class token of its own (CoCa)")
        native = ("token_embedding", "positional_embedding", "transformer", "ln_final", "text_projection")
        self._require(self._hf or all(hasattr(self._text, a) for a in native), "its kind is unknown")
        known = self._inner is not None or hasattr(tokenizer, "sot_token_id")
        self._require(known, "its tokenizer's kind is unknown")
        model.requires_grad_(False)
        self._pool: str = getattr(self._text, "pool_type", getattr(self._text, "text_pool_type", "argmax"))
        self._eos: Any = getattr(self._text, "eos_id", getattr(self._text, "text_eos_id", None))
        self._mask: Any = getattr(self._text, "attn_mask", None)
        self.length = int(tokenizer.context_length)
        self.device: torch.device = next(model.parameters()).device
        self.placeholder = self.tokens("a")[0]
        self.tokenizer = tokenizer_digest(
            type(self._inner or tokenizer).__name__, self.tokens(CHECK_PROMPT), self.words()
        )
        self._check(model)

    def _require(self, holds: bool, why: str) -> None:
        if not holds:
            raise InvalidInput(
                f"Prompts cannot be learned on the text tower of {self._name}: {why}. Use a CLIP, SigLIP or LiT-like "
                "model, the encoder 'embedded', or a probe without learned prompts."
            )

    def _check(self, model: Any) -> None:
        ids = self._check_ids()
        whole: torch.Tensor = self._tokenizer([CHECK_PROMPT])
        same = ids.shape[1] <= whole.shape[1] and bool((whole[0, : ids.shape[1]] == torch.from_numpy(ids[0])).all())
        self._require(same, "its tokenizer orders marks and padding in an unknown way")
        with torch.no_grad():
            known = torch.nn.functional.normalize(model.encode_text(whole.to(self.device)).float(), dim=-1)
            on = torch.from_numpy(ids).to(self.device)
            gap = float((self.encode(self.embed(on), on) - known).abs().max())
        self._require(gap < MAX_TOWER_GAP, f"its vectors from word embeddings differ by {gap:.2g}")

    def _check_ids(self) -> I64:
        before, after = self.marks()
        return self.padded([[*before, *self.tokens(CHECK_PROMPT)[: self.length - len(before) - len(after)], *after]])

    def tokens(self, text: str) -> list[int]:
        """Ids of a text without marks, after the tokenizer's cleaning."""
        if self._inner is None:
            return list(self._tokenizer.encode(text))
        return list(self._inner(self._tokenizer.clean_fn(text), add_special_tokens=False, verbose=False)["input_ids"])

    def marks(self) -> tuple[list[int], list[int]]:
        """Ids before and after every text."""
        if self._inner is None:
            return [self._tokenizer.sot_token_id], [self._tokenizer.eot_token_id]
        bare = self.tokens("a")
        marked: list[int] = list(self._inner("a")["input_ids"])
        at = next((i for i in range(len(marked)) if marked[i : i + len(bare)] == bare), None)
        self._require(at is not None, "its tokenizer changes words when it adds marks")
        assert at is not None
        after = marked[at + len(bare) :]
        if getattr(self._tokenizer, "strip_sep_token", False):
            after = [0 if token == self._inner.sep_token_id else token for token in after]
        return marked[:at], after

    def padded(self, rows: Sequence[Sequence[int]]) -> I64:
        """(n, L) rows padded to the longest if a mask hides the tokens after the end, else to the context length."""
        length = max(len(row) for row in rows) if self.trims else self.length
        return np.array([[*row, *[self._pad] * (length - len(row))] for row in rows], np.int64)

    @property
    def trims(self) -> bool:
        """Whether a mask hides the tokens after a text's end."""
        return self._hf or (self._mask is not None and self._pool != "last")

    @property
    def _pad(self) -> int:
        return 0 if self._inner is None else int(self._inner.pad_token_id or 0)

    def used(self, ids: torch.Tensor) -> I64:
        """(n,) tokens of each row of (n, L) before its padding; if the end mark is the padding, with the first one."""
        length = ids.shape[1]
        more = int(self._pad in self.marks()[1])
        counts = torch.arange(1 + more, length + 1 + more, device=ids.device).clamp(max=length)
        return ((ids != self._pad) * counts).amax(1).cpu().numpy()

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(..., w) word embeddings."""
        return self._table(ids)

    @property
    def _table(self) -> Any:
        if self._hf:
            return self._text.transformer.get_input_embeddings()
        return self._text.token_embedding

    def encode(self, embeds: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """(n, d) unit rows of the joint space."""
        vectors = self._encode_hf(embeds, ids) if self._hf else self._encode_native(embeds, ids)
        return torch.nn.functional.normalize(vectors.float(), dim=-1)

    def _encode_hf(self, embeds: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        mask = (ids != self._text.config.pad_token_id).long()
        out = self._text.transformer(inputs_embeds=embeds, attention_mask=mask)
        return self._text.proj(self._text.pooler(out, mask))

    def _encode_native(self, embeds: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        length = embeds.shape[1]
        x = embeds + self._text.positional_embedding[:length]
        mask = None if self._mask is None else self._mask[:length, :length]
        return self._pooled(self._text.transformer(x, attn_mask=mask), ids)

    def encode_behind(
        self, start: torch.Tensor, rest: torch.Tensor, of: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        """Encode texts that begin alike, as `encode` does, if `shares_starts`: a start goes through the tower once.

        Args:
            start: (g, P, w) embeddings of g starts.
            rest: (n, R, w) embeddings after the start of each text.
            of: (n,) index of each text's start.
            ids: (n, P + R) of the whole texts.
        """
        positions = self._text.positional_embedding[: ids.shape[1]]
        first = start.shape[1]
        x = run_behind(self._text.transformer.resblocks, start + positions[:first], rest + positions[first:], of)
        return torch.nn.functional.normalize(self._pooled(x, ids).float(), dim=-1)

    @cached_property
    def shares_starts(self) -> bool:
        """Whether `encode_behind` agrees with `encode`: in open_clip's own towers with a causal mask."""
        if self._hf or not self.trims:
            return False
        ids = torch.from_numpy(self._check_ids()).to(self.device).expand(2, -1)
        try:
            with torch.no_grad():
                whole = self.embed(ids)
                of = torch.zeros(2, dtype=torch.long, device=self.device)
                vectors = self.encode_behind(whole[:1, :2], whole[:, 2:], of, ids)
                return float((vectors - self.encode(whole, ids)).abs().max()) < MAX_PATH_GAP
        except (AttributeError, TypeError, ValueError, RuntimeError):  # blocks of another kind
            return False

    def _pooled(self, x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """(n, d) of the states after the last block."""
        transformer: Any = import_module("open_clip.transformer")
        pooled = transformer.text_global_pool(self._text.ln_final(x), ids, self._pool, eos_token_id=self._eos)
        projection = self._text.text_projection
        if projection is None:
            return pooled
        if isinstance(projection, torch.nn.Linear):
            return projection(pooled)
        return pooled @ projection

    def words(self) -> torch.Tensor:
        """(V, w) embeddings of the vocabulary."""
        return self.embed(torch.arange(self._table.weight.shape[0], device=self.device)).detach()

    def spelled(self, token: int) -> str:
        """A token as text."""
        if self._inner is not None:
            return str(self._inner.decode([token])).strip()
        if token not in self._tokenizer.decoder:
            return ""
        return self._tokenizer.decode([token]).strip()
