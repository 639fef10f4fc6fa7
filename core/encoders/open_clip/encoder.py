"""Any open_clip model as an encoder. Finding and naming share its one image-text space."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from core.encoders.arithmetic import unit_rows
from core.encoders.batches import in_full_batches
from core.encoders.open_clip.load import device, load
from core.encoders.open_clip.prompt_tower import OpenClipTower
from core.encoders.open_clip.source import parse_source
from core.encoders.prompts import PromptTower
from core.records import F32

if TYPE_CHECKING:
    from core.encoders.tokens import TokenTower


class OpenClipEncoder:
    """A CLIP-like model in float32, on the GPU if there is one.

    Args:
        model: see `core.encoders.load_encoder`.
        quick_gelu: force QuickGELU or plain GELU where the checkpoint does not say; None takes what the source says.
    """

    modality = "image"

    def __init__(self, model: str, quick_gelu: bool | None = None) -> None:
        loaded = load(parse_source(model), quick_gelu)
        self._device = device()
        self._model = loaded.model.to(self._device)
        self._transform, self._tokenizer = loaded.preprocess, loaded.tokenizer
        self.name = f"open_clip:{model}"
        self.batch_size = 64 if self._device.type == "cuda" else 8
        self.fingerprint = self._hash()
        self.description = f"The open_clip model {model}: images and texts in one space."
        self.finding_space = self.joint_space = f"open_clip/{self.fingerprint[:12]}"
        self.logit_scale = float(self._model.logit_scale.detach().float().exp().reshape(-1)[0])

    def _hash(self) -> str:
        """Over every weight, the architecture (activations included) and the preprocessing, wherever they came from."""
        digest = hashlib.sha256(f"{self._model}{self._transform}".encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
        return digest.hexdigest()[:32]

    def preprocess(self, image: Image.Image) -> F32:
        """(3, height, width) as the model's own transform makes it."""
        pixels: Any = self._transform(image)
        return pixels.numpy()

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        """(n, d) unit rows, the same array twice."""
        vectors = self._in_batches(torch.from_numpy(batch), self._model.encode_image)
        return vectors, vectors

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """(n, d) unit rows. Prompts past the context length are cut: see `count_truncated`."""
        return self._in_batches(self._tokenizer(list(texts)), self._model.encode_text)

    def _in_batches(self, rows: torch.Tensor, encode: Any) -> F32:
        """(n, d) unit rows; see `in_full_batches`."""

        def run(batch: torch.Tensor) -> tuple[torch.Tensor]:
            return (encode(batch),)

        return unit_rows(in_full_batches(rows, self.batch_size, self._device, run)[0])

    def count_truncated(self, texts: Sequence[str]) -> int:
        """How many of `texts` have more tokens than the context length."""
        inner = getattr(self._tokenizer, "tokenizer", None)
        if inner is not None:  # a Hugging Face tokenizer, which adds its own marks
            lengths = [len(ids) for ids in inner(list(texts), truncation=False, verbose=False)["input_ids"]]
        else:
            lengths = [len(self._tokenizer.encode(text)) + 2 for text in texts]  # start and end marks
        return sum(length > self._tokenizer.context_length for length in lengths)

    def prompt_tower(self) -> PromptTower:
        """The text tower behind its word embeddings, for prompts that are learned.

        Raises:
            InvalidInput: this tower cannot be entered there.
        """
        return OpenClipTower(self._model, self._tokenizer, self.name)

    def token_tower(self) -> TokenTower:
        """Both towers opened before their last blocks, for small modules that are trained on their tokens.

        Raises:
            InvalidInput: a tower cannot be opened there.
        """
        from core.encoders.open_clip.token_tower import OpenClipTokenTower

        return OpenClipTokenTower(self, self._model, self._tokenizer)
