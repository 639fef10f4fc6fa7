"""Any open_clip model as an encoder, with one image-text space for finding and naming."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from core.encoders.arithmetic import unit_rows
from core.encoders.batches import chosen_device, in_full_batches
from core.encoders.open_clip.load import load
from core.encoders.open_clip.prompt_tower import OpenClipTower
from core.encoders.open_clip.source import parse_source
from core.encoders.prompts import PromptTower
from core.encoders.text_batches import by_tokens
from core.errors import InvalidInput
from core.records import F32, I64

if TYPE_CHECKING:
    from core.encoders.tokens import TokenTower


TOKENS_PER_IMAGE = 64
"""Tokens of texts in a batch for each image of an image batch: 512 on the CPU, where more are not faster, and 4,096 on
a GPU."""
SETTINGS_OUTSIDE_WEIGHTS = (
    *("eps", "num_heads", "num_attention_heads", "approximate", "pool_type", "text_pool_type", "eos_id"),
    *("text_eos_id", "attn_mask", "final_ln_after_pool", "pad_id", "pad_token_id"),
)
"""Attributes of a network's parts and their configs that change its vectors but are not among its weights."""
TOKENIZER_TEXTS = ("a photo of a Red dog, (2) &amp; more!", "")
"""Texts whose tokens show how a tokenizer cleans, marks and pads."""


class OpenClipEncoder:
    """A CLIP-like model in float32, on the GPU if available.

    Args:
        model: see `core.encoders.load_encoder`.
        quick_gelu: force QuickGELU (True) or plain GELU (False); None follows the source.
    """

    modality = "image"

    def __init__(self, model: str, quick_gelu: bool | None = None) -> None:
        loaded = load(parse_source(model), quick_gelu)
        self._device = chosen_device()
        self._model = loaded.model.to(self._device)
        self._transform = loaded.preprocess
        self._tokenizer = loaded.tokenizer
        self.name = f"open_clip:{model}"
        self.batch_size = 64 if self._device.type == "cuda" else 8
        self.fingerprint = self._hash()
        self.description = f"The open_clip model {model}: images and texts in one space."
        self.finding_space = self.joint_space = f"open_clip/{self.fingerprint[:12]}"
        self.logit_scale = float(self._model.logit_scale.detach().float().exp().reshape(-1)[0])

    def _hash(self) -> str:
        """Hash every weight, the kinds of the network's parts (activations included), the tokens of two texts, and two
        drawn images after preprocessing: the same weights have the same fingerprint under any name."""
        digest = hashlib.sha256()
        for name, part in self._model.named_modules():
            settings = dict[str, Any]()
            for owner in (part, getattr(part, "config", None)):
                for key in SETTINGS_OUTSIDE_WEIGHTS:
                    if hasattr(owner, key):
                        settings[key] = _stable_setting(getattr(owner, key))
            digest.update(f"{name} {type(part).__name__} {settings}".encode())
        digest.update(self._tokenizer(list(TOKENIZER_TEXTS)).numpy().tobytes())
        for size in ((37, 53), (640, 400)):
            x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
            drawn = np.stack([x * 7 % 256, y * 5 % 256, (x // 9 + y // 7) % 2 * 255], 2)  # slopes and edges
            digest.update(self.preprocess(Image.fromarray(drawn.astype(np.uint8))).tobytes())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
        return digest.hexdigest()[:32]

    def preprocess(self, image: Image.Image) -> F32:
        """(3, height, width) from the model's own transform."""
        pixels: Any = self._transform(image)
        return pixels.numpy()

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        """(n, d) unit rows, the same array twice."""
        vectors = self.in_batches(torch.from_numpy(batch), self._model.encode_image)
        return vectors, vectors

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """(n, d) unit rows. Prompts past the context length are truncated: see `count_truncated`.

        Where a mask hides the tokens after a text's end, texts of about one length share a batch, padded to its longest
        text instead of the whole context. The batch changes a vector's direction by less than 1e-6; measured in
        docs/evidence/cost.md.
        """
        tokens: torch.Tensor = self._tokenizer(list(texts))
        tower = self._short_tower
        if tower is None or not len(tokens):
            return self.in_batches(tokens, self._model.encode_text)

        def read(ids: torch.Tensor) -> torch.Tensor:
            return tower.encode(tower.embed(ids), ids)

        lengths = self._needed_tokens(tokens)
        batches = by_tokens(lengths, TOKENS_PER_IMAGE * self.batch_size)
        parts = [self.in_batches(tokens[rows, : lengths[rows[-1]]], read, len(rows)) for rows in batches]
        return np.concatenate(parts)[np.argsort(np.concatenate(batches))]

    def text_batches(self, texts: Sequence[str]) -> list[I64]:
        """Indices of the texts in batches of the tower, shortest first."""
        lengths = self._needed_tokens(self._tokenizer(list(texts)))
        return by_tokens(lengths, TOKENS_PER_IMAGE * self.batch_size)

    def _needed_tokens(self, tokens: torch.Tensor) -> I64:
        """(n,) tokens of each text that the tower needs; `TOKENS_PER_IMAGE` if it needs its whole context, so that
        `batch_size` texts make a batch."""
        if self._short_tower is None:
            return np.full(len(tokens), TOKENS_PER_IMAGE, np.int64)
        return np.maximum(self._short_tower.used(tokens), 1)

    @cached_property
    def _short_tower(self) -> OpenClipTower | None:
        """The text tower, if fewer tokens than its context give the same vector; else None."""
        try:
            tower = OpenClipTower(self._model, self._tokenizer, self.name)
        except InvalidInput:  # a kind that cannot be entered behind its word embeddings
            return None
        return tower if tower.trims else None

    def in_batches(self, rows: torch.Tensor, encode: Any, size: int | None = None) -> F32:
        """(n, d) unit rows, in batches of `size` or the encoder's `batch_size`; see `in_full_batches`.

        Raises:
            InvalidInput: a vector is not finite.
        """

        def run(batch: torch.Tensor) -> tuple[torch.Tensor]:
            return (encode(batch),)

        vectors = in_full_batches(rows, size or self.batch_size, self._device, run)[0]
        if not np.isfinite(vectors).all():
            raise InvalidInput(
                f"{self.name} gives vectors with NaN or infinity: its weights are damaged. Copy them again."
            )
        return unit_rows(vectors)

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Count the texts with more tokens than the context length."""
        inner = getattr(self._tokenizer, "tokenizer", None)
        if inner is not None:  # a Hugging Face tokenizer, which adds its own marks
            lengths = [len(ids) for ids in inner(list(texts), truncation=False, verbose=False)["input_ids"]]
        else:
            lengths = [len(self._tokenizer.encode(text)) + 2 for text in texts]  # start and end marks
        return sum(length > self._tokenizer.context_length for length in lengths)

    def prompt_tower(self) -> PromptTower:
        """Open the text tower behind its word embeddings, for learned prompts.

        Raises:
            InvalidInput: word embeddings cannot be its input.
        """
        return OpenClipTower(self._model, self._tokenizer, self.name)

    def token_tower(self) -> TokenTower:
        """Open both towers before their last blocks, for small modules trained on their tokens.

        Raises:
            InvalidInput: a tower cannot be opened there.
        """
        from core.encoders.open_clip.token_tower import OpenClipTokenTower

        return OpenClipTokenTower(self, self._model, self._tokenizer)


def _stable_setting(value: Any) -> Any:
    """A setting whose text is the same in every process: True for a mask, False for None."""
    if value is None:
        return False
    return True if isinstance(value, torch.Tensor) else value
