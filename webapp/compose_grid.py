"""Placeholder."""

from typing import Any


def build(*args: Any) -> None:
    """Nothing yet."""
