"""MiniLM in torch and transformers: for learned prompts and modules trained on tokens, which need gradients, and for
machines without onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

from core.encoders import MAX_CHARACTERS
from core.encoders.batches import by_length
from core.encoders.embedded.minilm_tokens import MAX_TOKENS
from core.encoders.embedded.weights import minilm_folder
from core.encoders.quiet import quiet_transformers
from core.records import F32

_BATCH_TEXTS = 128


@cache
def load_tower() -> tuple[Any, Any]:
    """Load the model in evaluation mode and its tokenizer, once."""
    folder = str(minilm_folder())
    with quiet_transformers() as transformers:  # it would warn of the unused pooler's weights
        model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return model.eval(), tokenizer


def embed_sentences(texts: Sequence[str], most: int = MAX_TOKENS) -> F32:
    """(n, 384) means over the last layer's tokens, of any length, in the order of `texts`."""
    model, tokenizer = load_tower()
    out = np.zeros((len(texts), 384), np.float32)
    for rows in by_length(texts, _BATCH_TEXTS):
        shown = [texts[i][:MAX_CHARACTERS] for i in rows]
        tokens = tokenizer(shown, padding=True, truncation=True, max_length=most, return_tensors="pt")
        with torch.inference_mode():
            output = model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
            # (b, t, 384), (b, t, 1)
            hidden = output.last_hidden_state
            mask = tokens.attention_mask.unsqueeze(-1)
            out[rows] = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
    return out
