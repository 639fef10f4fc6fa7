"""MiniLM sentence vectors: the text tower behind the embedded encoder, run by onnxruntime, without torch."""

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

_AT_ONCE = 32
"""Texts of one length that are run together."""

Sentences = Callable[[Sequence[str], int], F32]


@cache
def load_tower() -> Sentences:
    """`embed_sentences`, ready to run: loaded once."""
    try:
        return onnx_tower()
    except ImportError:
        from core.encoders.embedded.minilm_torch import embed_sentences

        return embed_sentences


def onnx_tower() -> Sentences:
    """The network in onnxruntime, float32.

    Texts of one length in tokens are run together, `_AT_ONCE` at a time on one thread. Nothing is padded, so a text's
    vector is the same to the last bit whatever else is asked for.
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
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="minilm")

    def run(texts: Sequence[str], most: int) -> F32:
        ids = [shortened(found, most) for found in tokens_of(texts)]
        out = np.zeros((len(texts), WIDTH), np.float32)

        def some(rows: list[int]) -> None:
            embeddings = words[np.array([ids[i] for i in rows])] + places[: len(ids[rows[0]])]
            out[rows] = session.run(["states"], {"embeddings": embeddings})[0].mean(1)

        of_length: dict[int, list[int]] = {}
        for i, row in enumerate(ids):
            of_length.setdefault(len(row), []).append(i)
        chunks = [r[start : start + _AT_ONCE] for r in of_length.values() for start in range(0, len(r), _AT_ONCE)]
        list(pool.map(some, chunks))
        return out

    return run


def embed_sentences(texts: Sequence[str], most: int = MAX_TOKENS) -> F32:
    """(n, 384) means over the last layer's tokens, not yet of unit length, in the order of `texts`; a text is cut after
    `most` tokens."""
    return load_tower()(texts, most)
