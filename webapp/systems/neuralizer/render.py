"""Fills in the templates of reference masks and corrections."""

from __future__ import annotations

from pathlib import Path

from webapp.markup.render import renderer

render = renderer(Path(__file__).parent / "templates")
