"""The page of reference masks, as templates."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parent
