"""The words of a model: a tokenizer of whole words, or a T5's own, with the words that point at parts of a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from core.systems.common.targets import IGNORED
from core.systems.common.texts import padded
from core.systems.vl_t5.tasks import PREFIXES, part_word

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
N_SPANS, N_PARTS = 100, 100
"""Signs for masked spans, as T5 has them, and words for parts, as VL-T5 has them."""
MAX_WORDS = 20_000


def make_words(texts: Iterable[str], least: int = 1) -> Any:
    """A tokenizer of the lower-case words and marks of the texts.

    Args:
        least: how often a word must occur.
    """
    tokenizers: Any = import_module("tokenizers")
    split = tokenizers.pre_tokenizers.Whitespace()
    counts = Counter(word for text in texts for word, _ in split.pre_tokenize_str(text.lower()))
    always = {word for prefix in PREFIXES for word, _ in split.pre_tokenize_str(prefix)}
    kept = sorted({word for word, n in counts.items() if n >= least} | always, key=lambda word: (-counts[word], word))[
        :MAX_WORDS
    ]
    words = [PAD, END, UNKNOWN, *kept]
    signs = [f"<extra_id_{k}>" for k in reversed(range(N_SPANS))]
    signs += [part_word(k) for k in reversed(range(N_PARTS))]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate([*words, *signs])}, unk_token=UNKNOWN)
    )
    made.normalizer, made.pre_tokenizer = tokenizers.normalizers.Lowercase(), split
    made.post_processor = tokenizers.processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 1)])
    transformers: Any = import_module("transformers")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, clean_up_tokenization_spaces=False
    )
    tokenizer.add_tokens([tokenizers.AddedToken(sign, special=False, normalized=False) for sign in signs])
    return tokenizer


def with_parts(tokenizer: Any, n_parts: int = N_PARTS) -> Any:
    """The tokenizer with a word for each part of a picture behind its last word, part 0 the last of all; as it is where
    it has them."""
    if part_word(0) not in tokenizer.get_vocab():
        added: Any = import_module("tokenizers").AddedToken
        tokenizer.add_tokens([added(part_word(k), special=False, normalized=False) for k in reversed(range(n_parts))])
    return tokenizer


def padded_targets(rows: Sequence[Sequence[int]]) -> Tensor:
    """(n, u) tokens to write, `IGNORED` behind the end."""
    ids, there = padded(rows)
    return torch.where(there.bool(), ids, IGNORED)
