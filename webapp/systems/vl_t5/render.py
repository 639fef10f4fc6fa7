"""Fills in the templates of captions and of questions to pictures."""

from __future__ import annotations

from pathlib import Path

from webapp.markup.render import renderer

render = renderer(Path(__file__).parent / "templates")
