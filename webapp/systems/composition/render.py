"""Fills in the templates of Composition and of its report; its script."""

from __future__ import annotations

from pathlib import Path

from core.systems.composition.templates import TEMPLATES
from webapp.markup.render import renderer

render = renderer(Path(__file__).parent / "templates", TEMPLATES)
PRESSES = Path(__file__).parent / "compose.js"
"""Hands what is pressed and typed in a view to its callback."""
