"""Tiny language models with random weights and a byte-level vocabulary in which some words are one token."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch

transformers: Any = import_module("transformers")
tokenizers: Any = import_module("tokenizers")

CORPUS = [
    "It was awful. It was great. An awful film and a great film.",
    "Opinion: awful. Opinion: great. Summary: awful",
    "Question: What is the sentiment of this text? Answer: great.",
    "a dull plot, a fine cast, bad jokes and good songs",
    "awful", "great", "awful Sentiment:", "great Sentiment:", "bad good dull fine",
] * 3  # fmt: skip
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 24}
DESCRIPTIONS = (("awful", "bad", "It was awful.", "a dull plot"), ("great", "good", "It was great."))
TEXTS = ["a fine cast and good songs", "bad jokes", "a dull film", "great", "It was a fine film. " * 3, "awful jokes"]


def _bytes() -> Any:
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(CORPUS, vocab_size=600, min_frequency=2, special_tokens=SPECIAL)
    return tokenizer._tokenizer


def write_roberta(folder: Path, **config: Any) -> Path:
    """A folder of a RobertaForMaskedLM without dropout; `config` is over SIZES."""
    torch.manual_seed(1)
    bpe = _bytes()
    bpe.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    mask = tokenizers.AddedToken("<mask>", lstrip=True, special=True)
    names = dict(
        bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, mask_token=mask, **names)
    said = {
        **dict(vocab_size=len(tokenizer), max_position_embeddings=80, pad_token_id=1, bos_token_id=0, eos_token_id=2),
        **dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.3),
    }
    model = transformers.RobertaForMaskedLM(transformers.RobertaConfig(**{**said, **SIZES, **config}))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_llama(folder: Path, **config: Any) -> Path:
    """A folder of a LlamaForCausalLM whose tokenizer has no mask."""
    torch.manual_seed(2)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=_bytes(), bos_token="<s>", eos_token="</s>")
    said = {"vocab_size": len(tokenizer), "max_position_embeddings": 96, "initializer_range": 0.3, **SIZES, **config}
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**said)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
