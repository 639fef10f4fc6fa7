"""A new model with random weights, and a tokenizer of the whole words of its texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from core.errors import InvalidInput
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.model import VisionT5
from core.systems.vl_t5.tasks import N_PARTS, PREFIXES, part_word
from core.systems.vl_t5.vision import VisionSizes

PAD = "<pad>"
END = "</s>"
UNKNOWN = "<unk>"
N_SPANS = 100
"""Signs for masked spans, as T5 has them."""
MAX_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class NewSizes:
    """Of a model that is made anew."""

    width: int = 128
    layers: int = 2
    heads: int = 4
    hidden: int = 384
    dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise InvalidInput(f"width (= {self.width}) must be divisible by heads (= {self.heads}).")


def make_describer(texts: Iterable[str], sizes: VisionSizes, new: NewSizes, *, least: int = 1) -> Describer:
    """A new model that knows the words of the texts; the same texts, sizes and seed give the same weights.

    Args:
        least: how often a word must occur to be known.
    """
    transformers: Any = import_module("transformers")
    tokenizer = make_words(texts, least)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=new.width,
        d_kv=new.width // new.heads,
        d_ff=new.hidden,
        num_layers=new.layers,
        num_heads=new.heads,
        dropout_rate=new.dropout,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(new.seed)
        model = VisionT5(config, sizes)
        attend_to_alike(model.t5)
    return Describer(model.eval(), tokenizer)


@torch.no_grad()
def attend_to_alike(t5: Any) -> None:
    """Let every attention begin by looking at what is like the token itself and by carrying that over: queries are
    keys, and values are turned back by the output. After Trockman and Kolter 2023, arXiv 2305.09828; that what is
    carried over keeps its sign is ours."""
    for stack in (t5.encoder, t5.decoder):
        for layer in (layer for block in stack.block for layer in block.layer[:-1]):
            attention = layer.SelfAttention if hasattr(layer, "SelfAttention") else layer.EncDecAttention
            attention.q.weight.copy_(attention.k.weight * attention.key_value_proj_dim**-0.5)
            torch.nn.init.orthogonal_(attention.v.weight)
            attention.o.weight.copy_(attention.v.weight.T)


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
    made.normalizer = tokenizers.normalizers.Lowercase()
    made.pre_tokenizer = split
    made.post_processor = tokenizers.processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 1)])
    transformers: Any = import_module("transformers")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, clean_up_tokenization_spaces=False
    )
    tokenizer.add_tokens([tokenizers.AddedToken(sign, special=False, normalized=False) for sign in signs])
    return tokenizer
