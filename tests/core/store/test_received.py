"""A run that was received is opened, or refused with one message: it is never waited for or read on and on."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.documents import MAX_STORED_BYTES
from core.errors import InvalidInput
from core.store import load, save
from core.store.layout import ARRAYS, MODEL, STATE
from tests.support.diagnoses import make_diagnosis
from tests.support.stored import edit_state, rewrite


@pytest.fixture
def run(tmp_path: Path) -> Path:
    save(make_diagnosis(with_images=False), tmp_path / "run.errata")
    return tmp_path / "run.errata"


def test_a_file_of_any_size_is_not_read(run: Path) -> None:
    with run.open("wb") as file:
        file.truncate(40 << 30)
    with pytest.raises(InvalidInput, match=r"cannot be opened \(run.errata has 40 GiB; at most"):
        load(run)


@pytest.mark.parametrize("name", [STATE, MODEL])
def test_documents_that_unpack_to_any_size_are_not_unpacked(run: Path, name: str) -> None:
    rewrite(run, {name: None})
    with (
        zipfile.ZipFile(run, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(MAX_STORED_BYTES // 2**24 + 1):
            member.write(bytes(2**24))
    assert run.stat().st_size < 2**20
    with pytest.raises(InvalidInput, match=rf"damaged \({name} has .*the limit is 256 MiB"):
        load(run)


def encrypted(content: bytearray, entry: int) -> None:
    content[entry + 8] |= 1


def strangely_packed(content: bytearray, entry: int) -> None:
    content[entry + 10] = 99


def unbounded(content: bytearray, entry: int) -> None:
    content[entry + 10] = zipfile.ZIP_LZMA


def broken(content: bytearray, entry: int) -> None:
    (start,) = struct.unpack_from("<I", content, entry + 42)
    name, extra = struct.unpack_from("<HH", content, start + 26)
    content[start + 30 + name + extra : start + 30 + name + extra + 20] = b"\xff" * 20


def elsewhere(content: bytearray, entry: int) -> None:
    struct.pack_into("<I", content, entry + 42, 2**31)


@pytest.mark.parametrize("change", [encrypted, strangely_packed, unbounded, broken, elsewhere])
@pytest.mark.parametrize("name", [ARRAYS, STATE])
def test_members_that_cannot_be_unpacked_are_told_as_damage(
    run: Path, change: Callable[[bytearray, int], None], name: str
) -> None:
    content = bytearray(run.read_bytes())
    with zipfile.ZipFile(run) as archive:
        entry = archive.start_dir
    while (entry := content.find(b"PK\x01\x02", entry)) >= 0:
        if content[entry + 46 :].startswith(name.encode()):
            change(content, entry)
        entry += 4
    run.write_bytes(content)
    with pytest.raises(InvalidInput, match="is damaged"):
        load(run)


def test_a_directory_that_says_too_little_of_a_member_is_told_as_damage(run: Path) -> None:
    content = bytearray(run.read_bytes())
    with zipfile.ZipFile(run) as archive:
        entry = content.find(b"PK\x01\x02", archive.start_dir)
    while not content[entry + 46 :].startswith(STATE.encode()):
        entry = content.find(b"PK\x01\x02", entry + 4)
    struct.pack_into("<I", content, entry + 24, 10)  # bytes that it unpacks to
    run.write_bytes(content)
    with pytest.raises(InvalidInput, match="is damaged"):
        load(run)


@pytest.mark.parametrize("names", [[[1]] * 60, ["a"], "abc", {}])
def test_names_of_pictures_that_are_none_are_told_as_damage(tmp_path: Path, names: object) -> None:
    save(make_diagnosis(), tmp_path / "pictures.errata")
    edit_state(tmp_path / "pictures.errata", lambda said: said.update(image_names=names))
    with pytest.raises(InvalidInput, match="is damaged"):
        load(tmp_path / "pictures.errata")
