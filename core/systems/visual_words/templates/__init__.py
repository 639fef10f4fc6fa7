"""The page of the visual words that were found, as templates."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parent
