"""Parquet tables: honest ones as pandas reads them, and those of a few bytes that would take all memory."""

from __future__ import annotations

import datetime
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.images import columns
from core.data.tables.cells import texts_of
from core.data.tables.parquet import read_columns
from core.data.tables.read import read_table
from core.data.tables.vectors import read_vectors
from core.errors import Cancelled, InvalidInput
from core.limits import Limits

N = 400
WHOLE = pa.table(
    {
        "text": [f"a{i % 7}" if i % 5 else None for i in range(N)],
        "number": np.arange(N) / 3,
        "gaps": pa.array([1 if i % 3 else None for i in range(N)]),
        "flag": [True, False] * (N // 2),
        "vector": [[1.0, 2.0]] * N,
        "names": [["x", "y"], []] * (N // 2),
        "record": [{"a": 1, "b": "q"}] * N,
        "day": [datetime.date(2020, 1, 1)] * N,
        "moment": pd.date_range("2020", periods=N, freq="h"),
        "decimal": [Decimal("1.25")] * N,
        "category": pa.array(["u", "v"] * (N // 2)).dictionary_encode(),
        "pairs": pa.array([[("k", 1)]] * N, pa.map_(pa.string(), pa.int64())),
        "a.b": ["dot"] * N,
        "fixed": pa.array([[1.0, 2.0]] * N, pa.list_(pa.float32(), 2)),
        "half": pa.array([1.5] * N, pa.float16()),
        "nothing": pa.nulls(N),
    }
)


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"row_group_size": 90},
        {"use_dictionary": False},
        {"data_page_version": "2.0", "row_group_size": 90},
        {"compression": "zstd", "data_page_size": 64},
        {"store_schema": False},
        {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY", "a.b": "DELTA_LENGTH_BYTE_ARRAY"}},
    ],
    ids=str,
)
def test_tables_come_back_as_pandas_reads_them_whatever_their_layout(tmp_path: Path, layout: dict[str, Any]) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(WHOLE, path, **layout)
    wanted = pq.read_table(path).to_pandas(ignore_metadata=True)
    found = read_columns(path, WHOLE.column_names, Limits())
    pd.testing.assert_frame_equal(found, wanted)
    assert found.dtypes.tolist() == wanted.dtypes.tolist()


def repeated(value: Any, n: int, kind: Any = None) -> Any:
    """One value, n times, in a few bytes."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([value], kind))


@pytest.mark.parametrize(
    "column",
    [
        repeated("x" * 1_000_000, 4_500),
        pa.ListArray.from_arrays(pa.array(np.arange(4_501, dtype=np.int32)), repeated("x" * 1_000_000, 4_500)),
        pa.StructArray.from_arrays([repeated("x" * 1_000_000, 4_500)], ["inner"]),
    ],
    ids=["text", "list", "record"],
)
def test_a_text_of_a_megabyte_repeated_is_refused_while_it_is_still_one(tmp_path: Path, column: Any) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"file": column}), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 20_000
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(InvalidInput, match=r"would take at least 8.4 GiB of memory once read; a file of"):
        read_table(path)
    assert pa.default_memory_pool().max_memory() - before < 300e6


def test_list_views_are_read_as_lists_and_bounded_like_them(tmp_path: Path) -> None:
    path, rows = tmp_path / "t.parquet", [["x", None], None, [], ["y"]] * 30
    numbers = [[1.0, 2.0]] * len(rows)
    kinds = {
        "texts": (pa.list_view(pa.string()), pa.list_(pa.string()), rows),
        "numbers": (pa.large_list_view(pa.float32()), pa.large_list(pa.float32()), numbers),
        "nested": (pa.list_(pa.list_view(pa.string())), pa.list_(pa.list_(pa.string())), [rows[:4]] * len(rows)),
        "record": (
            pa.struct([("a", pa.list_view(pa.string()))]),
            pa.struct([("a", pa.list_(pa.string()))]),
            [{"a": row} for row in rows],
        ),
    }
    for views, name in ((True, "v"), (False, "l")):
        made = {key: pa.array(values, kind[not views]) for key, (*kind, values) in kinds.items()}
        pq.write_table(pa.table(made), tmp_path / f"{name}.parquet", row_group_size=50)
    found, wanted = (read_columns(tmp_path / f"{name}.parquet", list(kinds), Limits()) for name in "vl")
    pd.testing.assert_frame_equal(found, wanted)
    pq.write_table(pa.table({"embedding": pa.array(numbers, pa.list_view(pa.float32()))}), path)
    assert read_vectors(path, Limits())[0].shape == (len(rows), 2)
    texts, places = repeated("x" * 1_000_000, 4_500), np.arange(4_500, dtype=np.int32)
    views = pa.ListViewArray.from_arrays(pa.array(places), pa.array(np.ones(4_500, np.int32)), texts)
    pq.write_table(pa.table({"file": views}), path, compression="zstd")
    with pytest.raises(InvalidInput, match=r"would take at least 8.4 GiB of memory once read; a file of"):
        read_table(path)


@pytest.mark.parametrize(
    "kind", [pa.list_view(pa.int64()), pa.list_(pa.int64()), pa.list_view(pa.string_view()), pa.int64()]
)
def test_a_column_without_rows_is_read_as_one_and_a_group_without_rows_passed_over(tmp_path: Path, kind: Any) -> None:
    path, empty = tmp_path / "t.parquet", pa.table({"id": pa.array([], pa.int64()), "v": pa.array([], kind)})
    pq.write_table(empty, path)
    assert read_columns(path, ["id", "v"], Limits()).shape == (0, 2)
    with pytest.raises(InvalidInput, match="has column names but no rows"):
        read_table(path)
    full = pa.table({"id": [1, 2], "v": pa.array([None, None], kind)})
    with pq.ParquetWriter(path, full.schema) as writer:
        for part in (empty, full, empty):
            writer.write_table(part)
    assert read_columns(path, ["id", "v"], Limits())["id"].tolist() == [1, 2]


@pytest.mark.parametrize("dictionary", [True, False])
def test_lists_of_text_views_are_read_as_texts(tmp_path: Path, dictionary: bool) -> None:
    path, rows = tmp_path / "t.parquet", [["a", None], None, [], ["b"]] * 5
    kinds = (pa.list_view(pa.string_view()), pa.list_(pa.string_view()), pa.list_(pa.list_view(pa.string_view())))
    columns = {str(i): pa.array(rows, kind) for i, kind in enumerate(kinds[:2])}
    columns["2"] = pa.array([[row] for row in rows], kinds[2])
    encoding = None if dictionary else "DELTA_BYTE_ARRAY"
    pq.write_table(pa.table(columns), path, use_dictionary=dictionary, column_encoding=encoding)
    found = read_columns(path, list(columns), Limits())
    for name in "01":
        assert [cell if cell is None else list(cell) for cell in found[name]] == rows
    assert list(found["2"][0][0]) == ["a", None]


def test_a_cell_that_is_no_text_is_named_wherever_it_stands(tmp_path: Path) -> None:
    path, n = tmp_path / "t.parquet", 3_000
    cells = [b"ok"] * n
    cells[2_345] = b"\xff\xfe"
    columns = {
        "bytes": pa.array(cells),
        "text": pa.array(cells).view(pa.string()),
        "list": pa.ListArray.from_arrays(pa.array(range(n + 1), pa.int32()), pa.array(cells).view(pa.string())),
    }
    for name, column in columns.items():
        table = pa.table({"id": [str(i) for i in range(n)], name: column})
        for dictionary in (True, False):
            pq.write_table(table, path, row_group_size=1_000, use_dictionary=dictionary)
            with pytest.raises(InvalidInput, match=rf"row 2,346: column '{name}' is not valid UTF-8"):
                read_columns(path, ["id", name], Limits())


def test_many_rows_and_long_lists_of_a_few_bytes_are_refused_by_their_pages(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    zeros, limits = pa.array(np.zeros(3_000_000, np.int8)), Limits(max_rows=2_000_000, max_small_bytes=2**25)
    pq.write_table(pa.table({"loss": zeros}), path, compression="zstd")
    assert path.stat().st_size < 20_000
    with pytest.raises(InvalidInput, match="has 3,000,000 rows, the limit is 2,000,000"):
        read_table(path, limits=limits)
    lists = pa.ListArray.from_arrays(pa.array([0, 3_000_000], pa.int32()), zeros)
    pq.write_table(pa.table({"embedding": lists}), path, compression="zstd")
    with pytest.raises(InvalidInput, match=r"would take at least 4\d(\.\d)? MiB"):
        read_table(path, limits=limits)
    with pytest.raises(InvalidInput, match=r"would take at least 4\d(\.\d)? MiB"):
        read_vectors(path, limits)


def test_a_summary_that_lies_about_its_rows_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"loss": np.arange(1_000_000) % 7}), path, compression="zstd")
    raw = path.read_bytes()
    many, few = b"\x80\x89\x7a", b"\x82\x80\x00"  # 1,000,000 and 1 as Thrift's varints of one length
    end = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    path.write_bytes(raw[:end] + raw[end:].replace(many, few))
    assert pq.read_metadata(path).num_rows == 1
    with pytest.raises(InvalidInput, match="would take at least"):
        read_columns(path, ["loss"], Limits(max_small_bytes=2_000_000, max_growth=1))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_columns=2), "has .* columns, the limit is 2"),
        (Limits(max_rows=10), "has 400 rows, the limit is 10"),
        (Limits(max_small_bytes=100), "a page has .* bytes unpacked, the limit is 100|would take"),
    ],
)
def test_what_is_past_a_limit_is_refused(tmp_path: Path, limits: Limits, message: str) -> None:
    pq.write_table(WHOLE, tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=message):
        read_table(tmp_path / "t.parquet", limits=limits)


def test_bytes_that_are_no_text_and_cut_files_are_one_message(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    broken = pa.array([b"caf\xe9"]).cast(pa.binary()).view(pa.string())
    pq.write_table(pa.table({"city": broken}), path)
    with pytest.raises(InvalidInput, match=r"t\.parquet, row 1: column 'city' is not valid UTF-8\. Re-save"):
        read_table(path)
    pq.write_table(WHOLE, path)
    raw = path.read_bytes()
    for cut in range(4, len(raw), len(raw) // 40):
        path.write_bytes(raw[:cut] + raw[cut + 40 :])
        with suppress(InvalidInput):  # or it is read, where the cut lies in values: nothing else is raised
            read_table(path)


def test_reading_can_be_cancelled_between_batches(tmp_path: Path) -> None:
    pq.write_table(WHOLE, tmp_path / "t.parquet", row_group_size=100)
    calls = []

    def stop(*said: object) -> None:
        calls.append(said)
        if len(calls) == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        read_table(tmp_path / "t.parquet", progress=stop)
    assert len(calls) == 2


def test_a_picture_repeated_a_million_times_is_refused_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_MAX_GROUP_BYTES", 2**22)
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"image": repeated(b"\xff" * 1_000_000, 2_000)}), path, compression="zstd", store_schema=False
    )
    pictures = read_table(path, limits=Limits(max_small_bytes=2**25)).images["image"]
    with pytest.raises(InvalidInput, match=r"the images in 'image' exceed .* bytes, the limit for a file"):
        pictures.read(5)


@pytest.mark.parametrize("kind", [pa.string_view(), pa.large_string(), pa.binary(), pa.large_binary()], ids=str)
def test_texts_are_read_in_whatever_type_they_are_stored(tmp_path: Path, kind: pa.DataType) -> None:
    texts = [None, "", *(f"caf\u00e9 {i} \U0001f44d" for i in range(30))]
    pq.write_table(pa.table({"text": pa.array(texts).cast(kind)}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert not table.images
    assert texts_of(table.frame["text"]).tolist() == texts


def test_a_dictionary_of_bytes_is_texts_too(tmp_path: Path) -> None:
    names = pa.array(["good", "bad", None] * 20).cast(pa.binary()).dictionary_encode()
    pq.write_table(pa.table({"label": names, "loss": np.arange(60.0)}), tmp_path / "t.parquet")
    assert texts_of(read_table(tmp_path / "t.parquet").frame["label"]).tolist() == ["good", "bad", None] * 20


def test_bytes_that_are_no_text_are_pictures(tmp_path: Path) -> None:
    for cell in (b"\x89PNG\r\n", b"GIF89a\0\0", b"caf\xe9 au lait"):
        pq.write_table(pa.table({"text": [b"", cell]}), tmp_path / "t.parquet")
        assert list(read_table(tmp_path / "t.parquet").images) == ["text"]


def test_a_text_among_bytes_that_is_none_is_said(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [b"good"] * 20 + [b"caf\xe9"]}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"row 21: column 'text' is not valid UTF-8"):
        read_table(tmp_path / "t.parquet")
