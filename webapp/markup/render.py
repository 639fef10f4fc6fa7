"""The page's templates, with the report's beside them: what both show is drawn by one template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.records import Diagnosis
from core.reports.html.render import render as render_from

TEMPLATES = Path(__file__).parents[1] / "templates"


def render(template: str, *, diagnosis: Diagnosis | None = None, **values: Any) -> Markup:
    """A template of `webapp/templates` or of the report, filled in (`core.reports.html.render.render`)."""
    return render_from(template, TEMPLATES, diagnosis=diagnosis, **values)


def renderer(*folders: Path) -> Callable[..., Markup]:
    """`render` for a system of the page: these folders come before the page's and the report's."""

    def render_here(template: str, *, diagnosis: Diagnosis | None = None, **values: Any) -> Markup:
        return render_from(template, *folders, TEMPLATES, diagnosis=diagnosis, **values)

    return render_here


def empty(text: str, title: str = "") -> Markup:
    """What stands in a view's place as long as there is nothing to show."""
    return render("state/empty.html.j2", text=text, title=title)
