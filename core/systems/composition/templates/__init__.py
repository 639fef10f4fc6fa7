"""The report of composition, as templates."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parent
