"""Folders whose files belong together hold one version or none, and a writer touches its own files alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.folders import Kind, all_at_once, check_free

OLD = {"a": '{"version": "old"}', "b": "old", "gone": "old"}
NEW = {"a": '{"version": "new"}', "b": "new", "more": "new", "below/c": "new"}
KIND = Kind("test", "a", tuple(sorted(OLD.keys() | NEW.keys())), lambda said: "version" in said)
CALLS = ("replace", "rename", "unlink", "mkdir", "rmdir", "fsync", "open")


def write(folder: Path, files: dict[str, str]) -> None:
    with all_at_once(folder, KIND) as scratch:
        for name, text in files.items():
            (scratch / name).parent.mkdir(exist_ok=True)
            (scratch / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    """What a reader finds: nothing without the key."""
    found = {name: folder / name for name in sorted(OLD.keys() | NEW.keys())}
    return {name: path.read_text() for name, path in found.items() if path.is_file()} if KIND.lies_in(folder) else {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, OLD)
    (tmp_path / "mine").write_text("mine")
    return tmp_path


def test_the_new_files_take_the_place_of_the_earlier_ones_and_others_stay(folder: Path) -> None:
    write(folder, NEW)
    assert content(folder) == NEW
    assert sorted(os.listdir(folder)) == ["a", "b", "below", "mine", "more"]
    write(folder, OLD)
    assert content(folder) == OLD


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [KeyboardInterrupt, full])
def test_a_fault_at_any_call_leaves_the_old_files_or_the_new_ones_or_none_that_pass_for_either(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[], BaseException]
) -> None:
    count, at = [0], [-1]

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            count[0] += 1
            if count[0] == at[0]:
                raise error()
            return real(*args, **named)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    write(folder, NEW)
    steps = count[0]
    assert steps > 15
    found: list[dict[str, str]] = []
    for step in range(1, steps + 1):
        at[0] = -1
        for name in KIND.names:
            (folder / name).unlink(missing_ok=True)
        write(folder, OLD)
        count[0], at[0] = 0, step
        with suppress(KeyboardInterrupt, InvalidInput):
            write(folder, NEW)
        at[0] = -1
        found.append(content(folder))
        assert found[-1] in (OLD, NEW, {}), step
        assert (folder / "mine").read_text() == "mine"
    assert OLD in found
    assert {} in found
    assert NEW in found


def test_a_full_disk_is_told_as_one_and_a_folder_in_the_way_is_named(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"No space left on device\. Free some space"), all_at_once(folder, KIND):
        raise full()
    (folder / "b").unlink()
    (folder / "b").mkdir()
    with pytest.raises(InvalidInput, match="b is a folder, not a file"):
        write(folder, NEW)
    assert (folder / "a").read_text() == OLD["a"]


@pytest.mark.parametrize("key", [None, "{}", '{"format": 7}', "[1]", "no JSON", "[" * 100_000])
def test_the_users_own_files_of_the_same_names_are_named_and_stay(tmp_path: Path, key: str | None) -> None:
    (tmp_path / "b").write_text("mine")
    if key is not None:
        (tmp_path / "a").write_text(key)
    with pytest.raises(InvalidInput, match=r"holds (a, )?b, not written as a test\..* Choose an empty folder"):
        check_free(tmp_path, KIND)
    with pytest.raises(InvalidInput, match="your files"), all_at_once(tmp_path, KIND):
        pytest.fail("nothing is to be written")
    assert (tmp_path / "b").read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == (["b"] if key is None else ["a", "b"])


@pytest.mark.parametrize("target", ["/dev/zero", "../outside"])
def test_a_key_that_is_a_link_or_a_pipe_is_none(folder: Path, target: str) -> None:
    (folder / "a").unlink()
    (folder / "a").symlink_to(target)
    with pytest.raises(InvalidInput, match="your files"):
        write(folder, NEW)
    (folder / "a").unlink()
    os.mkfifo(folder / "a")
    assert not KIND.lies_in(folder)
