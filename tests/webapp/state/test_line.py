"""Who works and who waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.errors import Cancelled, InvalidInput
from core.records import Progress
from webapp.state import work
from webapp.state.jobs import Job, Jobs, status
from webapp.state.line import Line
from webapp.state.quotas import SHARED, quotas, set_quotas


@pytest.fixture(autouse=True)
def shared() -> Iterator[None]:
    """The limits of a server that others reach, with one place."""
    before = quotas()
    set_quotas(replace(SHARED, at_once=1, max_waiting=2))
    yield
    set_quotas(before)


def test_the_first_works_and_the_others_wait_in_the_order_in_which_they_came() -> None:
    line = Line()
    for job in "abc":
        line.enter(job)
    assert [line.position(job) for job in "abc"] == [0, 1, 2]
    line.leave("b")
    line.leave("a")
    assert line.position("c") == 0


def test_a_full_line_says_so_with_the_next_step() -> None:
    line = Line()
    for job in "abc":
        line.enter(job)
    with pytest.raises(InvalidInput, match=r"full: 1 running and 2 waiting.*Try again"):
        line.enter("d")
    line.leave("b")
    line.enter("d")


def test_a_visitor_has_one_job_at_a_time() -> None:
    line = Line()
    line.enter("a", {"ann"})
    with pytest.raises(InvalidInput, match="already have a run"):
        line.enter("b", {"ann"})
    line.enter("b", {"ben"})
    line.leave("a")
    line.enter("c", {"ann"})


def held(go: threading.Event) -> Job:
    return Job(lambda progress: go.wait(60))


def test_who_waits_sees_the_place_and_can_leave_before_it_begins() -> None:
    everybody, go = Jobs(), threading.Event()
    working = held(go)
    first = everybody.follow(working, every=0.01)
    next(first)
    begun = threading.Event()
    second = Job(lambda progress: begun.set())
    waiting = everybody.follow(second, every=0.01)
    next(waiting)
    assert "Next in line" in status(second)
    assert everybody.cancel(second.id)
    with pytest.raises(Cancelled, match="before it started"):
        list(waiting)
    assert not begun.is_set()
    go.set()
    list(first)
    assert not everybody.line.holds(working.id)


def test_a_closed_tab_gives_the_place_up() -> None:
    everybody, go = Jobs(), threading.Event()
    first, third = everybody.follow(held(go), every=0.01), Job(lambda progress: 3)
    next(first)
    second, waiting = everybody.follow(held(go), every=0.01), everybody.follow(third, every=0.01)
    next(second)
    next(waiting)
    second.close()
    assert everybody.line.position(third.id) == 1
    go.set()
    list(first)
    list(waiting)
    assert third.result == 3


def test_the_next_begins_when_the_work_before_it_is_really_over() -> None:
    everybody, go = Jobs(), threading.Event()
    deaf = Job(lambda progress: go.wait(60))  # asks nobody whether it shall stop
    first = everybody.follow(deaf, every=0.01)
    next(first)
    first.close()
    second = Job(lambda progress: 2)
    waiting = everybody.follow(second, every=0.01)
    next(waiting)
    assert second.position == 1
    go.set()
    list(waiting)
    assert second.result == 2


def test_work_that_takes_too_long_is_stopped_with_the_limit_and_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(work.time, "monotonic", lambda: now[0])
    job = Job(lambda progress: None)
    job.progress("embed", 1, 9)
    now[0] = 60 * SHARED.max_minutes + 1
    with pytest.raises(Cancelled, match=r"120 minutes.*own machine"):
        job.progress("embed", 2, 9)


def test_all_jobs_can_be_stopped_at_once() -> None:
    everybody = Jobs()

    def work(progress: Progress) -> None:
        while True:
            progress("embed", 1, 2)
            threading.Event().wait(0.002)

    running = everybody.follow(Job(work), every=0.01)
    next(running)
    assert everybody.stop_all(60.0)
    with pytest.raises(Cancelled):
        list(running)
