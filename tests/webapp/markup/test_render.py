"""The page's templates, and the report's beside them."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from core.records import Estimate
from core.reports.html.intervals import interval_bar
from core.reports.html.render import environment
from webapp.markup.render import TEMPLATES, part, render


def test_a_text_cannot_act_as_markup_and_none_may_be_forgotten() -> None:
    assert "&lt;b&gt;" in render("state/closing.html.j2", title="<b>", text="")
    with pytest.raises(UndefinedError):
        render("state/closing.html.j2", title="Done")


def test_the_page_draws_with_the_macros_of_the_report() -> None:
    assert 'class="whisker"' in part("interval_line", interval_bar(Estimate(1.0, 0.5, 1.5), 0.0, 2.0))


def test_every_template_compiles() -> None:
    made = environment(TEMPLATES)
    names = made.list_templates(extensions=["j2"])
    assert "explore/cards.html.j2" in names
    for name in names:
        made.get_template(name)
