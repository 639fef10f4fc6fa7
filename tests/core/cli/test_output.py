"""Files that commands write."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from core import store
from core.cli.main import main
from core.cli.output import write_table
from core.records import Diagnosis


@pytest.mark.parametrize("cell", ["x\r=1+0", "\r=1", "x\r\n=1", "x\n@cmd"])
def test_a_line_break_in_a_cell_begins_no_row_of_its_own(cell: str, tmp_path: Path) -> None:
    write_table(pd.DataFrame({"id": [cell, "b"], "loss": [1.0, 2.0]}), tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_bytes().decode()
    for how in (text, text.replace("\n", "\r\n")):
        rows = list(csv.reader(io.StringIO(how, newline="")))
        assert [len(row) for row in rows] == [2, 2, 2]
        assert not any(one.startswith(("=", "@", "\r", "\n")) for row in rows for one in row)


@pytest.mark.parametrize("name", ["state.json", "samples.parquet"])
def test_no_export_replaces_a_file_of_a_run(
    diagnosis: Diagnosis, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store.save(diagnosis, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    kind = Path(name).suffix.removeprefix(".")
    assert main(["export", str(tmp_path / "run"), "--format", kind, "--out", str(tmp_path / "run" / name)]) == 2
    assert "a file of the run there" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
