"""Every task as text: a prefix names the task, and the answer is text too (Cho et al. 2021, table 1)."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

N_PARTS = 100
"""Words for parts of an image, as many as in VL-T5."""
QUESTION = "vqa:"
CAPTION = "caption:"
GROUNDING = "visual grounding:"
MATCHING = "image text match:"
SPANS = "span prediction:"
REGIONS = "caption region:"
PREFIXES = (QUESTION, CAPTION, GROUNDING, MATCHING, SPANS, REGIONS)
_PART = re.compile(r"<vis_extra_id_(\d+)>")


def part_word(part: int) -> str:
    """The word that points at a part of the image.

    Example:
        >>> part_word(3)
        '<vis_extra_id_3>'
    """
    return f"<vis_extra_id_{part}>"


def part_of(answer: str, n_parts: int) -> int | None:
    """The part that an answer points at, or None."""
    match = _PART.search(answer)
    if match is None or int(match[1]) >= n_parts:
        return None
    return int(match[1])


def with_parts(tokenizer: Any, n_parts: int = N_PARTS) -> Any:
    """The tokenizer with a word for each part of an image after its last word, part 0 last; unchanged with them."""
    if part_word(0) not in tokenizer.get_vocab():
        added: Any = import_module("tokenizers").AddedToken
        tokenizer.add_tokens([added(part_word(k), special=False, normalized=False) for k in reversed(range(n_parts))])
    return tokenizer
