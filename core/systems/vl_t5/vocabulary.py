"""The words of a model: its tokenizer, with the words that point at parts of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from core.systems.common.student_texts import padded
from core.systems.common.targets import IGNORED
from core.systems.vl_t5.tasks import part_word

N_PARTS = 100
"""Words for parts of a picture, as VL-T5 has them."""


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
