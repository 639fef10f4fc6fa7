"""npy, npz and safetensors made to hurt: refused by their headers, before room is made."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.arrays import open_arrays
from core.errors import InvalidInput
from core.limits import Limits


def loaded(path: Path) -> dict[str, Any]:
    return {name: one.load(lambda *_: None) for name, one in open_arrays(path).items()}


def npy(shape: str, kind: str = "'<f4'", data: bytes = b"") -> bytes:
    head = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (64 - (len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "u2", "?", "U5", ">f4"])
def test_arrays_come_back_as_numpy_reads_them(tmp_path: Path, kind: str, order: Any) -> None:
    array = np.asarray(np.random.default_rng(0).normal(size=(7, 5)) * 10, order=order).astype(kind)
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", a=array, empty=array[:0], number=array[0, 0])
    for found in (loaded(tmp_path / "a.npy")[""], loaded(tmp_path / "a.npz")["a"]):
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype
    assert loaded(tmp_path / "a.npz")["empty"].shape == (0, 5)
    assert loaded(tmp_path / "a.npz")["number"] == array[0, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy("(2000000000, 1)"), r"is truncated: .* 8,000,000,000 bytes, but it holds 0"),
        (npy("(4611686018427387904, 4)"), "impossible shape"),
        (npy(f"({2**70}, 0)"), "impossible shape"),
        (npy("(-1, 4)"), "impossible shape"),
        (npy("(True, 4)"), "impossible shape"),
        (npy(str((1,) * 65)), "impossible shape"),
        (npy("(" * 9000), "is not a readable array"),
        (npy("[" * 3000 + "]" * 3000), "is not a readable array"),
        (npy("(4, 4)", "[('a', '<f4')]", b"0" * 64), "holds records"),
        (npy("(4, 4)", "'|O'", b"0" * 64), "Python objects, which are pickles"),
        (npy("(4, 4)", "'<q9'", b"0" * 64), "is not a readable array"),
        (npy("(9, 4)", data=b"0" * 64), "is truncated"),
        (b"\x93NUMPY\x01\x00\xff\xff", "is not a readable array"),
        (b"\x93NUMPY\x09\x00", "is not a readable array"),
        (b"no", "is not a readable array"),
    ],
)
def test_a_header_that_lies_is_one_message_in_npy_and_npz(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(InvalidInput, match=f"{message}|would take at least|bytes unpacked"):
            loaded(tmp_path / name)


def test_a_small_npz_that_would_become_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy("(100000, 1000)", "'<f2'", b"\0" * 4_000_000))
    tracemalloc.start()
    with pytest.raises(InvalidInput, match=r"would take at least 1.5 GiB of memory once read; a file of"):
        open_arrays(tmp_path / "a.npz")
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_encrypted_strangely_packed_and_damaged_members_are_one_message(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, a=np.arange(4000.0).reshape(1000, 4))
    for field, value in ((6, 1), (8, 99), (60, 255)):  # flags, method, data
        raw = bytearray(whole.getvalue())
        for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
            if field != 60 or not shift:
                raw[raw.find(mark) + shift + field] = value
        (tmp_path / "a.npz").write_bytes(raw)
        with pytest.raises(InvalidInput, match=r"is damaged|is not a readable array"):
            loaded(tmp_path / "a.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_zipfile_unpacks_without_bound_are_refused_unopened(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("a.npy", npy("(10, 2)", "'<f8'", b"\0" * 60_000_000))
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="compressed with bzip2 or LZMA"):
        open_arrays(tmp_path / "a.npz")
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_more_than_a_thousand_arrays_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for i in range(1001):
            archive.writestr(f"{i}.npy", b"")
    with pytest.raises(InvalidInput, match="holds 1,001 arrays; the limit is 1,000"):
        open_arrays(tmp_path / "a.npz")


def safe(header: dict[str, Any], data: bytes, length: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def of(start: int, stop: int, kind: str = "F32", shape: tuple[int, ...] = (4, 4)) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (safe({"a": of(0, 64), "b": of(32, 96)}, b"0" * 96), "is damaged"),
        (safe({"a": of(0, 64)}, b"0" * 32), "is damaged"),
        (safe({"a": of(0, 64)}, b"0" * 64, 2**60), "is damaged"),
        (safe({"a": of(0, 64, shape=(2**40, 2**40))}, b"0" * 64), "is damaged"),
        (safe({"a": of(0, 32, "BF16")}, b"0" * 32), "has the type 'BF16'"),
        (b"short", "is damaged"),
    ],
)
def test_safetensors_that_lie_are_one_message(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        loaded(tmp_path / "a.safetensors")


def test_safetensors_come_back(tmp_path: Path) -> None:
    made = {kind: np.arange(12).reshape(3, 4).astype(kind) for kind in ("f2", "f4", "f8", "i8", "u1", "?")}
    save_file(made, tmp_path / "a.safetensors")
    found = loaded(tmp_path / "a.safetensors")
    assert found.keys() == made.keys()
    for kind, array in made.items():
        np.testing.assert_array_equal(found[kind], array)
        assert open_arrays(tmp_path / "a.safetensors")[kind].dtype == array.dtype


def test_what_is_too_large_even_unpacked_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((10, 10)))
    with pytest.raises(InvalidInput, match="is 800 bytes unpacked; the limit is 100"):
        open_arrays(tmp_path / "a.npy", Limits(max_table_bytes=100))
