"""Diagnoses that go on without their page: found by their link, cancelled by their owner alone."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from core.errors import Cancelled, InvalidInput
from core.records import Progress
from tests.support.visits import serve
from webapp.state import forget, lasting, work
from webapp.state.jobs import JOBS, Job, Jobs, follow, status
from webapp.state.notes import link_id
from webapp.state.quotas import quotas, set_quotas


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.stop_all(60)


def endless(progress: Progress) -> None:
    while True:
        progress("embed", 1, 2)
        time.sleep(0.002)


def begin(jobs: Jobs, visit: str, do: Callable[[Progress], object] = endless) -> Job:
    """A lasting job that a visit has started, and whose page is then closed."""
    serve(visit)
    job = Job(do, lasting=True)
    follower = jobs.follow(job, every=0.01)
    next(follower)
    follower.close()
    return job


def test_a_job_goes_on_when_its_follower_leaves_and_a_later_one_gets_its_result(jobs: Jobs) -> None:
    go = threading.Event()
    job = begin(jobs, "ann", lambda progress: go.wait(60) and "run")
    assert not job.stopping
    assert jobs.lasting.find(link_id(job.id)) is job
    go.set()
    list(jobs.follow(job, every=0.01))
    assert job.result == "run"
    assert not jobs.line.holds(job.id)


def test_a_job_in_line_starts_in_its_turn_though_nobody_follows_it(jobs: Jobs, shared: None) -> None:
    set_quotas(replace(quotas(), at_once=1))
    jobs.line.enter("somebody's")
    done = threading.Event()
    job = begin(jobs, "ann", lambda progress: done.set())
    assert "Next in line" in status(job)
    assert not done.wait(0.3)
    jobs.line.leave("somebody's")
    assert done.wait(60)


def test_two_followers_see_the_same_steps_and_one_s_leaving_does_not_concern_the_other(jobs: Jobs) -> None:
    go, reached = threading.Event(), threading.Event()

    def half(progress: Progress) -> str:
        progress("embed", 1, 2)
        reached.set()
        go.wait(60)
        return "run"

    job = Job(half, lasting=True)
    first, second = jobs.follow(job, every=0.01), jobs.follow(job, every=0.01)
    next(first)
    assert reached.wait(60)
    assert status(next(first)) == status(next(second))
    assert "1 of 2" in status(job)
    assert job.n_followers == 2
    first.close()
    assert job.n_followers == 1
    go.set()
    list(second)
    assert (job.result, job.n_followers) == ("run", 0)


def test_who_has_the_link_cannot_cancel_and_the_owner_can_after_a_reload(jobs: Jobs) -> None:
    job = begin(jobs, "ann")
    link = link_id(job.id)
    jobs.lasting.adopt([link, "nobody's"], "ben")
    jobs.lasting.show(link, "ben")
    assert jobs.lasting.shown("ben") == link
    assert jobs.lasting.own_ids("ben") == []
    assert not jobs.cancel(link, "ben")
    assert not job.stopping
    jobs.lasting.adopt([job.id], "ann, reloaded")
    assert jobs.lasting.own_ids("ann, reloaded") == [job.id]
    assert jobs.lasting.shown("ann, reloaded") == link
    assert jobs.cancel(job.id)
    assert job.wait(60)
    assert isinstance(job.error, Cancelled)
    assert jobs.lasting.shown("ben") == jobs.lasting.shown("ann") == ""


def test_the_only_user_of_a_server_owns_every_job(jobs: Jobs) -> None:
    job = begin(jobs, "ann")
    jobs.lasting.adopt([], "ann, elsewhere", everything=True)
    assert jobs.lasting.own_ids("ann, elsewhere") == [job.id]


def test_a_reload_does_not_give_a_visitor_a_second_job(jobs: Jobs, shared: None) -> None:
    job = begin(jobs, "ann")
    jobs.lasting.adopt([job.id], "ann, reloaded")
    with pytest.raises(InvalidInput, match="already have a run"):
        begin(jobs, "ann, reloaded")
    assert begin(jobs, "ben").id != job.id


def test_one_address_cannot_fill_the_server_with_jobs_that_nobody_follows(
    jobs: Jobs, shared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "address", lambda: "10.0.0.7")
    set_quotas(replace(quotas(), max_unattended=2))
    for visit in ("a", "b"):
        begin(jobs, visit)
    with pytest.raises(InvalidInput, match="2 runs from your address go on without an open page"):
        begin(jobs, "c")
    monkeypatch.setattr(work, "address", lambda: "10.0.0.8")
    begin(jobs, "d")


def test_a_job_that_nobody_follows_ends_by_the_time_limit(jobs: Jobs, shared: None) -> None:
    set_quotas(replace(quotas(), max_minutes=0.001))
    job = begin(jobs, "ann")
    assert job.wait(60)
    with pytest.raises(Cancelled, match="limit of"):
        list(jobs.follow(job))


def test_shutdown_stops_jobs_that_nobody_follows(jobs: Jobs, shared: None) -> None:
    set_quotas(replace(quotas(), at_once=1))
    running, waiting = begin(jobs, "ann"), begin(jobs, "ben")
    assert jobs.stop_all(60)
    for job in (running, waiting):
        assert isinstance(job.error, Cancelled)
        assert not jobs.line.holds(job.id)


def test_who_comes_back_reads_why_a_job_failed_and_its_data_are_not_held(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Vectors:
        pass

    held = list[weakref.ref[Vectors]]()

    def fail(progress: Progress) -> None:
        vectors = Vectors()
        held.append(weakref.ref(vectors))
        raise ZeroDivisionError("of the vectors")

    logged = list[type]()
    monkeypatch.setattr(lasting._log, "error", lambda _, *, exc_info: logged.append(type(exc_info)))
    job = begin(jobs, "ann", fail)
    assert job.wait(60)
    assert logged == [ZeroDivisionError]  # nobody follows it whose page would log it
    gc.collect()
    assert held[0]() is None
    assert jobs.lasting.find(link_id(job.id)) is job
    with pytest.raises(ZeroDivisionError):
        list(jobs.follow(job))
    jobs.lasting.expire(3600)
    assert jobs.lasting.find(link_id(job.id)) is job
    jobs.lasting.expire(0)
    assert jobs.lasting.find(link_id(job.id)) is None


def test_only_so_many_failed_jobs_are_remembered(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "MAX_FAILED", 2)

    def fail(progress: Progress) -> None:
        raise InvalidInput("No loss found.")

    failed = [begin(jobs, f"visit {i}", fail) for i in range(3)]
    for job in failed:
        assert job.wait(60)
    assert [jobs.lasting.find(link_id(job.id)) is job for job in failed] == [False, True, True]


def test_delete_my_data_stops_the_job_after_a_reload_and_forgets_failed_ones() -> None:
    def fail(progress: Progress) -> None:
        raise InvalidInput("No loss found.")

    failed, running = begin(JOBS, "cy", fail), begin(JOBS, "cy, once more")
    assert failed.wait(60)
    JOBS.lasting.adopt([running.id, failed.id], "cy, reloaded")
    forget.forget_visit("cy, reloaded")
    assert running.wait(60)
    assert isinstance(running.error, Cancelled)
    assert JOBS.lasting.find(link_id(failed.id)) is None


def test_the_end_of_a_visit_leaves_the_vectors_of_a_running_job(shared: None) -> None:
    job = begin(JOBS, "dee")
    folder = forget.cache_of("dee")
    folder.mkdir(parents=True)
    forget.close_visit("dee")
    assert folder.exists()
    JOBS.cancel(job.id)
    assert job.wait(60)
    forget.close_visit("dee")
    assert not folder.exists()


def test_the_status_of_a_lasting_job_carries_its_note_and_no_warning_about_the_tab(jobs: Jobs, shared: None) -> None:
    set_quotas(replace(quotas(), at_once=1))
    jobs.line.enter("somebody's")
    job = Job(endless, lasting=True)
    follower = jobs.follow(job, every=0.01)
    next(follower)
    said = status(job, "Goes on.")
    assert "Starts automatically. Goes on." in said
    assert "data-lasting" in said
    assert "Closing this tab" not in said
    assert "Closing this tab cancels it" in status(replace_lasting(job))


def replace_lasting(job: Job) -> Job:
    """The same job, if it ended with its follower."""
    other = Job(endless)
    other.position = job.position
    return other


def test_a_lasting_job_is_followed_as_any_other() -> None:
    job = Job(lambda progress: 7, lasting=True)
    assert list(follow(job, "Failed", None))[-1][2] == 7
