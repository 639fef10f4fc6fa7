"""Sentences that several systems say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.numbers import count


def cut_lines(data: Mapping[str, Any], most: int) -> list[str]:
    """How many texts were cut to the most tokens that are read; none where no text was, or a card of before does not
    say."""
    n = int(data.get("cut", 0))
    return [f"{count(n, 'text')} {'is' if n == 1 else 'are'} longer than {most:,} tokens and cut there."] if n else []
