"""What /report hands out of a run's folder, which may have been received."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.store import save
from tests.support.diagnoses import make_diagnosis
from webapp import api
from webapp.state.runs import RUNS


def test_the_report_that_lies_there_is_handed_out(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path / "run.errata")
    (tmp_path / "run.errata" / "report.html").write_text("<!doctype html>as it was written", "utf-8")
    assert api.report(RUNS.offer(tmp_path / "run.errata", "whole")) == "<!doctype html>as it was written"


@pytest.mark.parametrize("bend", ["link", "pipe", "large"])
def test_a_report_that_is_no_plain_file_of_the_run_is_made_anew(tmp_path: Path, bend: str) -> None:
    save(make_diagnosis(), tmp_path / "run.errata")
    report = tmp_path / "run.errata" / "report.html"
    (tmp_path / "secret").write_text("secret of the server")
    report.unlink(missing_ok=True)
    if bend == "link":
        report.symlink_to(tmp_path / "secret")
    elif bend == "pipe":
        os.mkfifo(report)
    else:
        with report.open("wb") as file:
            file.truncate(api.MAX_REPORT_BYTES + 1)
    said = api.report(RUNS.offer(tmp_path / "run.errata", f"bent-{bend}"))
    assert said.lstrip().lower().startswith("<!doctype html>")
    assert "secret of the server" not in said
