"""What Python calls a table is read like a file of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.data.samples import read_data_set
from core.data.tables.roles import Roles
from core.errors import InvalidInput

ROWS = {"id": [f"s{i}" for i in range(30)], "loss": np.linspace(0, 1, 30), "light": ["dark", "bright"] * 15}


class Entry:
    """A path that is no `pathlib.Path`, such as an entry of a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


class Polars:
    """A table that is no DataFrame and can become one."""

    def to_pandas(self) -> pd.DataFrame:
        return pd.DataFrame(ROWS)


@pytest.mark.parametrize("table", [ROWS, pa.table(ROWS), Polars()], ids=["dict", "Arrow", "to_pandas"])
def test_a_dict_and_other_tables_say_what_a_dataframe_says(table: Any) -> None:
    vectors = np.random.default_rng(0).normal(size=(30, 4))
    plain, other = (read_data_set(each, embeddings=vectors) for each in (pd.DataFrame(ROWS), table))
    assert other.samples.ids == plain.samples.ids
    np.testing.assert_array_equal(other.outcomes.loss, plain.outcomes.loss)
    assert [c.name for c in other.samples.metadata] == [c.name for c in plain.samples.metadata] == ["light"]


def test_paths_of_other_libraries_are_paths(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(30, 4))
    pd.DataFrame(ROWS).to_csv(tmp_path / "rows.csv", index=False)
    np.save(tmp_path / "rows.npy", vectors)
    found = read_data_set(Entry(tmp_path / "rows.csv"), embeddings=Entry(tmp_path / "rows.npy"))  # type: ignore[arg-type]
    assert found.samples.ids == tuple(ROWS["id"])


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"id": ["a", "b"], "loss": [1.0]}, "one list per column, all of one length"),
        ([1, 2], "losses, one float per sample: got int64"),
        (3, "type int"),
        (type("T", (), {"to_pandas": lambda self: "x"})(), "type str"),
        (Polars, "type type"),
        (type("T", (), {"to_pandas": lambda self: self.lost})(), "Cannot convert the table .T. to .* attribute 'lost'"),
        (type("T", (), {"to_pandas": lambda self, *, batched: 1})(), "Cannot convert the table .T. to a DataFrame"),
        ({"id": {"a", "b"}, "loss": [1.0, 2.0]}, "The dict is not a table"),
    ],
)
def test_what_is_no_table_is_refused_by_its_kind(table: Any, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read_data_set(table, embeddings=np.zeros((2, 2)))


@pytest.mark.filterwarnings("error")
def test_bytes_that_are_no_pictures_are_named() -> None:
    table = {**ROWS, "label": ["a"] * 30, "prediction": ["a"] * 30, "digest": [b"\xff\x00"] * 30}
    with pytest.raises(InvalidInput, match="Column 'digest' holds bytes but not one image"):
        read_data_set(table, embeddings=np.zeros((30, 2)))


@pytest.mark.filterwarnings("error")
def test_odd_cells_are_texts_or_left_out_and_said() -> None:
    cells: list[Any] = [np.arange(3), pd.Series([1, 2]), pd.DataFrame({"a": [1]}), *("x" * 27)]
    found = read_data_set(pd.DataFrame(ROWS).assign(odd=cells, wave=1j), embeddings=np.ones((30, 2)))
    assert [column.name for column in found.samples.metadata] == ["light", "odd"]
    assert any("Ignored 'wave': it holds complex numbers" in note for note in found.notes)
    with pytest.raises(InvalidInput, match="holds no finite number"):
        read_data_set({**ROWS, "loss": [1j] * 30}, embeddings=np.ones((30, 2)), roles=Roles(loss="loss"))
