"""The page's templates, the report's beside them, and those of the systems before both."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from core.reports.html.render import TEMPLATES as OF_REPORT, environment
from tests.conftest import REPOSITORY
from webapp.markup.render import TEMPLATES, render, renderer

SYSTEMS = sorted({path.parent.name for path in REPOSITORY.glob("*/systems/*/templates")})


def folders(system: str) -> list[Path]:
    """All that a page of this system may render from; the report's own folder is not among them."""
    own = (REPOSITORY / room / "systems" / system / "templates" for room in ("webapp", "core"))
    return [*filter(Path.is_dir, own), TEMPLATES]


def test_a_text_cannot_act_as_markup_and_none_may_be_forgotten() -> None:
    assert "&lt;b&gt;" in render("state/closing.html.j2", title="<b>", text="", waits=False, lasting=False)
    with pytest.raises(UndefinedError):
        render("state/closing.html.j2", title="Done", waits=False, lasting=False)


def test_a_system_renders_from_its_own_folder_and_from_the_page_s(tmp_path: Path) -> None:
    (tmp_path / "mine.html.j2").write_text('{% include "state/empty.html.j2" %}', "utf-8")
    assert "&lt;b&gt;" in renderer(tmp_path)("mine.html.j2", title="<b>", text="")
    with pytest.raises(TemplateNotFound):
        render("mine.html.j2", title="", text="")


@pytest.mark.parametrize("system", ["", *SYSTEMS])
def test_every_template_compiles(system: str) -> None:
    made = environment(*folders(system))
    names = made.list_templates(extensions=["j2"])
    assert "explore/cards.html.j2" in names
    for name in names:
        made.get_template(name)


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_template_hides_another_of_its_name(system: str) -> None:
    places = (*folders(system), OF_REPORT)
    names = Counter(
        path.relative_to(place).as_posix() for place in places for path in place.rglob("*.*") if path.suffix != ".py"
    )
    assert [name for name, n in names.items() if n > 1] == []
