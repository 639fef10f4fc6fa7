"""The page's templates, with access to the report's, which draw what both show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.records import Diagnosis, Section
from core.reports.html.render import render as render_from
from core.reports.html.sections import draw_section

TEMPLATES = Path(__file__).parents[1] / "templates"


def renderer(*folders: Path) -> Callable[..., Markup]:
    """Return a function that renders templates of these folders, else of the page or the report."""

    def render_here(template: str, *, diagnosis: Diagnosis | None = None, **values: Any) -> Markup:
        return render_from(template, *folders, TEMPLATES, diagnosis=diagnosis, **values)

    return render_here


render = renderer()
"""Renders a template of `webapp/templates` or of the report (`core.reports.html.render.render`)."""


def section_view(diagnosis: Diagnosis, section: Section) -> Markup:
    """Render a section as the report does, without its title and images."""
    return draw_section(diagnosis, replace(section, title=""), lambda _: (), 0)


def empty(text: str, title: str = "") -> Markup:
    """Render an empty view."""
    return render("state/empty.html.j2", text=text, title=title)
