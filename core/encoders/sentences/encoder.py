"""Transformers of texts from folders of the user's: what transformers or sentence-transformers saved."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.encoders import CHARACTERS_READ
from core.encoders.arithmetic import unit_rows
from core.encoders.sentences.folder import MAX_TOKENS, TOKENIZERS, read_folder
from core.encoders.text_batches import by_tokens
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.received import digest
from core.records import F32, I64

TOKENS = 2048
"""Word pieces that go through the transformer at a time, but at least one text's."""


class SentenceEncoder:
    """Vectors of one transformer: finding space and joint space are one, since samples and phrases are both texts.

    Args:
        folder: config.json, model.safetensors and a tokenizer; a sentence-transformers folder says its pooling, of
            another the mean over the tokens is taken. Nothing of it is run as code.
    """

    modality = "text"
    logit_scale = 20.0
    """As sentence-transformers trains: cosines times 20 before the softmax over a batch."""
    batch_size = 128

    def __init__(self, folder: str) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise InvalidInput(
                f"There is no folder {folder!r}. Give the folder of a text transformer as sentences:FOLDER."
            )
        self._parts = parts = read_folder(path)
        self._model = parts.model.model("AutoModel", unused="pooler")
        known = int(self._model.get_input_embeddings().weight.shape[0])
        self._tokenizer = parts.model.tokenizer(known, TOKENIZERS)
        self._map = None if parts.dense is None else _linear(parts.dense, int(self._model.config.hidden_size))
        self._check_runs(path.name)
        weights = f"{digest(parts.model.weights)[:16]}-{_digest_of(parts.others)}" + (
            "" if parts.dense is None else f"-{digest(parts.dense)[:8]}"
        )
        self.name = f"sentences:{folder}"
        self.fingerprint = f"sentences-{weights}-{parts.pooling}-{parts.max_tokens}{'-lower' if parts.lower else ''}"
        self.finding_space = self.joint_space = f"sentences/{self.fingerprint}"
        self.description = (
            f"The transformer in {path.name}: {parts.pooling} pooling, the first {parts.max_tokens} word pieces."
        )
        one, other = self.encode_texts(["a red bus in the rain", "the price of shares fell"])
        if np.array_equal(one, other):
            raise InvalidInput(
                f"The text encoder in {path.name} gives two different texts the same vector, so it tells nothing "
                "apart: its weights are empty or damaged. Save model and tokenizer anew with `save_pretrained(folder)`."
            )

    def preprocess(self, text: str) -> npt.NDArray[np.object_]:
        """() the text."""
        return np.array(text, object)

    def is_cut(self, text: str) -> bool:
        """Whether a sample loses its end."""
        return self.count_truncated([text]) > 0

    def encode_items(self, batch: npt.NDArray[np.object_]) -> tuple[F32, F32]:
        """(n, d) unit rows of (n,) texts, the same array twice."""
        found = self.encode_texts(batch.tolist())
        return found, found

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """(n, d) unit rows; a text is cut after the model's own limit of word pieces."""
        out = np.zeros((len(texts), int(self._model.config.hidden_size)), np.float32)
        for rows in self.text_batches(texts):
            tokens = self._tokens([texts[int(i)] for i in rows], return_tensors="pt", padding=True)
            with torch.inference_mode():
                states = self._model(**tokens).last_hidden_state.float()  # (b, t, d)
            out[rows] = _pooled(states, tokens["attention_mask"], self._parts.pooling).numpy()
        out = out if self._map is None else out @ self._map[0] + self._map[1]
        if not np.isfinite(out).all():
            raise InvalidInput(
                f"{self.name} gives vectors that are not finite: its weights are damaged. Bring weights without nan."
            )
        return unit_rows(out)

    def text_batches(self, texts: Sequence[str]) -> list[I64]:
        """Places of the texts as they go through the transformer together, shortest first."""
        return by_tokens([len(ids) for ids in self._tokens(texts)["input_ids"]] if texts else [], TOKENS)

    def count_truncated(self, texts: Sequence[str]) -> int:
        """How many of `texts` have more word pieces than the model reads."""
        found = self._tokenizer([t[:CHARACTERS_READ] for t in texts], truncation=False, verbose=False)["input_ids"]
        return sum(len(ids) > self._parts.max_tokens for ids in found)

    def _check_runs(self, name: str) -> None:
        """Refuse a folder whose parts load and do not work together, by a short text beside one past every limit."""
        try:
            tokens = self._tokens(["one", "one two " * MAX_TOKENS], return_tensors="pt", padding=True)
            with torch.inference_mode():
                _ = self._model(**tokens).last_hidden_state
        except Exception as error:  # whatever transformers and torch meet
            raise InvalidInput(
                f"The text encoder in {name} does not run ({str(error)[:200] or type(error).__name__}). "
                "Save model and tokenizer anew with `save_pretrained(folder)`."
            ) from error

    def _tokens(self, texts: Sequence[str], **how: Any) -> Any:
        said = [text[:CHARACTERS_READ].lower() if self._parts.lower else text[:CHARACTERS_READ] for text in texts]
        return self._tokenizer(said, truncation=True, max_length=self._parts.max_tokens, **how)


def _pooled(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """(b, d) of (b, t, d) states under a (b, t) mask."""
    if pooling == "cls":
        return states[:, 0]
    shown = mask.unsqueeze(-1).bool()
    if pooling == "max":
        return states.masked_fill(~shown, -torch.inf).amax(1)
    return (states * shown).sum(1) / shown.sum(1).clamp(min=1)


def _linear(path: Path, width: int) -> tuple[F32, F32]:
    """(d, k) weights and (k,) offset of the map after the pooling."""
    try:
        found = read_tensors(path)
        weight = found["linear.weight"].float().numpy().T
        offset = found.get("linear.bias", torch.zeros(weight.shape[1])).float().numpy()
    except (InvalidInput, LookupError) as error:
        raise InvalidInput(
            f"The map in {path.parent.name} cannot be read ({str(error)[:120]}). Save it anew."
        ) from None
    if weight.ndim != 2 or len(weight) != width or offset.shape != weight.shape[1:]:
        raise InvalidInput(
            f"The map in {path.parent.name} is of shape {weight.T.shape} and the model's vectors have {width} numbers: "
            "they do not belong together. Save the model anew."
        )
    return weight, offset


def _digest_of(paths: Sequence[Path]) -> str:
    """Of several small files together."""
    return blake2b("".join(f"{path.name} {digest(path)} " for path in paths).encode(), digest_size=8).hexdigest()
