"""The door to files that may have been received: plain ones alone, none by a link out of the folder."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from core.documents import stored_json
from core.errors import InvalidInput
from core.limits import Limits
from core.received import StoredZip, check_model_folder, open_plain, read_plain


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.txt").write_text("secret")
    made = tmp_path / "run.errata"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "a.txt").write_text("a")
    return made


def test_a_plain_file_of_the_folder_is_read_and_a_named_one_by_its_link_too(folder: Path) -> None:
    assert read_plain(folder / "inner" / "a.txt", 1, below=folder) == b"a"
    (folder / "link").symlink_to("inner/a.txt")
    assert read_plain(folder / "link", 1) == b"a"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("to", ["../outside.txt", "inner/a.txt", "/dev/zero", "nowhere", "link"])
def test_no_link_of_a_received_folder_is_followed(folder: Path, to: str) -> None:
    (folder / "link").symlink_to(to)
    with pytest.raises(OSError, match="is a link"):
        open_plain(folder / "link", below=folder)


def test_no_link_to_a_folder_is_followed_on_the_way(folder: Path) -> None:
    (folder / "up").symlink_to(folder.parent)
    with pytest.raises(OSError, match=r"Not a directory|is a link"):
        open_plain(folder / "up" / "outside.txt", below=folder)
    with pytest.raises(ValueError, match="is outside the folder"):
        open_plain(folder / "inner" / ".." / ".." / "outside.txt", below=folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for below in (folder, None):
        with pytest.raises(OSError, match="pipe is not a file"):
            open_plain(folder / "pipe", below=below)
    with pytest.raises(InvalidInput, match="'pipe' is not a file"):
        check_model_folder(folder)


def test_what_is_a_folder_or_larger_than_may_be_read_is_refused(folder: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_plain(folder / "inner", below=folder)
    with pytest.raises(OSError, match=r"a\.txt has 1 byte; at most 0 bytes are read"):
        open_plain(folder / "inner" / "a.txt", 0, below=folder)


def test_a_models_folder_has_links_to_its_own_files_alone_and_a_hubs_to_those_beside_its_snapshots(
    folder: Path,
) -> None:
    (folder / "own").symlink_to("inner/a.txt")
    check_model_folder(folder)
    (folder / "out").symlink_to("../outside.txt")
    with pytest.raises(InvalidInput, match="'out' is a link out of the folder"):
        check_model_folder(folder)
    snapshot = folder.parent / "models--x" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "blobs").mkdir()
    (snapshot.parents[1] / "blobs" / "b").write_text("b")
    (snapshot / "config.json").symlink_to("../../blobs/b")
    check_model_folder(snapshot)
    (snapshot / "other").symlink_to("../../../outside.txt")
    with pytest.raises(InvalidInput, match="'other' is a link out"):
        check_model_folder(snapshot)


def test_a_zip_whose_directory_is_too_large_is_refused_and_its_file_stays_open(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("x", b"y")
    with open_plain(folder / "a.zip") as file:
        with StoredZip(file) as archive:
            assert archive.read("x") == b"y"
        assert not file.closed
    data = (folder / "a.zip").read_bytes()
    at, end, n = data.index(b"PK\1\2"), data.index(b"PK\5\6"), Limits().max_directory_bytes // 40
    size = (end - at) * n
    tail = data[end : end + 8] + b"\xff" * 4 + size.to_bytes(4, "little") + at.to_bytes(4, "little") + b"\0\0"
    (folder / "b.zip").write_bytes(data[:at] + data[at:end] * n + tail)
    with open_plain(folder / "b.zip") as file, pytest.raises(zipfile.BadZipFile, match="its directory has more than"):
        StoredZip(file)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 200_000, "nested too deep"),
        (b"[" + b"[]," * 10_000_000 + b"0]", "more than 1 GiB of memory"),
        ('["\N{GRINNING FACE}'.encode() + b"x" * 140_000_000 + b'"]', "more than 1 GiB of memory"),
    ],
)
def test_stored_json_is_bounded_by_what_it_becomes(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=f"state.json (is|would take) {why}"):
        stored_json(data, "state.json")
