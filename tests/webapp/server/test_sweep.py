"""What is kept too long goes, whatever the wall clock says."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.records import Diagnosis
from webapp.server import sweep
from webapp.server.sweep import Sweeper
from webapp.state import runs
from webapp.state.home import part
from webapp.state.quotas import AT_HOME, quotas, set_quotas
from webapp.state.runs import RUNS


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    before = quotas()
    set_quotas(AT_HOME)
    yield
    set_quotas(before)


@pytest.fixture
def things() -> list[Path]:
    """An upload, a file to take away and a cache."""
    made = [part("uploads") / "digest" / "t.csv", part("files") / "visit" / "audit" / "a.csv", part("cache") / "visit"]
    for path in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.write_text("a visitor's")
        else:
            path.mkdir(exist_ok=True)
            (path / "embeddings.sqlite").write_text("vectors")
    return made


def test_all_that_is_older_than_a_day_goes_and_what_is_younger_stays(things: list[Path]) -> None:
    now = [0.0]
    sweeper = Sweeper(clock=lambda: now[0])
    sweeper.sweep()
    now[0] = AT_HOME.kept_s - 1
    sweeper.sweep()
    assert all(path.exists() for path in things)
    now[0] = AT_HOME.kept_s + 1
    sweeper.sweep()
    assert not any(path.exists() for path in things)


def test_folders_that_go_away_during_a_sweep_are_passed_over(
    things: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (part("uploads") / name / "deeper").mkdir(parents=True)
        (part("uploads") / name / "t.csv").write_text("a visitor's")
    now, looked = [0.0], Path.lstat

    def and_all_go(path: Path) -> os.stat_result:
        found = looked(path)
        if now[0] and path.name == "t.csv":  # another thread, as its visitor leaves
            for folder in part("uploads").iterdir():
                if folder != path.parent and folder.name in "abc":
                    shutil.rmtree(folder)
        return found

    sweeper = Sweeper(clock=lambda: now[0])
    sweeper.sweep()
    now[0] = AT_HOME.kept_s + 1
    monkeypatch.setattr(Path, "lstat", and_all_go)
    sweeper.sweep()
    assert not any(path.exists() for path in things)


def test_a_file_brought_anew_under_its_name_is_young_again(things: list[Path]) -> None:
    now, path = [0.0], things[0]
    sweeper = Sweeper(clock=lambda: now[0])
    sweeper.sweep()
    path.unlink()
    path.write_text("anew")
    os.utime(path, ns=(1, 1))
    now[0] = AT_HOME.kept_s + 1
    sweeper.sweep()
    assert path.exists()


def test_a_clock_a_day_ahead_deletes_no_run(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RUNS.add(diagnosis)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 25 * 3600)
    RUNS.add(diagnosis)
    Sweeper().sweep()
    assert len(RUNS.get(run).samples) == 60


def test_a_run_older_than_a_day_goes(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RUNS.add(diagnosis)
    folder, real = RUNS.path(run), time.monotonic
    monkeypatch.setattr(runs.time, "monotonic", lambda: real() + AT_HOME.kept_s + 1)
    assert Sweeper().sweep() >= 1
    assert not folder.exists()


def test_the_sweep_is_often_enough_for_the_promise_of_a_day() -> None:
    assert AT_HOME.kept_s + 2 * sweep.EVERY_S < 24 * 3600


def test_the_folder_that_uploads_come_into_stays_when_the_last_of_them_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = part("uploads") / "of-the-test"
    folder.mkdir()
    (folder / "tmp").write_text("")
    monkeypatch.setattr(sweep, "part", lambda name: folder if name == "uploads" else part(name))
    assert sweep._delete(folder / "tmp") == 1
    assert folder.is_dir()
    folder.rmdir()
