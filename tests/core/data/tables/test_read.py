import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.images import columns as image_columns
from core.data.tables.loss_table import LossTable
from core.data.tables.read import escape_formula, read_table
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.errors import InvalidInput

FRAME = pd.DataFrame({"id": ["007", "008"], "loss": [0.5, 1.5], "city": ["Köln", "None"]})


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "kind", ["csv", "csv-return", "csv-bom", "semicolon", "tsv", "jsonl", "json", "parquet", "frame", "utf-16"]
)
def test_every_kind_of_table_reads_to_the_same_frame(tmp_path, kind):
    records = FRAME.to_dict("records")
    sources = {
        "csv": lambda: write(tmp_path / "t.csv", FRAME.to_csv(index=False)),
        "csv-return": lambda: write(tmp_path / "t.csv", FRAME.to_csv(index=False, lineterminator="\r")),
        "csv-bom": lambda: write(tmp_path / "t.csv", FRAME.to_csv(index=False), "utf-8-sig"),
        "utf-16": lambda: write(tmp_path / "t.csv", FRAME.to_csv(index=False), "utf-16"),
        "semicolon": lambda: write(tmp_path / "t.csv", FRAME.to_csv(index=False, sep=";", decimal=",")),
        "tsv": lambda: write(tmp_path / "t.tsv", FRAME.to_csv(index=False, sep="\t")),
        "jsonl": lambda: write(tmp_path / "t.jsonl", "\n".join(json.dumps(r) for r in records) + "\n\n"),
        "json": lambda: write(tmp_path / "t.json", json.dumps(records)),
        "parquet": lambda: (FRAME.to_parquet(tmp_path / "t.parquet"), tmp_path / "t.parquet")[1],
        "frame": lambda: FRAME,
    }
    table = read_table(sources[kind]())
    assert list(table.frame.columns) == list(FRAME.columns)
    assert table.frame.astype(object).to_dict("records") == records


def test_latin_1_is_read_and_said(tmp_path):
    table = read_table(write(tmp_path / "t.csv", FRAME.to_csv(index=False), "latin-1"))
    assert table.frame["city"][0] == "Köln"
    assert "read as Latin-1" in table.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", "a,b\n", "no rows"),
        ("t.csv", "a,b,a\n1,2,3\n", "'a' occurs 2 times"),
        ("t.csv", 'a,b\n1,"2\n3,4\n', "not a table with"),
        ("t.csv", 'a,"b\n' + "1,2\n" * 50_000, "cannot read the line of column names.*Close the open quote"),
        ("t.jsonl", '{"a": 1}\n{"a": \n', "line 2: invalid JSON at column 7"),
        ("t.jsonl", '{"a":' * 100_000, "line 1: nested too deep"),
        ("t.json", "[" * 100_000, "t.json: nested too deep"),
        ("t.jsonl", "[1, 2]", "each record must be an object"),
        ("t.jsonl", "[1, 2]\n[3, 4]\n", "each record must be an object"),
        ("t.json", "[\n[1, 2],\n[3, 4]]\n", "each record must be an object"),
        ("t.parquet", "PAR1 no", "Cannot read 't.parquet' as Parquet"),
        ("t.parquet", "PAR1", "file size is 4 bytes"),
        ("t.pkl", "x", "pickle"),
        ("t.xlsx", "x", "as CSV"),
        ("t.docx", "x", "Cannot read 't.docx'"),
    ],
)
def test_each_bad_table_gets_one_message_that_names_it(tmp_path, name, content, message):
    with pytest.raises(InvalidInput, match=message):
        read_table(write(tmp_path / name, content))
    with pytest.raises(InvalidInput, match="was not found"):
        read_table(tmp_path / "absent.csv")


def test_a_column_of_row_numbers_without_a_name_is_dropped_and_said(tmp_path):
    table = read_table(write(tmp_path / "t.csv", FRAME.to_csv()))
    assert list(table.frame.columns) == ["id", "loss", "city"]
    assert "unnamed column" in table.notes[0]


BLOBS = [bytes([195 + i]) * (i + 1) for i in range(7)]


@pytest.mark.parametrize("layout", ["bytes", "struct"])
@pytest.mark.parametrize("spool", [False, True])
def test_parquet_pictures_stay_on_disk_and_read_in_any_order(tmp_path, monkeypatch, layout, spool):
    if spool:
        monkeypatch.setattr(image_columns, "_MAX_GROUP_BYTES", 1)
    cells = BLOBS if layout == "bytes" else [{"bytes": b, "path": f"{i}.png"} for i, b in enumerate(BLOBS)]
    pq.write_table(pa.table({"image": cells, "loss": np.arange(7.0)}), tmp_path / "t.parquet", row_group_size=2)
    table = read_table(tmp_path / "t.parquet")
    store = table.images["image"]
    assert list(table.frame.columns) == ["loss"]
    assert [store.read(i) for i in (6, 0, 3, 5, 1)] == [BLOBS[i] for i in (6, 0, 3, 5, 1)]
    assert store.name(3) == ("3" if layout == "bytes" else "3.png")
    assert store.keep(np.array([4, 2])).read(0) == BLOBS[4]


def test_no_more_than_two_row_groups_are_held(tmp_path):
    pq.write_table(pa.table({"image": BLOBS}), tmp_path / "t.parquet", row_group_size=1)
    store: Any = read_table(tmp_path / "t.parquet").images["image"]
    for i in range(7):
        store.read(i)
    assert len(store.reader.held) == 2


def test_paths_without_bytes_become_a_column_of_paths(tmp_path):
    cells = pa.array(
        [{"bytes": None, "path": "a.png"}, {"bytes": None, "path": "b.png"}],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )
    pq.write_table(pa.table({"image": cells, "loss": [0.0, 1.0]}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.images == {}
    assert list(table.frame["image"]) == ["a.png", "b.png"]


def test_a_frames_picture_column_is_set_apart():
    table = read_table(
        pd.DataFrame({"img": [{"bytes": b"x", "path": "a.png"}, {"bytes": b"y", "path": None}], "loss": [1, 2]})
    )
    store = table.images["img"]
    assert (store.read(1), store.name(0), store.name(1), list(table.frame.columns)) == (b"y", "a.png", "1", ["loss"])


@pytest.mark.parametrize(
    ("value", "exported"),
    [
        ("=1+1", "'=1+1"),
        ("@cmd", "'@cmd"),
        ("+x", "'+x"),
        ("-x", "'-x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        (" =1", "' =1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("＝1", "'＝1"),
        ("", ""),
        (" x", " x"),
        ("-1.5e3", "-1.5e3"),
        ("+2", "+2"),
        ("a=b", "a=b"),
    ],
)
def test_formula_cells_are_escaped_and_numbers_are_not(value, exported):
    assert escape_formula(value) == exported


def test_roles_are_recognized_and_named_ones_win():
    n = 40
    frame = pd.DataFrame(
        {
            "file": [f"{i}.png" for i in range(n)],
            "label": ["cat", "dog"] * 20,
            "prob_cat": 0.5,
            "prob_dog": 0.5,
            "patient": [f"p{i // 2}" for i in range(n)],
            "split": "test",
            "my_loss": np.arange(n) / n,
            "other": np.arange(n) / 7,
        }
    )
    found = recognise(frame, Roles(loss="other")).roles
    assert (found.image, found.label, found.group, found.split, found.loss) == (
        "file",
        "label",
        "patient",
        "split",
        "other",
    )
    assert found.probabilities == ("prob_cat", "prob_dog")
    assert recognise(frame, Roles()).roles.loss == "my_loss"


def test_a_named_column_that_is_not_there_is_named_with_its_neighbours():
    with pytest.raises(InvalidInput, match=r"no column 'los', named as loss. Did you mean 'loss'"):
        recognise(FRAME, Roles(loss="los"))


def test_stars_name_several_columns():
    frame = pd.DataFrame({"q_a": [0.5], "q_b": [0.5], "r": [1]})
    assert recognise(frame, Roles(probabilities=("q_*",))).roles.probabilities == ("q_a", "q_b")


def test_a_predicted_mask_is_no_predicted_class() -> None:
    columns = {"true_mask": ["a.png", "b.png"], "predicted_mask": ["c.png", "d.png"], "label": ["T1", "T2"]}
    found = recognise(pd.DataFrame(columns), Roles()).roles
    assert found.masks == ("true_mask", "predicted_mask")
    assert found.prediction is None
    assert found.label == "label"


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_ids_that_a_spreadsheet_would_run_are_recorded_and_read_as_they_are(tmp_path, ending):
    """They are names of files, which are looked for under these; docs/security.md says so."""
    table = LossTable(ids := [f"{sign}1+1.png" for sign in "=+-@"])
    table.record(losses=[0.0, 1.0, 2.0, 3.0])
    assert read_table(table.save(tmp_path / f"val{ending}")).frame["id"].tolist() == ids
