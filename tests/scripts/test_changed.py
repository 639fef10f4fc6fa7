"""Which tests a change can reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.changed import reached_tests

# a blank for the first slash: no file of this checkout is meant
FILES = {
    "core __init__.py": "",
    "core low.py": "",
    "core high.py": "from core import low",
    "core lazy.py": 'PARTS = {"high": "core.high:Thing"}',
    "core extensions.py": "import core.low",
    "core other.py": "from core.extensions import parts  # core.low is not used",
    "core shown.py": 'render("page.html.j2")',
    "core templates/page.html.j2": '{% extends "frame.html.j2" %}',
    "core templates/frame.html.j2": "",
    "tests conftest.py": "import core.low",
    "tests test_low.py": "from core.low import it",
    "tests test_high.py": "def test_it():\n    from core.high import it",
    "tests test_lazy.py": "import core.lazy",
    "tests test_other.py": "from core.other import it",
    "tests test_shown.py": "import core.shown",
}


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ("core low.py", {"low": 1, "high": 2, "lazy": 3}),  # and not through the list of systems
        ("core high.py", {"high": 1, "lazy": 2}),
        ("core extensions.py", {"other": 2}),
        ("core templates/frame.html.j2", {"shown": 3}),
        ("tests test_low.py", {"low": 0}),
        ("core __init__.py", {"low": 1, "high": 1, "lazy": 1, "other": 1, "shown": 1}),
        ("tests conftest.py", dict.fromkeys(("low", "high", "lazy", "other", "shown"), 0)),
        ("pyproject.toml", dict.fromkeys(("low", "high", "lazy", "other", "shown"), 0)),
        ("core nothing_uses_it.py", {}),
    ],
)
def test_a_change_reaches_what_imports_or_names_it_the_nearest_first(
    tmp_path: Path, changed: str, reached: dict[str, int]
) -> None:
    for name, text in {**FILES, changed: FILES.get(changed, "")}.items():
        name = name.replace(" ", "/")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    found = reached_tests(tmp_path, [changed.replace(" ", "/")])
    assert found == {f"tests/test_{name}.py": steps for name, steps in reached.items()}
    assert list(found.values()) == sorted(found.values())
