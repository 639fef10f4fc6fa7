"""Every task as text: what stands before a text says which task is asked for, and the answer is text too (Cho et al.
2021, table 1)."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

N_PARTS = 100
"""Words for parts of a picture, as VL-T5 has them."""
QUESTION = "vqa:"
CAPTION = "caption:"
GROUNDING = "visual grounding:"
MATCHING = "image text match:"
SPANS = "span prediction:"
REGIONS = "caption region:"
PREFIXES = (QUESTION, CAPTION, GROUNDING, MATCHING, SPANS, REGIONS)
_PART = re.compile(r"<vis_extra_id_(\d+)>")


def part_word(part: int) -> str:
    """The word that points at a part of the picture.

    Example:
        >>> part_word(3)
        '<vis_extra_id_3>'
    """
    return f"<vis_extra_id_{part}>"


def part_of(answer: str, n_parts: int) -> int | None:
    """The part that an answer points at; None where it points at none."""
    found = _PART.search(answer)
    part = -1 if found is None else int(found[1])
    return part if 0 <= part < n_parts else None


def with_parts(tokenizer: Any, n_parts: int = N_PARTS) -> Any:
    """The tokenizer with a word for each part of a picture behind its last word, part 0 the last of all; as it is where
    it has them."""
    if part_word(0) not in tokenizer.get_vocab():
        added: Any = import_module("tokenizers").AddedToken
        tokenizer.add_tokens([added(part_word(k), special=False, normalized=False) for k in reversed(range(n_parts))])
    return tokenizer
