"""What a person says of a stored run: saved without the run's arrays, and whole however the writer ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from core.records import Diagnosis
from core.store import OWN, RunStore, load, save, update, write_own
from core.store.layout import ASIDES
from core.yours import OwnMark, with_mark, yours_of
from tests.support.diagnoses import make_diagnosis


def noted(diagnosis: Diagnosis, note: str, cluster: int = 0) -> Diagnosis:
    return with_mark(diagnosis, OwnMark("cluster", cluster, note=note))


def note_of(diagnosis: Diagnosis, cluster: int = 0) -> str:
    return yours_of(diagnosis).mark_of("cluster", cluster).note


def test_a_note_is_written_alone_and_read_back_also_by_another_store(tmp_path: Path) -> None:
    first = RunStore(tmp_path)
    name = first.put(noted(make_diagnosis(), "in the state"))
    folder, second = tmp_path / name, RunStore(tmp_path)
    assert note_of(second.get(name)) == "in the state"
    before = {path.name: path.stat() for path in folder.iterdir()}
    first.say(name, lambda now: noted(now, "said"))
    assert {path.name: path.stat() for path in folder.iterdir() if path.name != OWN} == before
    assert (folder / OWN).stat().st_size < 1000
    assert note_of(first.get(name)) == note_of(second.get(name)) == note_of(load(folder)) == "said"


def test_two_stores_that_say_something_at_once_lose_nothing(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    name = RunStore(tmp_path).put(make_diagnosis())
    jobs = [
        threading.Thread(target=RunStore(tmp_path).say, args=(name, lambda now, at=at: noted(now, f"n{at}", at)))
        for at in (0, 1)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [note_of(load(tmp_path / name), at) for at in (0, 1)] == ["n0", "n1"]


def test_the_next_version_of_a_run_has_it_in_its_state(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path)
    write_own(noted(load(tmp_path), "said"), tmp_path / OWN)
    update(load(tmp_path), tmp_path, lambda now: now)
    assert not (tmp_path / OWN).exists()
    assert note_of(load(tmp_path)) == "said"


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", "{}", '{"yours": 3}', '{"yours": "my notes"}', '{"yours": {"marks": ["a"]}}']
)
def test_a_file_that_cannot_be_read_leaves_the_run_as_it_was_written(tmp_path: Path, text: str) -> None:
    save(noted(make_diagnosis(), "in the state"), tmp_path)
    (tmp_path / OWN).write_text(text)
    found = load(tmp_path)
    assert note_of(found) == "in the state"
    assert sum(OWN in note for note in found.notes) == 1
    write_own(noted(found, "new"), tmp_path / OWN)
    assert (tmp_path / ASIDES[0]).read_text() == text


def test_a_file_that_cannot_be_read_is_set_aside_by_the_next_note_and_that_is_said(tmp_path: Path) -> None:
    runs = RunStore(tmp_path)
    name = runs.put(make_diagnosis())
    (tmp_path / name / OWN).write_text("{ my notes")
    for text in ("new", "newer"):
        said = runs.say(name, lambda now, text=text: noted(now, text))
        assert note_of(load(tmp_path / name)) == text
    aside = tmp_path / name / ASIDES[0]
    assert aside.read_text() == "{ my notes"
    for found in (said, runs.get(name), load(tmp_path / name)):
        assert sum(ASIDES[0] in note for note in found.notes) == 1


def test_each_damaged_file_is_kept_and_the_note_goes_once_it_is_mended(tmp_path: Path) -> None:
    runs = RunStore(tmp_path)
    name = runs.put(make_diagnosis())
    folder = tmp_path / name
    for text in ("first", "second", "third", "fourth"):
        (folder / OWN).write_text(text)
        assert any(OWN in note for note in runs.get(name).notes)
        assert not any(OWN in note for note in runs.say(name, lambda now, text=text: noted(now, text)).notes)
    assert [(folder / aside).read_text() for aside in ASIDES] == ["first", "second", "fourth"]
    assert all(sum(aside in note for note in runs.get(name).notes) == 1 for aside in ASIDES)
    (folder / OWN).write_text("x")
    assert any(OWN in note for note in runs.get(name).notes)
    (folder / OWN).write_text('{"yours": null}')
    assert not any(OWN in note for note in runs.get(name).notes)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_writer_that_is_killed_leaves_the_old_note_or_the_new(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path)
    run, long = load(tmp_path), "x" * 1900
    write_own(noted(run, long), tmp_path / OWN)
    for turn in range(6):
        child = os.fork()
        if not child:
            at = 0
            while True:
                write_own(noted(run, f"{turn} {at} {long}"), tmp_path / OWN)
                at += 1
        threading.Event().wait(0.03 + 0.007 * turn)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = load(tmp_path)
        assert note_of(found).endswith(long)
        assert not any(OWN in note for note in found.notes)


def test_what_does_not_fit_in_the_file_goes_no_further(tmp_path: Path) -> None:
    run = make_diagnosis()
    save(run, tmp_path / "run")
    deep = "[" * 900 + "]" * 900
    text = f'{{"yours": {{"x": {deep}, "marks": [{{"kind": "cluster", "number": 0, "note": "kept"}}]}}}}'
    (tmp_path / "run" / OWN).write_text(text, "utf-8")
    opened = load(tmp_path / "run")
    assert note_of(opened) == "kept"
    save(opened, tmp_path / "copy")
    assert note_of(load(tmp_path / "copy")) == "kept"
