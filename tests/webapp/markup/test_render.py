"""The page's templates, and the report's beside them."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from core.reports.html.render import environment
from webapp.markup.render import TEMPLATES, render


def test_a_text_cannot_act_as_markup_and_none_may_be_forgotten() -> None:
    assert "&lt;b&gt;" in render("state/closing.html.j2", title="<b>", text="", waits=False)
    with pytest.raises(UndefinedError):
        render("state/closing.html.j2", title="Done", waits=False)


def test_every_template_compiles() -> None:
    made = environment(TEMPLATES)
    names = made.list_templates(extensions=["j2"])
    assert "explore/cards.html.j2" in names
    for name in names:
        made.get_template(name)
