"""Every task as text: what stands before a text says which task is asked for, and the answer is text too (Cho et al.
2021, table 1)."""

from __future__ import annotations

import re

QUESTION, CAPTION, GROUNDING = "vqa:", "caption:", "visual grounding:"
MATCHING, SPANS = "image text match:", "span prediction:"
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
