"""A run in a thread: watched, stopped, and its errors handed on."""

from __future__ import annotations

import threading
import time

import pytest

from core.errors import Cancelled, InvalidInput
from core.records import Progress
from webapp.state import jobs
from webapp.state.jobs import JOBS, Job, Jobs, closing, follow, status
from webapp.state.work import JobStep


def test_a_job_gives_its_result_and_its_steps_in_order() -> None:
    def work(progress: Progress) -> str:
        for step in ("read table", "embed"):
            for done in range(4):
                progress(step, done, 3)
        return "run-1"

    job = Job(work)
    list(JOBS.follow(job, every=0.01))
    assert job.result == "run-1"
    assert [(s.name, s.done, s.total, s.finished) for s in job.steps()] == [
        ("read table", 3, 3, True),
        ("embed", 3, 3, True),
    ]
    assert not JOBS.cancel(job.id)


def test_cancel_stops_the_work_at_its_next_safe_point() -> None:
    reached = threading.Event()

    def work(progress: Progress) -> str:
        for done in range(10_000):
            progress("embed", done, 10_000)
            reached.set()
            time.sleep(0.002)
        return "never"

    job = Job(work)
    watcher = JOBS.follow(job, every=0.01)
    next(watcher)
    assert reached.wait(60)
    assert JOBS.cancel(job.id)
    with pytest.raises(Cancelled):
        list(watcher)
    assert job.result is None
    assert job.steps()[0].done < 10_000


def endless(progress: Progress) -> None:
    while True:
        progress("list the members", 1, 2)
        time.sleep(0.002)


def test_a_program_that_hangs_up_stops_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "has_left", lambda: True)
    for way in (Jobs().run, Jobs().look):
        with pytest.raises(Cancelled):
            way(endless)


def test_a_look_at_a_file_stops_when_its_visitor_cancels_or_looks_at_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "visitor", lambda: "ann")
    everybody, stopped = Jobs(), threading.Semaphore(0)

    def first() -> None:
        with pytest.raises(Cancelled):
            everybody.look(endless)
        stopped.release()

    for stop in (lambda: everybody.look(lambda progress: 2) == 2, lambda: everybody.cancel("", "ann")):
        thread = threading.Thread(target=first)
        thread.start()
        while not everybody._looks:
            time.sleep(0.002)
        assert stop()
        assert stopped.acquire(timeout=60)
        thread.join()
    assert not everybody.cancel("", "ann")


def test_a_visitor_who_leaves_stops_the_work() -> None:
    stopped = threading.Event()

    def work(progress: Progress) -> str:
        try:
            while True:
                progress("embed", 1, 2)
                time.sleep(0.002)
        except Cancelled:
            stopped.set()
            raise

    watcher = JOBS.follow(Job(work), every=0.01)
    next(watcher)
    watcher.close()
    assert stopped.wait(60)


def test_the_work_s_error_reaches_who_follows_it() -> None:
    def work(progress: Progress) -> str:
        raise InvalidInput("The table has no column 'loss'.")

    with pytest.raises(InvalidInput, match="no column"):
        list(JOBS.follow(Job(work), every=0.01))


def test_a_step_says_count_rate_and_time_left() -> None:
    assert JobStep("embed", 3200, 10_000, started=0.0, now=80.0).text == "3,200 of 10,000, 40 per second, 2:50 left"
    assert JobStep("fit", 1, 5, started=0.0, now=10.0).text == "1 of 5, 0:40 left"
    assert JobStep("describe", 0, 1, started=0.0, now=1.0).text == ""


def test_a_step_s_name_cannot_act_as_markup() -> None:
    job = Job(lambda progress: "")
    job.progress("<script>", 1, 2)
    assert "<script>" not in status(job)


def test_the_status_says_how_long_a_past_step_took() -> None:
    job = Job(lambda progress: "")
    for done in (0, 240):
        job.progress("check images", done, 240)
    job.progress("embed", 3, 240)
    assert "240 in 0:00" in status(job)
    assert "3 of 240" in status(job)


def test_a_followed_job_gives_nothing_until_it_is_done_and_then_has_its_result() -> None:
    job = Job(lambda progress: 7)
    steps = list(follow(job, "Failed", "none"))
    assert steps[0][0] == job.id
    assert {step[2] for step in steps[:-1]} == {"none"}
    assert steps[-1] == ("", closing("Done"), 7)


def test_what_is_made_of_a_result_can_be_said() -> None:
    steps = list(follow(Job(lambda progress: 7), "Failed", None, outputs=lambda n: (n + 1, n + 2), done="Look."))
    assert steps[-1] == ("", closing("Done", "Look."), 8, 9)
    assert len(list(follow(Job(lambda progress: 7), "Failed", None, done=None))[-1]) == 3


def test_a_followed_job_hands_on_what_there_is_so_far() -> None:
    go = threading.Event()
    job = Job(lambda progress: go.wait(60))
    steps = follow(job, "Failed", None, so_far=lambda: ("half",))
    assert next(steps)[2] == "half"
    go.set()
    list(steps)


def test_a_followed_job_that_fails_says_what_is_kept_and_raises() -> None:
    def work(progress: Progress) -> str:
        raise InvalidInput("The table has no column 'loss'.")

    steps = follow(Job(work), "The run did not finish", "", reminder="Your files are still here.")
    next(steps)
    said = "The table has no column 'loss'. Your files are still here."
    assert next(steps) == ("", closing("The run did not finish", said), "")
    with pytest.raises(InvalidInput):
        next(steps)


def test_a_followed_job_that_is_stopped_says_so_and_ends() -> None:
    def work(progress: Progress) -> str:
        raise Cancelled("The run was stopped.")

    assert list(follow(Job(work), "Failed", ""))[-1] == ("", closing("Stopped", "The run was stopped."), "")


def test_the_last_word_cannot_act_as_markup() -> None:
    assert "<b>" not in closing("<b>", "<b>")
