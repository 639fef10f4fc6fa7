"""Zips that are made to cost more than they weigh."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from core.data.images.archives import open_images
from core.errors import InvalidInput
from core.limits import Limits
from tests.support.stopping import open_files, stop_after


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_method_gives_the_bytes_and_their_beginning(tmp_path: Path, method: int) -> None:
    members = {f"{i}.png": os.urandom(i) + b"x" * 3 * i for i in (0, 1, 63, 64, 65, 300_000)}
    store = open_images(zipped(tmp_path / "x.zip", members, method))
    assert {store.name(i): store.read(i) for i in range(len(store))} == members
    assert [store.head(i) for i in range(len(store))] == [(len(c), c[:64]) for c in members.values()]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_unpacks_to_more_than_it_says_is_stopped_at_what_it_said(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path / "x.zip", {"a.png": bytes(20_000_000)}, method)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 20_000_000), struct.pack("<I", 10)))
    store = open_images(path, Limits(max_ratio=1e9))
    tracemalloc.start()
    with pytest.raises(InvalidInput, match=r"the member 'a.png' (cannot be unpacked|is damaged)"):
        store.read(0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20  # a decompressor may hold 8 MiB


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.png": os.urandom(5000), "b.png": os.urandom(5000)})
    raw = bytearray(path.read_bytes())
    second = raw.rindex(b"PK\1\2")
    raw[second + 42 : second + 46] = struct.pack("<I", 0)  # the second lies where the first does
    path.write_bytes(raw)
    with pytest.raises(InvalidInput, match=r"damaged zip: its members .* share bytes"):
        open_images(path)


def test_a_directory_is_weighed_and_counted_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "x.zip", {f"{i}.png": b"x" for i in range(50)})
    made = list[int]()
    monkeypatch.setattr(zipfile.ZipInfo, "_decodeExtra", lambda *_: made.append(1))
    with pytest.raises(InvalidInput, match="list of files takes more than 2 KiB"):
        open_images(path, Limits(max_directory_bytes=2000))
    with pytest.raises(InvalidInput, match="more than 49 files"):
        open_images(path, Limits(max_files=49))
    assert made == []
    assert len(open_images(path, Limits(max_files=50))) == 50


@pytest.mark.parametrize(("at", "wrong"), [(8, b"\xff\xff"), (6, b"\xff\0"), (42, b"\xff" * 4), (46, b"\xff\xfe")])
def test_a_damaged_directory_is_one_message(tmp_path: Path, at: int, wrong: bytes) -> None:
    path = zipped(tmp_path / "x.zip", {"é1.png": b"x"})
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\1\2")
    raw[entry + at : entry + at + len(wrong)] = wrong
    path.write_bytes(raw)
    with pytest.raises(InvalidInput, match=r"x\.zip"):
        open_images(path).read(0)


@pytest.mark.parametrize("calls", [1, 2])
def test_a_visitor_who_stops_leaves_no_zip_open(tmp_path: Path, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.records.progress.SECONDS_BETWEEN_REPORTS", 0.0)
    path, before = zipped(tmp_path / "x.zip", {f"{i}.png": b"x" for i in range(9)}), open_files()
    with stop_after(calls) as progress:
        open_images(path, progress=progress)
    assert open_files() == before


@pytest.mark.parametrize("calls", [1, 2, 5])
def test_a_visitor_who_stops_ends_the_walk_through_a_folder(
    tmp_path: Path, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.records.progress.SECONDS_BETWEEN_REPORTS", 0.0)
    for i in range(9):
        (tmp_path / f"{i}.png").write_bytes(b"x")
    with stop_after(calls) as progress:
        open_images(tmp_path, progress=progress)
