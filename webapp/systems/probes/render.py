"""Fills in the templates of Classes and of the report's section of probes."""

from __future__ import annotations

from pathlib import Path

from core.systems.probes.templates import TEMPLATES
from webapp.markup.render import renderer

render = renderer(Path(__file__).parent / "templates", TEMPLATES)
