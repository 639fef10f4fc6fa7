"""The report that a program asks for."""

from __future__ import annotations

from pathlib import Path

from core.store import save
from tests.support.diagnoses import make_diagnosis
from webapp import api
from webapp.state.runs import RUNS


def test_a_program_gets_the_report_as_one_document(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path / "run.errata")
    said = api.report(RUNS.offer(tmp_path / "run.errata", "whole"))
    assert said.lstrip().lower().startswith("<!doctype html>")
    assert said.rstrip().endswith("</html>")
