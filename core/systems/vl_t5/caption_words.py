"""The words of a caption, for counting them."""

from __future__ import annotations

import re

Words = tuple[str, ...]

_WORD = re.compile(r"[a-z0-9'-]+")


def words_of(caption: str) -> Words:
    """Lower-case words, marks left out.

    Example:
        >>> words_of("A dog , running .")
        ('a', 'dog', 'running')
    """
    return tuple(_WORD.findall(caption.lower()))
