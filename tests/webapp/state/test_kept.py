"""Runs that outlive their server: found again, for nobody else, and gone when they are to be gone."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from tests.support.visits import serve
from webapp.state import home
from webapp.state.notes import link_id
from webapp.state.quotas import AT_HOME, SHARED, quotas, set_quotas
from webapp.state.runs import Runs

Start = Callable[..., Runs]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """start() is a server that keeps its runs in one folder, and starts once more each time; shared unless told."""
    before = quotas()

    def server(*, at_home: bool = False) -> Runs:
        set_quotas(AT_HOME if at_home else SHARED)
        home.keep(tmp_path / "kept")
        made = Runs()
        made.begin(lists_all=at_home)
        return made

    yield server
    home.keep(None)
    set_quotas(before)


def stored(kept: Path) -> tuple[list[str], list[str]]:
    """Names of the stored runs, and of the notes."""
    return [path.name for path in (kept / "runs").iterdir()], [path.stem for path in (kept / "notes").glob("*")]


def test_a_run_is_found_after_a_restart_under_both_ids_and_its_name(start: Start, diagnosis: Diagnosis) -> None:
    serve("ann")
    first = start()
    run = first.add(diagnosis)
    first.entitle(run, "  Dogs \n in  snow ")
    made = first.own_notes()[0][1].made
    second = start()
    serve("ann, reloaded")
    assert second.list_own() == []
    second.adopt([run])
    ((own, note),) = second.own_notes()
    assert (own, note.title, note.made, note.n_samples, note.n_clusters) == (run, "Dogs in snow", made, 60, 2)
    assert len(second.get(run).samples) == len(second.get(link_id(run)).samples) == 60
    second.change(run, lambda now: replace(now, notes=("changed",)))
    assert second.own_notes()[0][1].title == "Dogs in snow"
    assert start().get(link_id(run)).notes == ("changed",)
    with pytest.raises(InvalidInput, match="a link opened it"):
        start().change(link_id(run), lambda now: now)


def test_the_disk_does_not_say_how_to_change_a_run(start: Start, diagnosis: Diagnosis, tmp_path: Path) -> None:
    serve("ann")
    runs = start()
    run = runs.add(diagnosis)
    runs.entitle(run, "Mine")
    for path in (tmp_path / "kept").rglob("*"):
        assert run not in path.name
        assert path.is_dir() or run.encode() not in path.read_bytes()
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    said = stored(tmp_path / "kept")
    for name in (*said[0], *said[1]):  # what stands there opens nothing but for reading
        runs.remove(name)
        runs.entitle(name, "Taken")
    assert runs.list_own() == [(run, "Mine")]


def test_what_a_killed_server_left_half_written_is_never_listed_and_goes(
    start: Start, diagnosis: Diagnosis, tmp_path: Path
) -> None:
    serve("ann")
    run, kept = start().add(diagnosis), tmp_path / "kept"
    whole, notes = stored(kept)
    without_note = kept / "runs" / ("1" * 16 + whole[0][16:])
    shutil.copyfile(kept / "runs" / whole[0], without_note)
    (kept / "notes" / ("x" * 22 + ".json")).write_text("{")
    half, part = kept / "runs" / f".{whole[0]}.01234567.part", kept / "notes" / f".{'y' * 22}.json.01234567.part"
    for left in (half, part):
        left.write_text("")
        os.utime(left, (0, 0))
    written = part.with_name(f".{'y' * 22}.json.76543210.part")  # of another server that is at work
    written.write_text("")
    again = start()
    assert (half.exists(), part.exists(), written.exists()) == (False, False, True)
    written.unlink()
    serve("ann, reloaded")
    again.adopt([run])
    assert [own for own, _ in again.list_own()] == [run]
    assert stored(kept)[0] == whole
    (kept / "runs" / whole[0]).rename(kept / "elsewhere")
    assert again.list_own() == []
    start()
    assert set(stored(kept)[1]) - {"x" * 22} == set()
    assert notes == [link_id(run)]


def test_at_home_a_whole_run_whose_note_was_lost_is_listed_again(
    start: Start, diagnosis: Diagnosis, tmp_path: Path
) -> None:
    serve("ann")
    runs, kept = start(at_home=True), tmp_path / "kept"
    runs.add(diagnosis)
    (name,), (note,) = stored(kept)
    (kept / "notes" / f"{note}.json").write_text("{}")
    version = (
        kept / "runs" / (name[:25] + "-" + "0" * 32 + ".errata")
    )  # as between a new version's note and the old one's end
    runs = start(at_home=True)
    runs.adopt([])
    assert len(runs.list_own()) == 1
    shutil.copyfile(kept / "runs" / name, version)
    runs = start(at_home=True)
    runs.adopt([])
    assert len(runs.list_own()) == 1
    assert not version.exists()


def test_servers_that_share_a_folder_leave_each_other_s_runs_alone(start: Start, diagnosis: Diagnosis) -> None:
    serve("ann")
    first = start()
    others = list[Runs]()

    def another_starts(step: str, done: int, total: int) -> None:
        if step == "storing the run":  # it lies on disk and has no note yet
            others.append(start())

    run = first.add(diagnosis, another_starts)
    (second,) = others
    assert len(first.get(run).samples) == len(second.get(run).samples) == 60
    second.entitle(run, "Called so by the other")
    assert first.list_own() == [(run, "Called so by the other")]
    first.change(run, lambda now: replace(now, notes=("changed",)))
    assert second.get(run).notes == ("changed",)
    second.expire()
    assert first.list_own() != []
    second.remove(run)
    assert first.list_own() == []
    with pytest.raises(InvalidInput, match="no longer has this run"):
        first.get(run)
    with pytest.raises(InvalidInput, match="no longer has this run"):
        first.change(run, lambda now: now)


def test_where_others_reach_it_a_run_goes_within_a_day_also_over_restarts(
    start: Start, diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("ann")
    real, ages = time.time, (0.5, 1.0, -0.5)
    for share, stays in zip(ages, (True, False, False), strict=True):
        run = start().add(diagnosis)
        monkeypatch.setattr(time, "time", lambda share=share: real() + 1.01 * share * SHARED.kept_s)
        after = start()  # at once, and not only with the first sweep
        assert bool(after._owned(run)) == stays
        monkeypatch.setattr(time, "time", real)
        after.remove(run)


def test_a_server_that_runs_on_goes_by_a_clock_that_nobody_sets_besides(
    start: Start, diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("ann")
    runs, real = start(), time.monotonic
    run = runs.add(diagnosis)
    monkeypatch.setattr(time, "monotonic", lambda: real() + SHARED.kept_s + 1)
    assert runs.expire() == 1
    with pytest.raises(InvalidInput):
        runs.get(run)


def test_at_home_runs_stay_and_are_listed_without_the_browser_s_memory(
    start: Start, diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("ann")
    run = start(at_home=True).add(diagnosis)
    real, wall = time.monotonic, time.time
    monkeypatch.setattr(time, "monotonic", lambda: real() + 1e6)
    monkeypatch.setattr(time, "time", lambda: wall() + 1e9)
    after = start(at_home=True)
    assert after.expire() == 0
    serve("another browser")
    after.adopt([])
    ((stand_in, _),) = after.list_own()
    assert stand_in != run
    assert after.link(stand_in) == link_id(run)  # links that were passed on still open it
    after.entitle(stand_in, "Renamed")
    serve("ann, reloaded")
    after.adopt([run])
    assert after.list_own() == [(run, "Renamed")]
    serve("another browser")
    assert after.list_own() == [(run, "Renamed")]
    after.remove(stand_in)
    assert after.list_own() == []
    with pytest.raises(InvalidInput):
        after.get(link_id(run))


def test_where_others_reach_it_nobody_lists_another_s(start: Start, diagnosis: Diagnosis) -> None:
    serve("ann")
    run = start().add(diagnosis)
    after = start()
    after.expire()  # it knows all of them by now
    serve("ben")
    after.adopt([link_id(run), "x" * 22, "../notes/" + link_id(run), "\ud800" * 22])
    assert after.list_own() == []


def test_of_too_many_at_home_none_is_deleted_and_the_next_is_refused(start: Start, diagnosis: Diagnosis) -> None:
    serve("ann")
    runs = start(at_home=True)
    set_quotas(replace(AT_HOME, max_runs=2, max_own_runs=1))
    for _ in range(2):
        runs.add(diagnosis)
    with pytest.raises(InvalidInput, match="Delete some"):
        runs.add(diagnosis)
    assert len(runs.list_own()) == 2
    set_quotas(replace(AT_HOME, min_free_bytes=2**62))
    with pytest.raises(InvalidInput, match="disk for runs is full"):
        runs.require_room()


def test_a_note_of_another_name_or_kind_is_none(start: Start, diagnosis: Diagnosis, tmp_path: Path) -> None:
    serve("ann")
    runs = start()
    path = tmp_path / "kept" / "notes" / f"{link_id(runs.add(diagnosis))}.json"
    said = json.loads(path.read_text())
    for wrong in ({"link": "y" * 22}, {"made": "now"}, {"made": float("nan")}, {"n_clusters": True}, {"title": None}):
        path.write_text(json.dumps(said | wrong))
        assert runs.list_own() == [], wrong
    path.write_text(json.dumps(said | {"more": "of a later version"}))
    assert len(runs.list_own()) == 1


def test_the_operator_s_word_goes_before_the_environment_and_that_before_the_usual_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("ERRATA_KEEP", "there")
    assert home.where_to_keep("here", at_home=False) == Path("here")
    assert home.where_to_keep("none", at_home=True) is None
    assert home.where_to_keep("", at_home=False) == Path("there")
    monkeypatch.delenv("ERRATA_KEEP")
    usual = home.where_to_keep("", at_home=True)
    assert usual is not None
    assert usual.parts[-2:] == ("errata", "page")
    assert home.where_to_keep("", at_home=False) is None


def test_a_named_folder_that_cannot_be_written_is_refused_and_the_usual_one_is_done_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="Cannot keep runs in"):
        home.keep_runs(str(tmp_path / "file" / "below"), at_home=True)
    assert home.kept_in() is None
    monkeypatch.delenv("ERRATA_KEEP")
    monkeypatch.setattr(home, "where_to_keep", lambda said, at_home: tmp_path / "file" / "below")
    home.keep_runs("", at_home=True)
    assert home.kept_in() is None
    assert "deleted when the page stops" in capsys.readouterr().out
