"""Changes to a caption that keep what a reader expects: its case, its final stop, and "a" or "an" as the next word
asks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.language.grammar import right_articles

_ARTICLE = re.compile(r"\b(an?)(\s+)(\w[\w'’-]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Characters `start` to `stop` of the caption become `text`; an empty range inserts."""

    start: int
    stop: int
    text: str


def apply_edits(caption: str, edits: Sequence[Edit]) -> str:
    """The changed caption; articles beside a change are repaired.

    Args:
        edits: must not overlap.

    >>> apply_edits("A red cube.", [Edit(2, 5, "orange")])
    'An orange cube.'
    """
    text = ""
    spans = list[tuple[int, int]]()
    at = 0
    capitals = caption.isupper()
    for edit in sorted(edits):
        text += caption[at : edit.start]
        new = edit.text.upper() if capitals else edit.text
        if not capitals and not text.strip() and caption[edit.start : edit.start + 1].isupper():
            new = new[:1].upper() + new[1:]
        spans.append((len(text), len(text) + len(new)))
        text += new
        at = edit.stop
    text += caption[at:]
    # without the double blank, or the small first letter, that a deletion leaves
    while "  " in text:
        at = text.index("  ")
        text = text[:at] + text[at + 1 :]
        spans = [(a - (a > at), b - (b > at)) for a, b in spans]
    if text.startswith(" "):
        text = text[1:]
        spans = [(max(a - 1, 0), max(b - 1, 0)) for a, b in spans]
    return _with_articles(text, [span for span in spans if span[1] > span[0]])


def _with_articles(text: str, spans: list[tuple[int, int]]) -> str:
    """Articles made right that stand in a changed part, or before one."""
    capitals = text.isupper()
    for match in reversed(list(_ARTICLE.finditer(text))):
        start, stop = match.span(1)
        near = any(a <= start < b or a <= match.start(3) <= b or stop <= a <= match.start(3) for a, b in spans)
        right = right_articles(f"a {match[3].lower() if capitals else match[3]}").split(" ", 1)[0]
        if not near or match[1].casefold() == right:
            continue
        written = right.upper() if capitals else right.capitalize() if match[1][0].isupper() else right
        by = len(written) - (stop - start)
        spans = [(a + by if a >= stop else a, b + by if b >= stop else b) for a, b in spans]
        spans.append((start, start + len(written)))
        text = text[:start] + written + text[stop:]
    return text
