"""A writer touches its own files alone, whatever a folder holds or says."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.folders import all_at_once, settle
from core.owned import COMMITTED, GONE, Kind, check_free

KIND = Kind("test", "a", ("a", "b", "below/c"), lambda said: said.get("format") == 1)


def planted(folder: Path, files: dict[str, str], gone: object = ()) -> Path:
    """A folder as a writer that was killed leaves it, or one that says so."""
    for name, text in files.items():
        path = folder / COMMITTED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / COMMITTED).mkdir(exist_ok=True)
    (folder / COMMITTED / GONE).write_text(json.dumps(gone))
    return folder


@pytest.mark.parametrize("key", [None, "{}", '{"format": 7}', "[1]", "no JSON", "[" * 100_000])
def test_the_users_own_files_of_the_same_names_are_named_and_stay(tmp_path: Path, key: str | None) -> None:
    (tmp_path / "b").write_text("mine")
    if key is not None:
        (tmp_path / "a").write_text(key)
    with pytest.raises(InvalidInput, match=r"holds (a, )?b, and no test .* Choose another folder"):
        check_free(tmp_path, KIND)
    with pytest.raises(InvalidInput, match="your own files"), all_at_once(tmp_path, KIND):
        pytest.fail("nothing is to be written")
    assert (tmp_path / "b").read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == (["b"] if key is None else ["a", "b"])


def test_an_earlier_version_gives_way_also_where_its_writer_was_killed(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("moved already")
    planted(tmp_path, {"a": '{"format": 1}'})
    check_free(tmp_path, KIND)
    settle(tmp_path, KIND)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    with all_at_once(tmp_path, KIND) as scratch:
        (scratch / "a").write_text('{"format": 1, "new": 1}')
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("files", "gone"),
    [
        ({"a": "new"}, ["thesis.txt", "notes/n.txt"]),
        ({"a": "new", "thesis.txt": "planted"}, []),
        ({"a": "new", "notes/n.txt": "planted"}, []),
        ({"a": "new"}, {"thesis.txt": 1}),
        ({"a": "new"}, ["a\0b"]),
        ({"a": "new"}, ["\ud800"]),
        ({"a": "new"}, ["b", 3]),
        ({"a": "new", "below/below/c": "planted"}, []),
    ],
)
def test_a_folder_that_was_received_moves_and_removes_no_file_of_another_name(
    tmp_path: Path, files: dict[str, str], gone: object
) -> None:
    (tmp_path / "notes").mkdir()
    mine = {"thesis.txt": "mine", "notes/n.txt": "mine", "a": '{"format": 1}', "b": "old"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text)
    planted(tmp_path, files, gone)
    settle(tmp_path, KIND)
    with pytest.raises(InvalidInput, match=r"damaged, or of no test: .* delete"), all_at_once(tmp_path, KIND):
        pytest.fail("nothing is to be written")
    assert {name: (tmp_path / name).read_text() for name in mine} == mine


def pipe(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names here")
    os.mkfifo(path)


def endless(path: Path) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("there is no file without end here")
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(40 << 30)


@pytest.mark.parametrize(("make", "name"), [(pipe, GONE), (pipe, "b"), (endless, GONE), (endless, "b"), (huge, GONE)])
def test_a_list_without_end_is_not_read_and_a_pipe_is_not_moved(
    tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    planted(tmp_path, {})
    (tmp_path / COMMITTED / name).unlink(missing_ok=True)
    make(tmp_path / COMMITTED / name)
    settle(tmp_path, KIND)
    assert os.listdir(tmp_path) == [COMMITTED]


def test_folders_nested_deeper_than_any_writer_does_are_left_alone(tmp_path: Path) -> None:
    """As 3,000 would be; with a lower limit, so that what removes the test's folder is not kept from it."""
    for place in (COMMITTED, ".errata-writing-0"):
        (tmp_path / place).mkdir()
        here = os.open(tmp_path / place, os.O_RDONLY)
        for _ in range(400):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 200)
    try:
        settle(tmp_path, KIND)
    finally:
        sys.setrecursionlimit(usual)
    assert (tmp_path / COMMITTED / "d").is_dir()


def test_a_version_is_put_in_place_in_a_folder_that_is_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    planted(tmp_path / "real", {"a": '{"format": 1}', "below/c": "new"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    settle(tmp_path / "link", KIND)
    assert sorted(os.listdir(tmp_path / "real")) == ["a", "below"]
