"""Embeddings that mean harm: npy, npz and safetensors."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile import add, case
from tests.hostile.making import EVIL, csv_of, good_rows, patched, written

Made = dict[str, Any]
MB = 2**20
REFUSED = r"^refused: .*"
ANY = r"^(refused|left out|accepted)"


def npy(array: Any, **options: Any) -> bytes:
    """An array as np.save writes it."""
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


def head(text: str, data: bytes = b"", version: int = 1) -> bytes:
    """An npy whose header is this text."""
    said = text.encode("latin-1", "replace")
    size = struct.pack("<H" if version == 1 else "<I", len(said))
    return b"\x93NUMPY" + bytes([version, 0]) + size + said + data


def _of(shape: str, kind: str = "<f4", order: str = "False") -> str:
    return f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n"


def shaped(shape: str) -> str:
    """A header of this shape, as long as np.save makes it."""
    return _of(shape).rstrip("\n").ljust(117) + "\n"


HEADERS = {
    "a shape of 2^40 rows": _of("(1099511627776, 8)"),
    "a shape that overflows 64 bits": _of("(4611686018427387904, 4)"),
    "a shape that overflows to a small one": _of("(4294967296, 4294967296)"),
    "a shape of a number with 4,000 digits": _of(f"({'9' * 4000}, 2)"),
    "a negative shape": _of("(-1, 8)"),
    "a shape of texts": _of("('a', 8)"),
    "a shape of floats": _of("(2.5, 8)"),
    "a shape of true": _of("(True, 8)"),
    "a shape of 300 axes": _of("(" + "1," * 300 + ")"),
    "a shape of nothing": _of("()"),
    "a shape of 0 columns": _of("(24, 0)"),
    "a shape of 2^31 rows and 0 columns": _of("(2147483648, 0)"),
    "Python objects": _of("(24, 8)", "|O"),
    "a kind that is not known": _of("(24, 8)", "<q9"),
    "text of 2^31 letters a cell": _of("(24, 8)", "<U536870911"),
    "bytes of 2^31 a cell": _of("(1, 2)", "|S2147483647"),
    "void of 2^31 a cell": _of("(1, 2)", "|V2147483647"),
    "a record": "{'descr': [('a', '<f4'), ('b', '|O')], 'fortran_order': False, 'shape': (24, 8), }\n",
    "a record 200 deep": "{'descr': "
    + "[('a', " * 200
    + "'<f4'"
    + ")]" * 200
    + ", 'fortran_order': False, 'shape': (24,), }\n",
    "dates": _of("(24, 8)", "<M8[ns]"),
    "a call": "{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (24, 8), }\n",
    "no object": "[1, 2, 3]\n",
    "nothing": "",
    "keys that are not known": "{'descr': '<f4', 'fortran_order': False, 'shape': (24, 8), 'evil': 1}\n",
    "HTML": EVIL + "\n",
    "200 brackets": "(" * 200 + "\n",
    "60,000 brackets": "[" * 60_000 + "\n",
    "60,000 minus signs": "{'shape': " + "-" * 60_000 + "1}\n",
}
for what, text in HEADERS.items():
    add(
        f"npy: a header of {what}", "arrays", "vectors",
        lambda folder, text=text: written(folder, "v.npy", head(text, bytes(768))), REFUSED,
    )  # fmt: skip


@case("npy: a header of 4 GB", "vectors", REFUSED)
def _(folder: Path) -> Made:
    return written(folder, "v.npy", b"\x93NUMPY\2\0" + b"\xff\xff\xff\xff" + b"{" * 5000)


@case("npy: a header of 50 MB that is there", "vectors", REFUSED)
def _(folder: Path) -> Made:
    return written(folder, "v.npy", head("{'a': " + " " * 50 * MB + "}", version=2))


@case("npy: version 9", "vectors", REFUSED)
def _(folder: Path) -> Made:
    return written(folder, "v.npy", patched(npy(np.zeros((24, 8))), 6, b"\x09\x09"))


@case("npy: 6 GB in a file with a hole", "vectors", REFUSED)
def _(folder: Path) -> Made:
    with (folder / "v.npy").open("wb") as file:
        file.write(head(_of("(1610612736, 1)")).ljust(128))
        file.seek(6 * 2**30)
        file.write(b"\0")
    return {"path": str(folder / "v.npy")}


@case("npy: one byte short", "vectors", REFUSED)
def _(folder: Path) -> Made:
    return written(folder, "v.npy", npy(np.ones((24, 8)))[:-1])


@case("npy: a pickle", "vectors", REFUSED + "(pickle|objects|readable array)")
def _(folder: Path) -> Made:
    return written(folder, "v.npy", b"cos\nsystem\n(S'id'\ntR.")


@case("npy: an array of objects with a pickle that runs", "vectors", REFUSED + "objects")
def _(folder: Path) -> Made:
    return written(folder, "v.npy", npy(np.array([{"a": 1}] * 24, object), allow_pickle=True))


KINDS: dict[str, Any] = {
    "Fortran order": lambda: np.asfortranarray(np.random.default_rng(0).random((24, 8))),
    "big-endian": lambda: np.random.default_rng(0).random((24, 8)).astype(">f8"),
    "float16 at its end": lambda: np.full((24, 8), 65504, np.float16),
    "float128": lambda: np.ones((24, 8), np.longdouble) * np.longdouble("1e4000"),
    "1e308": lambda: np.full((24, 8), 1e308),
    "5e-324": lambda: np.full((24, 8), 5e-324),
    "nan": lambda: np.full((24, 8), np.nan),
    "inf": lambda: np.full((24, 8), np.inf),
    "zeros": lambda: np.zeros((24, 8)),
    "true and false": lambda: np.ones((24, 8), bool),
    "complex numbers": lambda: np.ones((24, 8), complex),
    "texts": lambda: np.array([["1.0"] * 8] * 24),
    "whole numbers of 2^63": lambda: np.full((24, 8), 2**64 - 1, np.uint64),
    "three axes": lambda: np.ones((24, 8, 2)),
    "one axis": lambda: np.ones(24),
    "no axis": lambda: np.float64(1),
    "one column": lambda: np.ones((24, 1)),
    "no rows": lambda: np.ones((0, 8)),
    "half of the rows nan": lambda: np.where(np.arange(24)[:, None] % 2, np.nan, np.ones((24, 8))),
}
for what, make in KINDS.items():
    add(f"npy: {what}", "arrays", "vectors", lambda folder, make=make: written(folder, "v.npy", npy(make())), ANY)


@case("npy: 10 million columns in a row", "vectors", ANY)
def _(folder: Path) -> Made:
    return written(folder, "v.npy", npy(np.ones((2, 10_000_000), np.float32)))


@case("npy: more rows than the table", "table", REFUSED + "one per row")
def _(folder: Path) -> Made:
    np.save(folder / "v.npy", np.ones((5000, 8)))
    return {**csv_of(folder, good_rows()), "embeddings": str(folder / "v.npy")}
