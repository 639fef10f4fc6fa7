"""Planted rows for engines."""

from tests.support.engines import planted

__all__ = ["planted"]
