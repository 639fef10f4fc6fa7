"""The files of a folder are replaced together, whatever happens on the way."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.files import WRITING
from core.folders import all_at_once, located, open_located, read_version, settle
from core.locks import take
from core.owned import COMMITTED, Kind
from core.store.layout import RUN

OLD_A, NEW_A = '{"version": "old"}', '{"version": "new"}'
OLD, NEW = {"a": OLD_A, "b": "old", "gone": "old"}, {"a": NEW_A, "b": "new", "more": "new", "below/c": "new"}
KIND = Kind("test", "a", tuple(sorted(OLD.keys() | NEW.keys())), lambda said: "version" in said)
CALLS = ("replace", "rename", "unlink", "mkdir", "rmdir", "fsync", "open")


def write(folder: Path, files: dict[str, str]) -> None:
    with all_at_once(folder, KIND) as scratch:
        for name, text in files.items():
            (scratch / name).parent.mkdir(exist_ok=True)
            (scratch / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    """What a reader finds, through what is being moved."""
    names = sorted(OLD.keys() | NEW.keys())
    moving = folder / COMMITTED
    gone = json.loads((moving / ".gone.json").read_text()) if (moving / ".gone.json").is_file() else []
    found = {name: moving / name if (moving / name).is_file() else folder / name for name in names}
    return {name: path.read_text() for name, path in found.items() if path.is_file() and name not in gone}


def scraps(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, OLD)
    (tmp_path / "mine").write_text("mine")
    return tmp_path


class Faults:
    """Counts the calls that change files, and raises at one of them, or from one of them on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.at, self.lasts = 0, -1, False
        self.error: Callable[[], BaseException] = KeyboardInterrupt
        for name in CALLS:
            monkeypatch.setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == self.at or (self.lasts and self.at > 0 and self.count > self.at):
                raise self.error()
            return real(*args, **named)

        return call

    def arm(self, at: int, error: Callable[[], BaseException], *, lasts: bool = False) -> None:
        self.count, self.at, self.error, self.lasts = 0, at, error, lasts


def steps(folder: Path, faults: Faults) -> int:
    faults.arm(-1, KeyboardInterrupt)
    write(folder, NEW)
    n = faults.count
    write(folder, OLD)
    return n


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_new_files_take_the_place_of_the_earlier_ones_and_others_stay(folder: Path) -> None:
    write(folder, NEW)
    assert content(folder) == NEW
    assert (folder / "mine").read_text() == "mine"
    assert scraps(folder) == []
    write(folder, OLD)
    assert content(folder) == OLD
    assert not (folder / "below").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, full])
def test_a_fault_at_any_call_leaves_the_old_files_or_the_new_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[], BaseException]
) -> None:
    faults = Faults(monkeypatch)
    n = steps(folder, faults)
    assert n > 15
    for at in range(1, n + 1):
        faults.arm(at, error)
        said = ""
        try:
            write(folder, NEW)
        except (KeyboardInterrupt, InvalidInput) as told:
            said = str(told)
        assert not said or "No space left" in said
        faults.arm(-1, error)
        assert content(folder) in (OLD, NEW), at
        settle(folder, KIND)
        assert content(folder) in (OLD, NEW), at
        assert scraps(folder) == [], at
        write(folder, OLD)
    assert (folder / "mine").read_text() == "mine"


def test_a_writer_that_dies_at_any_call_leaves_the_old_files_or_the_new_ones_and_the_next_one_sweeps(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All calls fail from then on, as no more are made by a dead process."""
    faults = Faults(monkeypatch)
    n, found = steps(folder, faults), []
    for at in range(1, n + 1):
        faults.arm(at, KeyboardInterrupt, lasts=True)
        with pytest.raises((KeyboardInterrupt, InvalidInput)):
            write(folder, NEW)
        faults.arm(-1, KeyboardInterrupt)
        assert content(folder) in (OLD, NEW), at
        settle(folder, KIND)
        found.append(content(folder))
        assert scraps(folder) == [], at
        write(folder, OLD)
    turn = found.index(NEW)
    assert found == [OLD] * turn + [NEW] * (n - turn)


def test_a_full_disk_is_told_as_one_and_a_folder_in_the_way_is_named(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"No space left on device\. Free some room"), all_at_once(folder, KIND):
        raise full()
    (folder / "b").unlink()
    (folder / "b").mkdir()
    with pytest.raises(InvalidInput, match="folder lies where the file b belongs"):
        write(folder, NEW)
    assert scraps(folder) == []


def test_a_committed_version_is_read_where_it_cannot_be_moved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / COMMITTED).mkdir()
    (folder / COMMITTED / "a").write_text("new")

    def refuse(path: Path, target: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        settle(folder, KIND)
    assert located(folder / "a").read_text() == "new"
    with open_located(folder / "a") as file:
        assert file.read() == b"new"
    settle(folder, KIND)
    assert (folder / "a").read_text() == "new"


def test_what_a_writer_at_work_has_beside_is_left_alone(folder: Path) -> None:
    pytest.importorskip("fcntl")
    (folder / f"{WRITING}x").mkdir()
    held = take(folder)
    assert held is not None
    with held:
        settle(folder, KIND)
        assert (folder / f"{WRITING}x").is_dir()
    settle(folder, KIND)
    assert not (folder / f"{WRITING}x").exists()


def test_a_copy_of_an_earlier_version_that_was_killed_while_moving_is_put_in_place_and_one_before_is_swept(
    tmp_path: Path,
) -> None:
    scratch = tmp_path / ".new-0123456789abcdef"
    scratch.mkdir()
    (scratch / "state.json").write_text("new")
    (tmp_path / "state.npz").write_text("new, moved already")
    settle(tmp_path, RUN)
    assert (tmp_path / "state.json").read_text() == "new"
    scratch.mkdir()
    (scratch / "state.json").write_text("newer, not begun to be moved")
    settle(tmp_path, RUN)
    assert (tmp_path / "state.json").read_text() == "new"
    assert scraps(tmp_path) == []


@pytest.mark.parametrize("name", ["../victim", "/victim", "link/victim", "a/b/c"])
def test_a_folder_that_was_brought_moves_and_removes_nothing_outside(tmp_path: Path, name: str) -> None:
    brought, outside = tmp_path / "brought", tmp_path / "outside"
    (brought / COMMITTED).mkdir(parents=True)
    outside.mkdir()
    for victim in (tmp_path / "victim", outside / "victim"):
        victim.write_text("safe")
    (brought / "link").symlink_to(outside)
    (brought / COMMITTED / "link").symlink_to(outside)
    said = str(tmp_path / "victim") if name == "/victim" else name
    (brought / COMMITTED / ".gone.json").write_text(json.dumps([said, 3, None]))
    settle(brought, KIND)
    assert (tmp_path / "victim").read_text() == (outside / "victim").read_text() == "safe"
    shutil.rmtree(brought / COMMITTED)
    (brought / COMMITTED).symlink_to(outside)
    settle(brought, KIND)
    assert (outside / "victim").read_text() == "safe"


def test_a_reader_reads_anew_where_the_version_changed_meanwhile_and_else_believes_the_fault(folder: Path) -> None:
    seen: list[str] = []

    def read() -> str:
        seen.append((folder / "a").read_text())
        if len(seen) == 1:
            write(folder, NEW)
            raise InvalidInput("a mixture")
        return seen[-1]

    assert read_version(folder, KIND, read) == NEW_A
    assert seen == [OLD_A, NEW_A]

    def fail() -> str:
        raise InvalidInput("damaged")

    with pytest.raises(InvalidInput, match="damaged"):
        read_version(folder, KIND, fail)


def test_where_no_rename_is_refused_nothing_is_left_of_a_folder_that_vanished(tmp_path: Path) -> None:
    write(tmp_path / "x", NEW)
    shutil.rmtree(tmp_path / "x")
    settle(tmp_path / "x", KIND)
    assert not (tmp_path / "x").exists()
