"""Released files, line by line."""

from __future__ import annotations

from pathlib import Path

from core.systems.step_by_step.released_files import lines_of


def test_the_last_line_may_end_without_a_break(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("a\n\nb", "utf-8")
    assert lines_of(path) == ["a", "", "b"]
    path.write_text("a\n\nb\n", "utf-8")
    assert lines_of(path) == ["a", "", "b"]
