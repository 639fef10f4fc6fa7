"""Parquet files that mean harm: small on disk, large in memory, or not what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile import case
from tests.hostile.making import EVIL, N, patched, picture, pictures, png, written

Made = dict[str, Any]
MB = 2**20
REFUSED = r"^refused: .*"
ANY = r"^(refused|left out|accepted)"
TOO_LARGE = REFUSED + "(bytes|rows|unpacked|read)"


def write(
    folder: Path, n: int = N, name: str = "t.parquet", options: dict[str, Any] | None = None, **columns: Any
) -> Made:
    """A Parquet file with an id, a loss and these columns."""
    given = {"id": pa.array([f"r{i}" for i in range(n)]), "loss": pa.array(np.linspace(0, 1, n)), **columns}
    pq.write_table(pa.table(given), folder / name, **(options or {}))
    return {"path": str(folder / name)}


def repeated(text: str, n: int) -> Any:
    """n cells of one text, as a dictionary of one entry."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([text]))


@case("parquet: 100,000 cells of one text of 1 MB, by a dictionary", "table", TOO_LARGE)
def _(folder: Path) -> Made:
    return write(folder, 100_000, note=repeated("x" * MB, 100_000))


@case("parquet: 4,000 cells of one text of 1 MB, by a dictionary", "table", ANY)
def _(folder: Path) -> Made:
    return write(folder, 4000, note=repeated("x" * MB, 4000))


@case("parquet: plain texts that a dictionary page repeats", "table", ANY)
def _(folder: Path) -> Made:
    return write(folder, 4000, note=pa.array(["x" * MB] * 20 + ["y"] * 3980), options={"row_group_size": 4000})


@case("parquet: 100 million rows of one number, by run lengths", "table", TOO_LARGE, slow=True)
def _(folder: Path) -> Made:
    return _runs(folder, 100_000_000, 1)


@case("parquet: 10 million rows of 40 columns, by run lengths", "table", TOO_LARGE, slow=True)
def _(folder: Path) -> Made:
    return _runs(folder, 1_000_000, 400)


def _runs(folder: Path, n: int, columns: int) -> Made:
    path = folder / "t.parquet"
    schema = pa.schema([("id", pa.int64()), *((f"c{i}", pa.int64()) for i in range(columns))])
    group = 1_000_000
    column = pa.array(np.zeros(group, np.int64))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for _ in range(max(1, n // group)):
            writer.write_table(pa.table([column] * (columns + 1), schema=schema))
    return {"path": str(path)}


@case("parquet: 400 million nulls", "table", TOO_LARGE, slow=True)
def _(folder: Path) -> Made:
    path = folder / "t.parquet"
    schema = pa.schema([("loss", pa.float64()), ("note", pa.string())])
    part = pa.table([pa.nulls(2_000_000, pa.float64()), pa.nulls(2_000_000, pa.string())], schema=schema)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(part)
    return {"path": str(path)}


@case("parquet: 50,000 columns", "table", REFUSED + "columns", slow=True)
def _(folder: Path) -> Made:
    return write(folder, N, **{f"c{i}": pa.array(np.zeros(N)) for i in range(50_000)})


@case("parquet: 20,000 row groups", "table", ANY, slow=True)
def _(folder: Path) -> Made:
    return write(folder, 20_000, options={"row_group_size": 1})


@case("parquet: lists in lists, 60 deep", "table", ANY)
def _(folder: Path) -> Made:
    kind, value = pa.float64(), 1.0
    for _ in range(60):
        kind, value = pa.list_(kind), [value]
    return write(folder, N, x=pa.array([value] * N, kind))


@case("parquet: structs in structs, 60 deep", "table", ANY)
def _(folder: Path) -> Made:
    kind, value = pa.float64(), 1.0
    for _ in range(60):
        kind, value = pa.struct([("a", kind)]), {"a": value}
    return write(folder, N, x=pa.array([value] * N, kind))


@case("parquet: embeddings of 10 million numbers in a row", "table", ANY, slow=True)
def _(folder: Path) -> Made:
    flat = pa.array(np.zeros(10_000_000, np.float32))
    lists = pa.ListArray.from_arrays(pa.array(np.array([*range(23), 10_000_000], np.int32), pa.int32()), flat)
    return write(folder, 23, embedding=lists)


@case("parquet: embeddings that repeat one list a million times", "table", TOO_LARGE, slow=True)
def _(folder: Path) -> Made:
    one = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(2_000 * 50_000, np.float32)), 2000)
    return write(folder, 50_000, embedding=one)


KINDS = {
    "decimals of 76 digits": lambda: pa.array([None, *["9" * 76] * (N - 1)]).cast(pa.decimal256(76, 0)),
    "times of the year 300,000": lambda: pa.array([9_223_372_036_854_775] * N, pa.timestamp("ms")),
    "months, days and times": lambda: pa.array([1] * N, pa.time64("us")),
    "durations": lambda: pa.array([2**62] * N, pa.duration("s")),
    "half floats": lambda: pa.array([np.float16(1)] * N, pa.float16()),
    "nothing at all": lambda: pa.nulls(N),
    "maps": lambda: pa.array([[("a", 1)]] * N, pa.map_(pa.string(), pa.int64())),
    "large text": lambda: pa.array(["a"] * N, pa.large_string()),
    "fixed bytes": lambda: pa.array([b"ab"] * N, pa.binary(2)),
    "unsigned numbers of 2^64": lambda: pa.array([2**64 - 1] * N, pa.uint64()),
    "text of HTML": lambda: pa.array([EVIL] * N),
}


def _kind(make: Any) -> Any:
    return lambda folder: write(folder, N, x=make())


for what, make in KINDS.items():
    case(f"parquet: a column of {what}", "table", ANY)(_kind(make))


@case("parquet: an Arrow type that nobody registered", "table", ANY)
def _(folder: Path) -> Made:
    field = pa.field(
        "x", pa.int64(), metadata={"ARROW:extension:name": "evil.type", "ARROW:extension:metadata": "x" * 9000}
    )
    schema = pa.schema([("id", pa.string()), ("loss", pa.float64()), field])
    table = pa.table([[f"r{i}" for i in range(N)], np.linspace(0, 1, N), np.arange(N)], schema=schema)
    pq.write_table(table, folder / "t.parquet")
    return {"path": str(folder / "t.parquet")}


@case("parquet: pandas' own notes say that there is an index of a million", "table", ANY)
def _(folder: Path) -> Made:
    index = b'{"kind": "range", "start": 0, "stop": 1000000000, "step": 1}'
    note = b'{"index_columns": [' + index + b'], "columns": [], "column_indexes": []}'
    table = pa.table({"id": [f"r{i}" for i in range(N)], "loss": np.linspace(0, 1, N)})
    pq.write_table(table.replace_schema_metadata({b"pandas": note}), folder / "t.parquet")
    return {"path": str(folder / "t.parquet")}


@case("parquet: two columns of one name", "table", REFUSED + "occurs 2 times")
def _(folder: Path) -> Made:
    pq.write_table(pa.table([np.arange(N), np.arange(N)], names=["loss", "loss"]), folder / "t.parquet")
    return {"path": str(folder / "t.parquet")}


@case("parquet: no column", "table", REFUSED)
def _(folder: Path) -> Made:
    pq.write_table(pa.table({}), folder / "t.parquet")
    return {"path": str(folder / "t.parquet")}


@case("parquet: a footer of 2 GB", "table", REFUSED + "Parquet")
def _(folder: Path) -> Made:
    write(folder)
    return written(folder, "t.parquet", patched((folder / "t.parquet").read_bytes(), -8, b"\xff\xff\xff\x7f"))


@case("parquet: cut short", "table", REFUSED + "Parquet")
def _(folder: Path) -> Made:
    write(folder, 2000)
    return written(folder, "t.parquet", (folder / "t.parquet").read_bytes()[:-700])


for seed in range(6):

    @case(f"parquet: noise in the pages, {seed}", "table", ANY)
    def _(folder: Path, seed: int = seed) -> Made:
        write(folder, 2000, note=pa.array([f"text {i}" for i in range(2000)]))
        data, random = bytearray((folder / "t.parquet").read_bytes()), np.random.default_rng(seed)
        for at in random.integers(4, len(data) - 900, 30).tolist():
            data[at] = int(random.integers(256))
        return written(folder, "t.parquet", bytes(data))

    @case(f"parquet: noise in the footer, {seed}", "table", ANY)
    def _(folder: Path, seed: int = seed) -> Made:
        write(folder, 200)
        data, random = bytearray((folder / "t.parquet").read_bytes()), np.random.default_rng(seed)
        for at in random.integers(len(data) - 800, len(data) - 8, 3).tolist():
            data[at] = int(random.integers(256))
        return written(folder, "t.parquet", bytes(data))


def _number(value: int) -> bytes:
    """A whole number as Parquet's footer writes it: zigzag, seven bits a byte."""
    left, out = value * 2, bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes([*out, left])


@case("parquet: the footer says 1 byte for a column of 1 GB", "table", TOO_LARGE, slow=True)
def _(folder: Path) -> Made:
    path, names = folder / "t.parquet", ["loss", *(f"c{i}" for i in range(9))]
    schema = pa.schema([(name, pa.float64()) for name in names])
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for part in range(15):
            writer.write_table(pa.table([np.full(1_000_000, part / 15)] * 10, schema=schema))
    data, kept = path.read_bytes(), pq.ParquetFile(path).metadata
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer = data[start:]
    sizes = {kept.row_group(g).column(c).total_uncompressed_size for g in range(15) for c in range(10)}
    for said in map(_number, sizes):
        footer = footer.replace(said, b"\x82" + b"\x80" * (len(said) - 2) + b"\0")
    return written(folder, "t.parquet", data[:start] + footer)


@case("parquet: pictures that are bombs", "table", "^(left out|refused): .*(pixels|rows? (is|are) left)")
def _(folder: Path) -> Made:
    return write(folder, N, image=pa.array([png(60_000, 60_000)] * N, pa.binary()))


@case("parquet: one picture of 200 MB a thousand times", "table", TOO_LARGE, slow=True)
def _(folder: Path) -> Made:
    values = pa.array([bytes(200 * MB)], pa.binary())
    cells = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, np.int32)), values)
    return write(folder, 1000, image=cells, options={"compression": "zstd"})


@case("parquet: a thousand rows of one picture of 1 MB by a dictionary", "table", ANY, slow=True)
def _(folder: Path) -> Made:
    values = pa.array([picture(0, (600, 600), "BMP")], pa.binary())
    return write(folder, 1000, image=pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, np.int32)), values))


@case("parquet: paths of pictures that climb and are HTML", "table", ANY)
def _(folder: Path) -> Made:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [{"bytes": data, "path": f"../../{EVIL}\0{name}"} for name, data in pictures(N).items()]
    return write(folder, N, image=pa.array(cells, kind))


@case("parquet: pictures all empty", "table", ANY)
def _(folder: Path) -> Made:
    return write(folder, N, image=pa.array([b""] * N, pa.binary()))


@case("parquet: CSV under its name", "table", REFUSED + "Parquet")
def _(folder: Path) -> Made:
    return written(folder, "t.parquet", "id,loss\na,1\n" * 30)
