"""A visitor's data deleted at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pytest

from core.errors import Cancelled, InvalidInput
from core.records import Diagnosis, Progress
from core.yours import OwnMark, with_mark
from tests.support.visits import serve
from webapp.data.forgetting import on_forget
from webapp.state import forget, runs
from webapp.state.caches import own_cache
from webapp.state.downloads import FILES, files_of_run, fresh_folder
from webapp.state.home import part
from webapp.state.jobs import JOBS, Job
from webapp.state.quotas import SHARED, set_quotas
from webapp.state.runs import RUNS
from webapp.state.uploads import UPLOADS


@pytest.fixture(autouse=True)
def two_runs(shared: None) -> None:
    set_quotas(replace(SHARED, max_own_runs=2))


def files_of_all(run: str) -> list[Path]:
    """Every file that may be taken away of a run."""
    return [RUNS.file(run, name) for name, _ in FILES]


def test_what_one_visitor_brought_and_made_is_gone_at_once_and_another_s_stays(
    diagnosis: Diagnosis, tmp_path: Path
) -> None:
    held: dict[str, tuple[str, list[Path]]] = {}
    for name in ("ann", "ben"):
        serve(name)
        upload = tmp_path / name / "t.csv"
        upload.parent.mkdir()
        upload.write_text("loss\n1\n")
        UPLOADS.add("", upload)
        UPLOADS.claim(name, "", upload)
        own_cache().mkdir(parents=True)
        run = RUNS.add(diagnosis)
        held[name] = (run, [RUNS.path(run), fresh_folder("audit"), own_cache(), upload])
    serve("ann")
    assert "Deleted" in on_forget()
    run, paths = held["ann"]
    assert not any(path.exists() for path in paths)
    with pytest.raises(InvalidInput, match="no longer has this run"):
        RUNS.get(run)
    run, paths = held["ben"]
    assert all(path.exists() for path in paths)
    assert len(RUNS.get(run).samples) == 60


def test_of_too_many_runs_of_a_visitor_the_earliest_goes(diagnosis: Diagnosis) -> None:
    serve("cy")
    first, second, third = (RUNS.add(diagnosis) for _ in range(3))
    with pytest.raises(InvalidInput):
        RUNS.get(first)
    assert RUNS.path(second).exists()
    assert RUNS.path(third).exists()
    RUNS.forget("cy")


def test_a_server_full_of_runs_says_so(diagnosis: Diagnosis) -> None:
    serve("dee")
    set_quotas(replace(SHARED, max_runs=0))
    with pytest.raises(InvalidInput, match="Try again later"):
        RUNS.add(diagnosis)


def stored() -> set[Path]:
    return set(part("runs").iterdir())


def test_a_run_that_is_stopped_at_the_last_moment_stores_nothing(diagnosis: Diagnosis) -> None:
    serve("eve")
    before = stored()

    def stopped_late(progress: Progress) -> str:
        job.cancel()
        # the last safe point of all, after the run lies on disk
        return RUNS.add(diagnosis, lambda *step: progress(*step) if step[0] == "storing the run" else None)

    job = Job(stopped_late)
    with pytest.raises(Cancelled):
        list(JOBS.follow(job, every=0.01))
    assert stored() == before
    assert RUNS.forget("eve") == 0


def test_a_run_that_ends_after_its_visitor_deleted_all_stores_nothing(
    diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("fay")
    monkeypatch.setattr(forget, "STOP_S", 0.0)
    before, go_on = stored(), threading.Event()

    def slow(progress: Progress) -> str:
        go_on.wait(60)
        return RUNS.add(diagnosis, lambda *step: progress(*step) if step[0] == "storing the run" else None)

    following = JOBS.follow(Job(slow), every=0.01)
    next(following)
    on_forget()
    go_on.set()
    with pytest.raises(Cancelled):
        list(following)
    assert stored() == before


def test_a_file_on_its_way_to_a_browser_outlives_a_better_map_and_goes_with_the_run(diagnosis: Diagnosis) -> None:
    serve("gil")
    run = RUNS.add(diagnosis)
    first = files_of_all(run)
    assert [path.name for path in first] == [name for name, _ in FILES]
    assert all(path.is_relative_to(part("uploads")) for path in first)  # what Gradio serves without a copy
    RUNS.change(run, lambda now: replace(now, notes=("a better map",)))
    assert all(path.is_file() for path in first)
    second, folder = files_of_all(run), files_of_run(RUNS.path(run))
    assert all(path.parent.parent == folder and path.is_file() for path in second)
    RUNS.replace(run, diagnosis)
    assert not any(path.exists() for path in first)
    assert all(path.is_file() for path in second)
    RUNS.forget("gil")
    assert not folder.exists()


def test_a_file_asked_for_while_its_run_gets_a_new_version_leaves_the_one_on_its_way(
    diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("hal")
    run = RUNS.add(diagnosis)
    first, make = RUNS.file(run, "diagnosis.json"), runs.ready_file

    def slow(given: Diagnosis, folder: Path, name: str, said: tuple[int, int] | None) -> Path:
        made = make(given, folder, name, said)
        if folder == old:
            RUNS.change(run, lambda now: replace(now, notes=("a better map",)))
        return made

    old = RUNS.path(run)
    monkeypatch.setattr(runs, "ready_file", slow)
    second = RUNS.file(run, "samples.csv")
    assert second.parent.parent == files_of_run(RUNS.path(run))
    assert first.is_file()
    RUNS.forget("hal")
    assert not first.exists()
    assert not second.exists()


def test_a_file_is_made_while_runs_of_others_get_new_versions(
    diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Files:
        """Another run's, which gets a version while it is looked at."""

        def __eq__(self, _: object) -> bool:
            before[str(len(before))] = Files()
            return False

    def slow(given: Diagnosis, folder: Path, name: str, said: tuple[int, int] | None) -> Path:
        made = make(given, folder, name, said)
        if folder == old:
            RUNS.change(run, lambda now: replace(now, notes=("a better map",)))
        return made

    serve("jan")
    run, make, before = RUNS.add(diagnosis), runs.ready_file, dict[str, Any]()
    before |= {"one": Files(), "two": Files()}
    old = RUNS.path(run)
    monkeypatch.setattr(RUNS, "_before", before)
    monkeypatch.setattr(runs, "ready_file", slow)
    assert RUNS.file(run, "samples.csv").is_file()
    before.clear()
    RUNS.forget("jan")


def test_a_note_stands_in_the_files_made_after_it(diagnosis: Diagnosis) -> None:
    serve("ivo")
    run = RUNS.add(diagnosis)
    first = files_of_all(run)
    for said in ("seen <in> May", "seen again"):
        RUNS.say(run, lambda now, said=said: with_mark(now, OwnMark("cluster", 0, note=said)))
        before, first = first, files_of_all(run)
        files = {path.name: path.read_text("utf-8") for path in first if path.suffix in (".json", ".html", ".csv")}
        assert said in files["diagnosis.json"]
        assert escape(said) in files["report.html"]
        assert next(path for path in first if path.name == "samples.csv") in before
    assert len(list(first[0].parent.parent.iterdir())) == 3  # of all words, of these and of those before
    RUNS.say(run, lambda now: with_mark(now, OwnMark("cluster", 0, note="a third time")))
    assert len(list(first[0].parent.parent.iterdir())) == 3  # nothing is made before it is asked for
