"""Files whole or not at all, and nothing left of them for ever."""

from __future__ import annotations

import errno
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core import files
from core.arrays import read_arrays
from core.errors import InvalidInput
from core.files import (
    cannot_write,
    held_folder,
    keep_arrays,
    replacing,
    scratch_folder,
    sweep_folders,
    write_arrays,
    write_text,
)


@pytest.fixture(autouse=True)
def first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_swept", set[Path]())


def test_a_fault_leaves_the_earlier_file_and_no_scraps(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")

    def fail() -> None:
        with replacing(tmp_path / "a") as part:
            part.write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "No space left on device. Free some space"),
        (errno.EDQUOT, "uota exceeded. Free some space"),
        (errno.EROFS, "Read-only file system. Choose a folder that you may write to."),
        (errno.EACCES, "Permission denied. Choose a folder that you may write to."),
    ],
)
def test_what_cannot_be_written_says_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    write_text(tmp_path / "a", "old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InvalidInput, match=r"Cannot write .*a: ") as caught:
        write_text(tmp_path / "a", "new")
    assert said in str(caught.value)
    assert (tmp_path / "a").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["a\0b.csv", "a\0b/c.csv", "\ud800.csv", "."])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"Invalid file name '.*'. Choose another name."), replacing(Path(name)):
        raise AssertionError("nothing can be written")


def test_an_error_without_a_number_is_told_in_its_own_words() -> None:
    assert str(cannot_write("X", OSError("odd"), "Do Y.")) == "X: odd. Do Y."


def test_what_a_killed_process_left_of_a_file_is_swept_after_an_hour_and_what_is_being_written_is_not(
    tmp_path: Path,
) -> None:
    left, own = tmp_path / ".table.csv.01234567.part", tmp_path / ".vimrc.deadbeef"
    left.write_text("half")
    own.write_text("the user's")
    for path in (left, own):
        os.utime(path, (0, 0))
    with replacing(tmp_path / "a") as part:
        part.write_text("x")
        files._swept.clear()
        write_text(tmp_path / "b", "y")
        assert part.is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == [own.name, "a", "b"]


def test_a_temporary_folder_is_gone_afterwards_and_those_of_killed_processes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "errata-scratch-killed"
    left.mkdir()
    (left / "file").write_text("x")
    with scratch_folder() as one, scratch_folder() as two:
        assert one != two
        assert one.is_dir()
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_holds_is_not_swept_nor_what_a_link_leads_to(tmp_path: Path) -> None:
    folder, held = held_folder("mine-", tmp_path)
    (tmp_path / "outside").mkdir()
    (tmp_path / "mine-link").symlink_to(tmp_path / "outside")
    assert sweep_folders("mine-", tmp_path) == 0
    held.release()
    assert sweep_folders("mine-", tmp_path) == 1
    assert not folder.exists()
    assert (tmp_path / "outside").is_dir()


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keep_arrays(tmp_path / "file" / "a.npz", {"a": np.zeros(3)})
    keep_arrays(tmp_path / "below" / "a.npz", {"a": np.zeros(3)})
    assert read_arrays(tmp_path / "below" / "a.npz")["a"].shape == (3,)


def test_arrays_that_would_hardly_shrink_are_stored_as_they_are_and_others_compressed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "vectors": rng.normal(size=(5000, 32)).astype(np.float32),
        "labels": np.arange(100_000) % 7,
        "few": rng.normal(size=3),
        "none": np.zeros((0, 4)),
        "one": np.array(2.5),
    }
    write_arrays(tmp_path / "a.npz", arrays)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        kinds = [archive.getinfo(f"a{at}.npy").compress_type for at in range(2)]
    assert kinds == [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
    for name, array in read_arrays(tmp_path / "a.npz").items():
        np.testing.assert_array_equal(array, arrays[name])
