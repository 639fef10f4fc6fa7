"""An open_clip text tower that takes vectors in place of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import torch

from core.encoders.open_clip.shared_start import run_behind
from core.encoders.prompts import CHECK, tokenizer_digest
from core.errors import InvalidInput
from core.records import I64

CLOSE = 1e-3
SAME = 1e-5
"""Differences of a number of a vector up to which a tower is known, and two ways through it are one."""


class OpenClipTower:
    """The text tower of an open_clip model: native CLIP, CustomTextCLIP with open_clip's TextTransformer (SigLIP too),
    or with a Hugging Face encoder. All its parameters are frozen.

    Raises:
        InvalidInput: the tower cannot be entered behind its word embeddings.
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
        self._require(self._hf or all(hasattr(self._text, a) for a in native), "it is of a kind that is not known here")
        known = self._inner is not None or hasattr(tokenizer, "sot_token_id")
        self._require(known, "its tokenizer is of a kind that is not known here")
        model.requires_grad_(False)
        self._pool: str = getattr(self._text, "pool_type", getattr(self._text, "text_pool_type", "argmax"))
        self._eos: Any = getattr(self._text, "eos_id", getattr(self._text, "text_eos_id", None))
        self._mask: Any = getattr(self._text, "attn_mask", None)
        self.length = int(tokenizer.context_length)
        self.device: torch.device = next(model.parameters()).device
        self.placeholder = self.tokens("a")[0]
        self.tokenizer = tokenizer_digest(type(self._inner or tokenizer).__name__, self.tokens(CHECK), self.words())
        self._check(model)

    def _require(self, holds: bool, why: str) -> None:
        if not holds:
            raise InvalidInput(
                f"Prompts cannot be learned on the text tower of {self._name}: {why}. Use a CLIP, SigLIP or LiT-like "
                "model, the encoder 'embedded', or a probe without learned prompts."
            )

    def _check(self, model: Any) -> None:
        ids = self._check_ids()
        whole: torch.Tensor = self._tokenizer([CHECK])
        same = ids.shape[1] <= whole.shape[1] and bool((whole[0, : ids.shape[1]] == torch.from_numpy(ids[0])).all())
        self._require(same, "its tokenizer orders marks and padding in an unknown way")
        with torch.no_grad():
            known = torch.nn.functional.normalize(model.encode_text(whole.to(self.device)).float(), dim=-1)
            on = torch.from_numpy(ids).to(self.device)
            gap = float((self.encode(self.embed(on), on) - known).abs().max())
        self._require(gap < CLOSE, f"entered behind its word embeddings it gives another vector (difference {gap:.2g})")

    def _check_ids(self) -> I64:
        before, after = self.marks()
        return self.padded([[*before, *self.tokens(CHECK)[: self.length - len(before) - len(after)], *after]])

    def tokens(self, text: str) -> list[int]:
        """Ids of a text without marks, cleaned as the tokenizer does."""
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
        """(n, L) rows filled up: to the longest one where a mask hides what follows the end, else to the context
        length."""
        length = max(len(row) for row in rows) if self.trims else self.length
        return np.array([[*row, *[self._pad] * (length - len(row))] for row in rows], np.int64)

    @property
    def trims(self) -> bool:
        """Whether a mask hides what follows a text's end."""
        return self._hf or (self._mask is not None and self._pool != "last")

    @property
    def _pad(self) -> int:
        return 0 if self._inner is None else int(self._inner.pad_token_id or 0)

    def used(self, ids: torch.Tensor) -> I64:
        """(n,) tokens of each row of (n, L) before its padding; where the end mark fills up, with the first one."""
        length = ids.shape[1]
        more = int(self._pad in self.marks()[1])
        places = torch.arange(1 + more, length + 1 + more, device=ids.device).clamp(max=length)
        return ((ids != self._pad) * places).amax(1).cpu().numpy()

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(..., w) word embeddings."""
        return self._table(ids)

    @property
    def _table(self) -> Any:
        return self._text.transformer.get_input_embeddings() if self._hf else self._text.token_embedding

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
        """`encode` of texts that begin alike, where `shares_starts`: the start goes through the tower once.

        Args:
            start: (g, P, w) embeddings of g starts.
            rest: (n, R, w) embeddings of what follows in each text.
            of: (n,) which start each text has.
            ids: (n, P + R) of the whole texts.
        """
        places = self._text.positional_embedding[: ids.shape[1]]
        first = start.shape[1]
        x = run_behind(self._text.transformer.resblocks, start + places[:first], rest + places[first:], of)
        return torch.nn.functional.normalize(self._pooled(x, ids).float(), dim=-1)

    @cached_property
    def shares_starts(self) -> bool:
        """Whether `encode_behind` says the same as `encode`: open_clip's own towers with a causal mask."""
        if self._hf or not self.trims:
            return False
        ids = torch.from_numpy(self._check_ids()).to(self.device).expand(2, -1)
        try:
            with torch.no_grad():
                whole = self.embed(ids)
                of = torch.zeros(2, dtype=torch.long, device=self.device)
                found = self.encode_behind(whole[:1, :2], whole[:, 2:], of, ids)
                return float((found - self.encode(whole, ids)).abs().max()) < SAME
        except (AttributeError, TypeError, ValueError, RuntimeError):  # blocks of another kind
            return False

    def _pooled(self, x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """(n, d) of the states after the last block."""
        transformer: Any = import_module("open_clip.transformer")
        pooled = transformer.text_global_pool(self._text.ln_final(x), ids, self._pool, eos_token_id=self._eos)
        projection = self._text.text_projection
        if projection is None:
            return pooled
        return projection(pooled) if isinstance(projection, torch.nn.Linear) else pooled @ projection

    def words(self) -> torch.Tensor:
        """(V, w) embeddings of the vocabulary."""
        return self.embed(torch.arange(self._table.weight.shape[0], device=self.device)).detach()

    def spelled(self, token: int) -> str:
        """A token as text."""
        if self._inner is not None:
            return str(self._inner.decode([token])).strip()
        return self._tokenizer.decode([token]).strip() if token in self._tokenizer.decoder else ""
