"""The page's templates, with access to the report's, which draw what both show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.records import Diagnosis
from core.reports.html.render import render as render_from

TEMPLATES = Path(__file__).parents[1] / "templates"


def render(template: str, *, diagnosis: Diagnosis | None = None, **values: Any) -> Markup:
    """Render a template of `webapp/templates` or of the report (`core.reports.html.render.render`)."""
    return render_from(template, TEMPLATES, diagnosis=diagnosis, **values)


def renderer(*folders: Path) -> Callable[..., Markup]:
    """Return `render` for a system; its folders come before the page's and the report's."""

    def render_here(template: str, *, diagnosis: Diagnosis | None = None, **values: Any) -> Markup:
        return render_from(template, *folders, TEMPLATES, diagnosis=diagnosis, **values)

    return render_here


def empty(text: str, title: str = "") -> Markup:
    """Render an empty view."""
    return render("state/empty.html.j2", text=text, title=title)
