"""What a person says of a stored run: saved without the run's arrays, and whole however the writer ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from core.records import Diagnosis
from core.store import RunStore, load, save, with_own, write_own
from core.yours import OwnMark, with_mark, yours_of
from tests.support.diagnoses import make_diagnosis


def noted(diagnosis: Diagnosis, note: str, cluster: int = 0) -> Diagnosis:
    return with_mark(diagnosis, OwnMark("cluster", cluster, note=note))


def note_of(diagnosis: Diagnosis, cluster: int = 0) -> str:
    return yours_of(diagnosis).mark_of("cluster", cluster).note


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "yours.json"


def test_a_note_is_written_alone_and_read_back_also_by_another_store(tmp_path: Path) -> None:
    first = RunStore(tmp_path)
    name = first.put(noted(make_diagnosis(), "in the state"))
    second = RunStore(tmp_path)
    assert note_of(second.get(name)) == "in the state"
    before = first.path(name).stat()
    first.say(name, lambda now: noted(now, "said"))
    assert first.path(name).stat() == before
    assert first.own_file(name).stat().st_size < 1000
    assert note_of(first.get(name)) == note_of(second.get(name)) == note_of(RunStore(tmp_path).get(name)) == "said"


def test_two_stores_that_say_something_at_once_lose_nothing(tmp_path: Path) -> None:
    name = RunStore(tmp_path).put(make_diagnosis())
    jobs = [
        threading.Thread(target=RunStore(tmp_path).say, args=(name, lambda now, at=at: noted(now, f"n{at}", at)))
        for at in (0, 1)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [note_of(RunStore(tmp_path).get(name), at) for at in (0, 1)] == ["n0", "n1"]


def test_a_run_that_is_saved_elsewhere_takes_what_was_said_along_and_one_that_is_removed_takes_it_away(
    tmp_path: Path,
) -> None:
    runs = RunStore(tmp_path / "runs")
    name = runs.put(make_diagnosis())
    said = runs.say(name, lambda now: noted(now, "said"))
    save(said, tmp_path / "copy.errata")
    assert note_of(load(tmp_path / "copy.errata")) == "said"
    runs.remove(name)
    assert os.listdir(tmp_path / "runs") == []


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", "{}", '{"yours": 3}', '{"yours": "my notes"}', '{"yours": {"marks": ["a"]}}']
)
def test_a_file_that_cannot_be_read_leaves_the_run_as_it_was_and_is_set_aside_by_the_next_note(
    own: Path, text: str
) -> None:
    run = noted(make_diagnosis(), "in the state")
    own.write_text(text)
    found = with_own(run, own)
    assert note_of(found) == "in the state"
    assert sum("yours.json" in note for note in found.notes) == 1
    write_own(noted(found, "new"), own)
    assert own.with_name("yours.json.unreadable").read_text() == text
    again = with_own(found, own)
    assert note_of(again) == "new"
    assert [note for note in again.notes if "yours.json" in note] == [
        "Your sets and notes on this run could not be read. They are saved in yours.json.unreadable."
    ]
    own.with_name("yours.json.unreadable").unlink()
    assert not any("yours.json" in note for note in with_own(again, own).notes)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_writer_that_is_killed_leaves_the_old_note_or_the_new(own: Path) -> None:
    run, long = make_diagnosis(), "x" * 1900
    write_own(noted(run, long), own)
    for turn in range(6):
        child = os.fork()
        if not child:
            at = 0
            while True:
                write_own(noted(run, f"{turn} {at} {long}"), own)
                at += 1
        threading.Event().wait(0.03 + 0.007 * turn)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = with_own(run, own)
        assert note_of(found).endswith(long)
        assert found.notes == run.notes


def test_what_does_not_fit_in_the_file_goes_no_further(tmp_path: Path, own: Path) -> None:
    deep = "[" * 900 + "]" * 900
    mark = '{"kind": "cluster", "number": 0, "note": "kept"}'
    own.write_text(f'{{"yours": {{"x": {deep}, "marks": [{mark}]}}}}', "utf-8")
    opened = with_own(make_diagnosis(), own)
    assert note_of(opened) == "kept"
    save(opened, tmp_path / "copy.errata")
    assert note_of(load(tmp_path / "copy.errata")) == "kept"
