"""Renders the templates of captions and of questions about images."""

from __future__ import annotations

from pathlib import Path

from webapp.markup.render import renderer

render = renderer(Path(__file__).parent / "templates")
