"""Components that several tabs are made of."""

from __future__ import annotations

from pathlib import Path

from core.files import ASSETS
from webapp.markup.components import script


def test_a_script_is_named_or_lies_anywhere(tmp_path: Path) -> None:
    path, heat = tmp_path / "mine.js", (ASSETS / "js" / "heat.js").read_text("utf-8")
    path.write_text("const mine = 1;", "utf-8")
    assert script(path) == "const mine = 1;"
    assert script("heat", path) == f"{{\n{heat}\n}}\n{{\nconst mine = 1;\n}}"
