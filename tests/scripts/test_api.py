"""docs/api.md: made from the docstrings, whole, and with a word on everything that it shows."""

from __future__ import annotations

import re

import pytest

import errata
from scripts.api import PAGE, page, parse, prose, undescribed


def test_the_committed_page_is_what_the_script_makes() -> None:
    assert PAGE.read_text("utf-8") == page(), "Run `python -m scripts.api`."


def test_every_public_name_has_a_heading_and_a_line_at_the_top() -> None:
    made = page()
    headings, listed = re.findall(r"^### errata\.(\w+)$", made, re.M), re.findall(r"\[(\w+)\]\(#errata", made)
    assert headings == listed
    assert sorted([*headings, "__version__"]) == errata.__all__
    assert "`errata.__version__`" in made


def test_no_argument_or_field_is_without_a_word() -> None:
    assert undescribed() == []


def test_an_argument_without_a_word_and_a_word_without_an_argument_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def save(diagnosis: int, folder: str) -> None:
        """Write it.

        Args:
            diagnosis: the run.
            path: of former times.
        """

    monkeypatch.setattr(errata, "save", save)
    assert undescribed() == ["save(folder)", "save(path)"]


def test_a_docstring_is_split_into_its_parts() -> None:
    arguments = "    Args:\n        a, b: both of\n            them: so.\n        c: one.\n"
    found = parse(f"First.\n\n{arguments}\n    Returns:\n        It.\n")
    assert found.text == "First."
    assert found.entries("Args") == {"a, b": "both of them: so.", "c": "one."}
    assert found.parts["Returns"] == "It."


def test_text_is_no_markup_but_for_code_and_links() -> None:
    assert prose("a <b>\nor `<c> *`, *d* (docs/gate.md)") == ("a &lt;b> or `<c> *`, \\*d\\* ([gate.md](gate.md))")
