"""Texts that tests hold whole: files of tests/golden, one headed part a scene, written anew by --rewrite-golden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "golden"


def hold(name: str, scenes: Mapping[str, str | Sequence[str]], *, rewrite: bool) -> None:
    """What each scene says, one text or several, is what the file says; with `rewrite`, the file is made to.

    A title tells what the scene must show. No-break spaces are written as ~, so that a reader of a change sees them.
    """
    parts = [[f"## {title}", *([texts] if isinstance(texts, str) else texts)] for title, texts in scenes.items()]
    said = "\n\n".join("\n".join(part) for part in parts).replace("\u00a0", "~") + "\n"
    file = FOLDER / name
    if rewrite:
        file.write_text(said, "utf-8")
    assert said == file.read_text("utf-8"), f"If {name} should say that: pytest --rewrite-golden, and read its diff"
