"""CSV made to hurt: what it would become is known before pandas is asked."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.data.tables import delimited
from core.data.tables.read import read_table
from core.errors import Cancelled, InvalidInput
from core.limits import Limits


def never(*_: object, **__: object) -> None:
    raise AssertionError("pandas was asked")


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8", errors="surrogatepass")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",".join(f"c{i}" for i in range(50_000)) + "\n1\n", "has 50,000 columns, the limit is 20,000"),
        (",".join(f"c{i}" for i in range(10_000)) + "\n" + "1\n" * 60_000, "would take at least 17.9 GiB of memory"),
        ("a,loss\n" + "x,0.5\n" * 3000 + "\0,1\n", "line 3,002: zero bytes"),
        ("x" * 1_001 + ",loss\n1,2\n", r"column name 'xxxx.*has 1,001 characters, the limit is 1,000"),
        ("file,caption\n1.jpg,a dog, a cat\n", "3 fields in the first row, expected 2"),
        ("x" * 5_000_000, "line of column names"),
    ],
)
def test_a_table_that_is_none_or_would_grow_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.setattr(delimited.pd, "read_csv", never)
    with pytest.raises(InvalidInput, match=message):
        read_table(write(tmp_path / "t.csv", text))


def test_separators_at_the_ends_of_lines_are_no_cells(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path / "t.csv", "a,b\n1,2,\n3,4,\n")).frame
    assert frame["b"].tolist() == [2, 4]


def test_large_files_and_many_cells_are_refused_by_the_limits(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n" + "1,2\n" * 100)
    with pytest.raises(InvalidInput, match="has 404 bytes, the limit is 10"):
        read_table(path, limits=Limits(max_text_bytes=10))
    with pytest.raises(InvalidInput, match="would take at least"):
        read_table(path, limits=Limits(max_small_bytes=100))
    with pytest.raises(InvalidInput, match="has 100 rows, the limit is 99"):
        read_table(path, limits=Limits(max_rows=99))


def test_reading_a_table_can_be_cancelled_while_pandas_reads_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n" + "1.25,word\n" * 400_000)
    seen: list[int] = []

    def stop(_: str, done: int, __: int) -> None:
        seen.append(done)
        if done > 2**20:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        read_table(path, progress=stop)
    assert max(seen) < path.stat().st_size


def test_a_letter_across_two_parts_of_the_file_and_a_late_wrong_one_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "_CHUNK_BYTES", 5)
    path = write(tmp_path / "t.csv", "a,city\n1,Köln\n2,Zürich\n")
    assert read_table(path).frame["city"].tolist() == ["Köln", "Zürich"]
    assert read_table(path).notes == ()
    path.write_bytes("a,city\n1,Köln\n2,Zürich\n".encode("latin-1"))
    found = read_table(path)
    assert found.frame["city"].tolist() == ["Köln", "Zürich"]
    assert "t.csv, line 2: not UTF-8" in found.notes[0]


def test_half_a_character_in_a_frame_is_named() -> None:
    frame = pd.DataFrame({"city": pd.Series(["a", "\ud800"], dtype=object), "loss": [1.0, 2.0]})
    with pytest.raises(InvalidInput, match="row 1, 'city': character 1 is not valid UTF-8"):
        read_table(frame)
    with pytest.raises(InvalidInput, match="the name of a column: character 2 is not valid UTF-8"):
        read_table(pd.DataFrame([[1.0]], columns=pd.Index(["a\udfff"], dtype=object)))


def test_records_of_ever_new_keys_are_refused_before_they_become_a_table(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", "\n".join(f'{{"k{i}": 1}}' for i in range(6_000)))
    with pytest.raises(InvalidInput, match=r"would take at least 2.1 GiB .*records with the same keys"):
        read_table(path)


def test_lines_that_repeat_the_column_names_are_left_out_and_numbers_stay_numbers(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "id,loss\n001,0.5\nid,loss\n002,1.5\n"))
    assert table.frame["loss"].tolist() == [0.5, 1.5]
    assert table.frame["id"].tolist() == ["001", "002"]
    assert "1 line(s) of t.csv: they repeat the column names" in table.notes[0]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_decimal_commas_in_quotes_are_read_as_points_and_thousands_are_left(tmp_path: Path, separator: str) -> None:
    rows = [["a", '"0,5"', '"1,234"'], ["b", '"12,25"', '"22,500"'], ["c", "3", '"1,000"']]
    text = "\n".join(separator.join(row) for row in [["id", "loss", "size"], *rows])
    table = read_table(write(tmp_path / ("t.tsv" if separator == "\t" else "t.csv"), text))
    assert table.frame["loss"].tolist() == [0.5, 12.25, 3.0]
    assert any("Read commas as decimal points" in note for note in table.notes)
    if separator != ";":  # where cells are apart by semicolons, commas are decimal
        assert table.frame["size"].tolist() == ["1,234", "22,500", "1,000"]
