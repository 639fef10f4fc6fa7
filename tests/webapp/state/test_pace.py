"""How long work in line will wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from webapp.state.jobs import Job, Jobs, status
from webapp.state.line import N_REMEMBERED, Pace
from webapp.state.quotas import SHARED, quotas, set_quotas


@pytest.fixture
def one_place() -> Iterator[None]:
    before = quotas()
    set_quotas(replace(SHARED, at_once=1, max_waiting=4))
    yield
    set_quotas(before)


def of(*seconds: float) -> Pace:
    pace = Pace()
    for each in seconds:
        pace.note(each)
    return pace


def test_nothing_is_said_before_the_first_has_finished() -> None:
    assert Pace().wait_s(1, [3.0], 1) is None


def test_the_wait_is_what_is_left_of_those_at_work_and_the_mean_of_those_ahead() -> None:
    pace = of(60.0, 180.0)
    assert pace.wait_s(1, [20.0], 1) == 100.0
    assert pace.wait_s(3, [20.0], 1) == 340.0
    assert [pace.wait_s(place, [20.0, 90.0], 2) for place in (1, 2, 3, 4)] == [30.0, 100.0, 150.0, 220.0]


def test_one_that_works_longer_than_the_mean_is_not_said_to_end_at_once() -> None:
    assert of(120.0).wait_s(1, [500.0], 1) == 30.0


def test_the_latest_alone_are_remembered() -> None:
    assert of(9000.0, *[10.0] * N_REMEMBERED).wait_s(1, [0.0], 1) == 10.0


def test_a_waiting_job_says_its_place_and_after_the_first_finished_one_a_time(one_place: None) -> None:
    jobs, go = Jobs(), threading.Event()
    first, second = Job(lambda progress: go.wait(60)), Job(lambda progress: None)
    working, waiting = jobs.follow(first, every=0.01, counted=False), jobs.follow(second, every=0.01, counted=False)
    next(working)
    said = status(next(waiting))
    assert "Next in line" in said
    assert "about" not in said
    jobs.pace.note(240.0)
    assert "Next in line, about 4 minutes" in status(next(waiting))
    go.set()
    for follower in (working, waiting):
        list(follower)
    assert jobs.pace.wait_s(1, [0.0], 1) == pytest.approx(80.0, abs=5)  # both have been counted


def test_stopped_and_failed_work_says_nothing_of_how_long_it_takes(one_place: None) -> None:
    jobs = Jobs()
    with pytest.raises(ZeroDivisionError):
        list(jobs.follow(Job(lambda progress: 1 / 0), every=0.01, counted=False))
    assert jobs.pace.wait_s(1, [], 1) is None
