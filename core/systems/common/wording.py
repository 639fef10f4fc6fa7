"""Sentences of several systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.numbers import count


def cut_lines(data: Mapping[str, Any], most: int) -> list[str]:
    """A line on texts truncated to `most` tokens; [] without any, or for an older card without the count."""
    n = int(data.get("cut", 0))
    if not n:
        return []
    return [f"Truncated {count(n, 'text')} to {most:,} tokens."]
