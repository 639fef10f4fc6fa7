"""What the server is started with: the style sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.server import settings


def test_the_sheets_of_systems_come_after_those_of_the_page() -> None:
    sheets = settings.sheets()
    assert [path.stem for path in sheets[: len(settings.SHEETS)]] == list(settings.SHEETS)
    assert sheets[len(settings.SHEETS) :] == sorted(settings.SYSTEMS.glob("*/*.css"))
    assert all(path.read_text("utf-8") for path in sheets)


def test_without_systems_there_are_fewer_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SYSTEMS", tmp_path / "systems")
    assert [path.stem for path in settings.sheets()] == list(settings.SHEETS)
