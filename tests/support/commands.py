"""The command line in tests: what it prints, and how it refuses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from core.cli.main import main
from core.reports.html.diagnosis import render_report
from core.reports.tables.diagnosis import write_results
from core.store import load
from tests.support.diagnoses import draw_picture


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    assert main(list(arguments)) == code
    told = capsys.readouterr()
    assert told.err.startswith("errata: ")
    assert told.err.count("\n") == 1
    return told.err


def make_folders(top: Path, classes: Sequence[str], n: int) -> None:
    for c, name in enumerate(classes):
        (top / name).mkdir(parents=True)
        for i in range(n):
            (top / name / f"{i}.png").write_bytes(draw_picture(100 * c + i, size=24))


def said_on(terminal: int, until: str = "") -> str:
    """What comes on a terminal up to that text, or until who writes on it has ended."""
    said = ""
    with suppress(OSError):  # so a terminal ends
        while not (until and until in said) and (part := os.read(terminal, 4096)):
            said += part.decode("utf-8", "replace")
    return said


def results_of(run: Path) -> Path:
    """The folder that `export --what results` writes of a run."""
    out = run.with_suffix("")
    out.mkdir(exist_ok=True)
    write_results(load(run), out)
    return out


def report_of(run: Path) -> str:
    """The report that `export` writes of a run."""
    return render_report(load(run))
