"""Runs that the operator opens: what the one person at home says of them stays, and their folders as they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from core.store import save
from core.yours import OwnMark, with_mark, yours_of
from tests.support.visits import serve
from tests.webapp.callbacks import press
from webapp.explore import own_part, yours
from webapp.explore.own_part import OF_ALL, read_only
from webapp.explore.picked import show_selection
from webapp.explore.yours import on_yours
from webapp.state import home
from webapp.state.runs import Runs
from webapp.state.session import Session

Start = Callable[..., tuple[Runs, str]]


@pytest.fixture
def start(tmp_path: Path, diagnosis: Diagnosis) -> Iterator[Start]:
    """start() serves a run, and starts once more each time: at home unless told."""
    save(diagnosis, tmp_path / "run.errata")

    def server(folder: Path = tmp_path / "run.errata", *, alone: bool = True) -> tuple[Runs, str]:
        home.keep(tmp_path / "kept")
        runs = Runs()
        run = runs.offer(folder, "run-1")
        runs.begin(lists_all=alone)
        return runs, run

    yield server
    home.keep(None)


def note(runs: Runs, run: str) -> str:
    return yours_of(runs.get(run)).mark_of("cluster", 0).note


def say(runs: Runs, run: str, text: str) -> None:
    runs.say(run, lambda now: with_mark(now, OwnMark("cluster", 0, note=text)))


def written(path: Path) -> tuple[int, int, int]:
    """Which file it is, how long, and when it was written; that it was read may change a file's time too."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def test_a_note_on_an_opened_run_stays_beside_the_kept_runs(start: Start, tmp_path: Path) -> None:
    runs, run = start()
    before = written(tmp_path / "run.errata")
    say(runs, run, "seen in May")
    assert note(runs, run) == note(*start()) == "seen in May"
    assert written(tmp_path / "run.errata") == before
    assert "seen in May" in runs.file(run, "diagnosis.json").read_text("utf-8")
    shutil.move(tmp_path / "run.errata", tmp_path / "moved.errata")
    assert note(*start(tmp_path / "moved.errata")) == "seen in May"
    serve("ann")
    start(tmp_path / "moved.errata")[0].forget("ann")
    assert note(*start(tmp_path / "moved.errata")) == ""


def test_other_clusters_in_the_same_file_have_no_notes(start: Start, diagnosis: Diagnosis, tmp_path: Path) -> None:
    runs, run = start()
    say(runs, run, "of these clusters")
    save(replace(diagnosis, clusters=diagnosis.clusters[:1]), tmp_path / "run.errata")
    assert note(*start()) == ""


def test_where_others_come_and_on_shipped_examples_nobody_writes(start: Start, tmp_path: Path) -> None:
    runs, run = start(alone=False)
    assert not runs.takes_notes(run)
    with pytest.raises(InvalidInput):
        say(runs, run, "x")
    runs, run = start()
    assert not runs.takes_notes(runs.offer(tmp_path / "run.errata"))


def test_the_page_says_where_a_note_on_an_opened_run_is_kept(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.explore import picked, worth
    from webapp.state import query, session

    runs, run = start()
    for module in (own_part, yours, picked, worth, query, session):
        monkeypatch.setattr(module, "RUNS", runs)
    assert read_only(run) == ""
    opened = Session(run).only(cluster=0)
    assert "with your runs on this machine" in show_selection(opened)[1]
    _, pane, *_ = on_yours(opened, press(run=run, of="cluster:0", do="save", note="seen in May"))
    assert "seen in May" in pane
    runs.offered.notable = False
    assert read_only(run) == OF_ALL


def test_forgetting_leaves_no_file_with_a_note(start: Start, tmp_path: Path) -> None:
    runs, run = start()
    serve("ann")
    say(runs, run, "seen in May")
    made = {name: runs.file(run, name) for name in ("report.html", "diagnosis.json")}
    own = runs.offered.own_file(run)
    assert own is not None
    part_of_it = own.with_name(f".{own.name}.0123abcd.part")  # of a writer that was killed
    part_of_it.write_text("seen in May", "utf-8")
    runs.forget("ann")
    assert not any(path.exists() for path in (made["diagnosis.json"], made["report.html"], own, part_of_it))


def test_a_note_that_cannot_be_kept_is_refused_in_words(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise PermissionError(13, "no")

    runs, run = start()
    monkeypatch.setattr("webapp.state.offered.lock", no_locks)
    with pytest.raises(InvalidInput, match="Cannot save your notes"):
        say(runs, run, "x")


def test_what_lies_in_place_of_a_note_is_set_aside_and_goes_when_all_is_forgotten(start: Start) -> None:
    runs, run = start()
    own = runs.offered.own_file(run)
    assert own is not None
    (own / "inside").mkdir(parents=True)
    say(runs, run, "seen in May")
    assert note(runs, run) == "seen in May"
    assert any("unreadable" in said for said in runs.get(run).notes)
    serve("ann")
    runs.forget("ann")
    assert list(own.parent.glob("*.json*")) == []


def test_a_file_in_place_of_the_folder_of_notes_leaves_the_run_open_and_is_said(start: Start) -> None:
    runs, run = start()
    folder = home.part("said")
    folder.rmdir()
    folder.write_text("")
    assert runs.get(run).clusters
    assert not runs.offered.has_notes()
    with pytest.raises(InvalidInput, match="Cannot save your notes"):
        say(runs, run, "x")
    folder.unlink()
