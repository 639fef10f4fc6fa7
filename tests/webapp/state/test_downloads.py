"""The files that a visitor may take away."""

from __future__ import annotations

import csv
import io

from tests.support.diagnoses import make_diagnosis
from webapp.state.downloads import table_csv


def test_the_spreadsheet_starts_no_formula() -> None:
    diagnosis = make_diagnosis(hostile=True)
    rows = list(csv.reader(io.StringIO(table_csv(diagnosis).decode("utf-8"))))
    assert len(rows) == 61
    assert rows[2][0] == "'=HYPERLINK(1).png"
    assert float(rows[3][1]) == diagnosis.outcomes.loss[2]
