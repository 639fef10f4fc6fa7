"""Files that commands write."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from core.cli.main import main
from core.cli.output import write_table


@pytest.mark.parametrize("cell", ["x\r=1+0", "\r=1", "x\r\n=1", "x\n@cmd"])
def test_a_line_break_in_a_cell_begins_no_row_of_its_own(cell: str, tmp_path: Path) -> None:
    write_table(pd.DataFrame({"id": [cell, "b"], "loss": [1.0, 2.0]}), tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_bytes().decode()
    for how in (text, text.replace("\n", "\r\n")):
        rows = list(csv.reader(io.StringIO(how, newline="")))
        assert [len(row) for row in rows] == [2, 2, 2]
        assert not any(one.startswith(("=", "@", "\r", "\n")) for row in rows for one in row)


def test_a_command_that_fails_leaves_no_empty_folder_and_one_of_the_users_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    asked = ["diagnose", "--table", str(tmp_path / "bad.csv"), "--out"]
    assert main([*asked, str(tmp_path / "deep" / "run.errata")]) == 2
    assert not (tmp_path / "deep").exists()
    (tmp_path / "mine").mkdir()
    assert main([*asked, str(tmp_path / "mine" / "run.errata")]) == 2
    assert (tmp_path / "mine").is_dir()
    (tmp_path / "mine" / "notes.txt").write_text("kept")
    assert main([*asked, str(tmp_path / "mine" / "run.errata")]) == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert "No loss found" in capsys.readouterr().err


@pytest.fixture
def odd_table() -> pd.DataFrame:
    missing = pd.Series([1, None], dtype="Int64")
    return pd.DataFrame(
        {"id": ["007", "=a"], "loss": [0.1, float("nan")], "cluster": missing, "confirmed": [True, False]}
    )


def test_a_table_for_mlflow_is_read_as_mlflow_reads_it(odd_table: pd.DataFrame, tmp_path: Path) -> None:
    """`mlflow.load_table` reads the JSON of an artifact so."""
    write_table(odd_table, tmp_path / "t.json", "mlflow")
    found = pd.read_json(tmp_path / "t.json", orient="split", dtype=False)
    assert list(found) == list(odd_table)
    assert found["id"].tolist() == ["007", "=a"]
    assert found["loss"].isna().tolist() == [False, True]
    assert found["cluster"].tolist()[0] == 1
    assert found["confirmed"].tolist() == [True, False]


def test_a_table_for_weights_and_biases_has_the_form_of_its_artifacts(odd_table: pd.DataFrame, tmp_path: Path) -> None:
    write_table(odd_table, tmp_path / "t.table.json", "wandb")
    found = json.loads((tmp_path / "t.table.json").read_text("utf-8"))
    rows = [["007", 0.1, 1, True], ["=a", None, None, False]]
    assert found == {"_type": "table", "columns": list(odd_table), "data": rows, "ncols": 4, "nrows": 2}


def test_weights_and_biases_itself_reads_it(odd_table: pd.DataFrame, tmp_path: Path) -> None:
    wandb = pytest.importorskip("wandb")
    values = pytest.importorskip("wandb.sdk.data_types.base_types.wb_value")
    write_table(odd_table, tmp_path / "t.table.json", "wandb")
    artifact = wandb.Artifact("findings", "errata")
    table = values.WBValue.init_from_json(json.loads((tmp_path / "t.table.json").read_text("utf-8")), artifact)
    assert table.get_dataframe()["id"].tolist() == ["007", "=a"]
    artifact.add(table, "samples")
    assert list(artifact.manifest.entries) == ["samples.table.json"]
