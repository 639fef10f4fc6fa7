"""Tiny BERT folders with random weights and a vocabulary of whole words, as transformers writes them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

transformers: Any = import_module("transformers")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
COLOURS = ["red", "green", "blue", "yellow", "black", "white", "orange", "purple"]
THINGS = ["dog", "cat", "frog", "horse", "house", "tree", "boat", "train", "lamp", "chair"]
WORDS = [*SPECIAL, "a", "the", "on", "##s", "##ly", *COLOURS, *THINGS]
SIZES = {"hidden_size": 24, "num_hidden_layers": 6, "num_attention_heads": 3, "intermediate_size": 48}


def write_bert(folder: Path, head: str = "BertModel", *, words: list[str] = WORDS, **config: Any) -> Path:
    """A folder of a model with that head; `config` is over SIZES."""
    torch.manual_seed(3)
    said = transformers.BertConfig(
        vocab_size=len(WORDS), max_position_embeddings=32, initializer_range=0.3, **{**SIZES, **config}
    )
    getattr(transformers, head)(said).save_pretrained(folder)
    vocabulary = {word: i for i, word in enumerate(words)}
    transformers.BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)
    return folder


def some_texts(n: int, seed: int = 0) -> list[str]:
    """Different short texts of its words, of several lengths."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < n:
        thing = f"a {rng.choice(COLOURS)} {rng.choice(THINGS)}"
        found[thing if rng.random() < 0.5 else f"{thing} on the {rng.choice(COLOURS)} {rng.choice(THINGS)}s"] = None
    return list(found)


def write_texts(path: Path, texts: list[str]) -> Path:
    path.write_text("text,other\n" + "".join(f"{text},1\n" for text in texts), "utf-8")
    return path
