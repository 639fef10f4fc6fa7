"""MiniLM sentence vectors, the embedded encoder's text tower, in onnxruntime without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from core.encoders.embedded.lite0_runtime import usable_cores
from core.encoders.embedded.minilm_graph import WIDTH, onnx_model
from core.encoders.embedded.minilm_tokens import MAX_TOKENS, shortened, tokens_of
from core.encoders.embedded.weights import minilm_weights
from core.records import F32

_BATCH_TEXTS = 32
"""Texts of one length in a batch."""

Sentences = Callable[[Sequence[str], int], F32]


@cache
def load_tower() -> Sentences:
    """Load the function behind `embed_sentences`, once."""
    try:
        return onnx_tower()
    except ImportError:
        from core.encoders.embedded.minilm_torch import embed_sentences

        return embed_sentences


def onnx_tower() -> Sentences:
    """Build the network in onnxruntime, float32.

    A batch has at most `_BATCH_TEXTS` texts of one length in tokens and runs on one thread. Without padding, a text's
    vector is the same to the last bit for any other texts.
    """
    onnxruntime: Any = import_module("onnxruntime")
    weights = minilm_weights()
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(
        onnx_model(weights).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    words = weights["embeddings.word_embeddings.weight"]
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="minilm")

    def run(texts: Sequence[str], most: int) -> F32:
        ids = [shortened(row, most) for row in tokens_of(texts)]
        out = np.zeros((len(texts), WIDTH), np.float32)

        def run_batch(rows: list[int]) -> None:
            embeddings = words[np.array([ids[i] for i in rows])] + positions[: len(ids[rows[0]])]
            out[rows] = session.run(["states"], {"embeddings": embeddings})[0].mean(1)

        of_length: dict[int, list[int]] = {}
        for i, row in enumerate(ids):
            of_length.setdefault(len(row), []).append(i)
        batches: list[list[int]] = []
        for rows in of_length.values():
            batches += [rows[start : start + _BATCH_TEXTS] for start in range(0, len(rows), _BATCH_TEXTS)]
        list(pool.map(run_batch, batches))
        return out

    return run


def embed_sentences(texts: Sequence[str], most: int = MAX_TOKENS) -> F32:
    """(n, 384) means over the last layer's tokens, of any length, in the order of `texts`, each truncated to `most`
    tokens."""
    return load_tower()(texts, most)
