"""Transformers of texts from the user's folders, as transformers or sentence-transformers saved them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.encoders import MAX_CHARACTERS
from core.encoders.arithmetic import unit_rows
from core.encoders.sentences.folder import MAX_TOKENS, TOKENIZERS, read_folder
from core.encoders.text_batches import by_tokens
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.received import digest
from core.records import F32, I64

BATCH_TOKENS = 2048
"""Word pieces of a batch, padding included; a longer text is a batch alone."""


class SentenceEncoder:
    """Vectors of one transformer: finding space and joint space are one, since samples and phrases are both texts.

    Args:
        folder: config.json, model.safetensors and a tokenizer. A sentence-transformers folder defines its pooling;
            other folders get the mean over the tokens. No code from the folder is run.
    """

    modality = "text"
    logit_scale = 20.0
    """As sentence-transformers trains: cosines times 20 before the softmax over a batch."""
    batch_size = 128

    def __init__(self, folder: str) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise InvalidInput(f"Folder {folder!r} not found. Use sentences:FOLDER with a text transformer's folder.")
        self._parts = parts = read_folder(path)
        self._model = parts.model.model("AutoModel", unused="pooler")
        vocabulary = int(self._model.get_input_embeddings().weight.shape[0])
        self._tokenizer = parts.model.tokenizer(vocabulary, TOKENIZERS)
        self._map: tuple[F32, F32] | None = None
        weights = f"{digest(parts.model.weights)[:16]}-{_digest_of(parts.others)}"
        if parts.dense is not None:
            self._map = _read_linear(parts.dense, int(self._model.config.hidden_size))
            weights += f"-{digest(parts.dense)[:8]}"
        self._check_runs(path.name)
        self.name = f"sentences:{folder}"
        self.fingerprint = f"sentences-{weights}-{parts.pooling}-{parts.max_tokens}"
        if parts.lower:
            self.fingerprint += "-lower"
        self.finding_space = self.joint_space = f"sentences/{self.fingerprint}"
        self.description = (
            f"The transformer in {path.name}: {parts.pooling} pooling, the first {parts.max_tokens} word pieces."
        )
        bus, shares = self.encode_texts(["a red bus in the rain", "the price of shares fell"])
        if np.array_equal(bus, shares):
            raise InvalidInput(
                f"The text encoder in {path.name} gives two different texts the same vector: its weights are empty or "
                "damaged. Save model and tokenizer again with `save_pretrained(folder)`."
            )

    def preprocess(self, text: str) -> npt.NDArray[np.object_]:
        """() the text."""
        return np.array(text, object)

    def is_cut(self, text: str) -> bool:
        """Whether a sample is truncated."""
        return self.count_truncated([text]) > 0

    def encode_items(self, batch: npt.NDArray[np.object_]) -> tuple[F32, F32]:
        """(n, d) unit rows of (n,) texts, the same array twice."""
        vectors = self.encode_texts(batch.tolist())
        return vectors, vectors

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """(n, d) unit rows; a text is truncated to the model's limit of word pieces."""
        out = np.zeros((len(texts), int(self._model.config.hidden_size)), np.float32)
        for rows in self.text_batches(texts):
            tokens = self._tokens([texts[int(i)] for i in rows], return_tensors="pt", padding=True)
            with torch.inference_mode():
                states = self._model(**tokens).last_hidden_state.float()  # (b, t, d)
            out[rows] = _pooled(states, tokens["attention_mask"], self._parts.pooling).numpy()
        if self._map is not None:
            out = out @ self._map[0] + self._map[1]
        if not np.isfinite(out).all():
            raise InvalidInput(
                f"{self.name} gives vectors with NaN or infinity: its weights are damaged. Copy the folder again."
            )
        return unit_rows(out)

    def text_batches(self, texts: Sequence[str]) -> list[I64]:
        """Indices of the texts in batches of the transformer, shortest first."""
        if not texts:
            return []
        return by_tokens([len(ids) for ids in self._tokens(texts)["input_ids"]], BATCH_TOKENS)

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Count the texts with more word pieces than the model reads."""
        rows = self._tokenizer([t[:MAX_CHARACTERS] for t in texts], truncation=False, verbose=False)["input_ids"]
        return sum(len(ids) > self._parts.max_tokens for ids in rows)

    def _check_runs(self, name: str) -> None:
        """Refuse a folder whose parts load but do not work together, on a short text and one past every limit."""
        try:
            tokens = self._tokens(["one", "one two " * MAX_TOKENS], return_tensors="pt", padding=True)
            with torch.inference_mode():
                _ = self._model(**tokens).last_hidden_state
        except Exception as error:  # whatever transformers and torch meet
            raise InvalidInput(
                f"The text encoder in {name} does not run ({str(error)[:200] or type(error).__name__}). "
                "Save model and tokenizer again with `save_pretrained(folder)`."
            ) from error

    def _tokens(self, texts: Sequence[str], **how: Any) -> Any:
        short = [text[:MAX_CHARACTERS] for text in texts]
        if self._parts.lower:
            short = [text.lower() for text in short]
        return self._tokenizer(short, truncation=True, max_length=self._parts.max_tokens, **how)


def _pooled(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """(b, d) of (b, t, d) states under a (b, t) mask."""
    if pooling == "cls":
        return states[:, 0]
    shown = mask.unsqueeze(-1).bool()
    if pooling == "max":
        return states.masked_fill(~shown, -torch.inf).amax(1)
    return (states * shown).sum(1) / shown.sum(1).clamp(min=1)


def _read_linear(path: Path, width: int) -> tuple[F32, F32]:
    """(d, k) weights and (k,) offset of the map after the pooling."""
    try:
        tensors = read_tensors(path)
        weight = tensors["linear.weight"].float().numpy().T
        offset = tensors.get("linear.bias", torch.zeros(weight.shape[1])).float().numpy()
    except (InvalidInput, LookupError) as error:
        raise InvalidInput(
            f"The map in {path.parent.name} cannot be read ({str(error)[:120]}). Save it again."
        ) from None
    if weight.ndim != 2 or len(weight) != width or offset.shape != weight.shape[1:]:
        raise InvalidInput(
            f"The map in {path.parent.name} has shape {weight.T.shape}, but the model's vectors have {width} numbers. "
            "Save the whole model again."
        )
    return weight, offset


def _digest_of(paths: Sequence[Path]) -> str:
    """Hash several small files together."""
    return blake2b("".join(f"{path.name} {digest(path)} " for path in paths).encode(), digest_size=8).hexdigest()
