"""The way back to a diagnosis by its address."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from tests.support.visits import serve
from tests.webapp.callbacks import press
from webapp import address
from webapp.address import OpenedAddress, on_go
from webapp.data import run as your_data
from webapp.data.following import GOES_ON, WATCHED, on_began, on_return, on_run
from webapp.state.jobs import JOBS
from webapp.state.notes import link_id
from webapp.state.runs import GONE, RUNS
from webapp.state.session import Session

NOTHING = (gr.skip(), gr.skip(), "")


@pytest.fixture
def go(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lets the runs of the form end, which only then are stored."""
    gate = threading.Event()

    def run(*_: Any, run: str, **__: Any) -> str:
        gate.wait(60)
        return RUNS.add(diagnosis, run=run)

    monkeypatch.setattr(your_data, "run_diagnosis", run)
    yield gate
    gate.set()
    assert JOBS.stop_all(60)


def the_form() -> tuple[Any, ...]:
    values = ("table.csv", None, None, "", "automatic", False, "embedded", None, 0.05, 0, 0.0, [], False)
    return (*values, *([None] * len(your_data.ROLE_NAMES)), "rows", None)


def start(visit: str) -> str:
    """Press Run and close the page; returns the job's own id."""
    serve(visit)
    steps = on_run((), None, *the_form())
    job, said, _ = next(steps)
    assert GOES_ON in said
    steps.close()
    return str(job)


def arrive(visit: str, own: list[str] | None = None, **query: str) -> dict[str, Any]:
    """What a page that is opened at an address shows, by the fields of OpenedAddress."""
    serve(visit)
    return dict(zip(OpenedAddress._fields, on_go(Session(), "", [], press(query=query, own=own or [], back=False))))


def test_the_owner_comes_back_by_the_link_and_others_only_watch(go: threading.Event) -> None:
    job = start("kit")
    link = link_id(job)
    shown = arrive("kit, reloaded", [job], job=link)
    assert shown["job"] == link
    assert shown["tabs"]["selected"] == "data"
    assert shown["failure_map"]["view"]["query"] == {"job": link}
    assert shown["failure_map"]["view"]["own"] == [job]
    mine = on_return(link, "")
    assert next(mine) == NOTHING
    assert next(mine)[0] == job

    shown = arrive("lou", [link], job=link)
    assert shown["failure_map"]["view"]["query"] == {"job": link}
    assert shown["failure_map"]["view"]["own"] == []
    watched = on_return(link, "")
    assert next(watched) == NOTHING
    own_id, said, _ = next(watched)
    assert own_id == ""
    assert WATCHED in said
    go.set()
    assert list(watched)[-1][2] == link
    serve("kit, reloaded")
    assert list(mine)[-1][2] == job
    assert [run for run, _ in RUNS.list_own()] == [job]
    assert RUNS.link(job) == link
    RUNS.remove(job)


def test_a_page_without_the_link_finds_the_running_job_of_its_browser(go: threading.Event) -> None:
    job = start("kit")
    assert arrive("kit, reloaded", [job])["job"] == link_id(job)
    assert arrive("lou")["job"] == gr.skip()
    assert JOBS.cancel(job)
    go.set()
    assert JOBS.stop_all(60)


def test_a_page_that_follows_its_job_already_does_not_follow_it_twice(go: threading.Event) -> None:
    job = start("kit")
    assert list(on_return(link_id(job), job)) == [NOTHING]
    assert list(on_return("", job)) == [NOTHING]
    assert on_began(Session(), job)["view"]["query"] == {"job": link_id(job)}
    assert on_began(Session(), "") == gr.skip()
    JOBS.cancel(job)
    go.set()
    assert JOBS.stop_all(60)


def test_the_link_of_a_finished_or_unknown_job_says_so_and_opens_the_run_or_the_form(
    go: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[str]()
    for kind in ("Info", "Warning"):
        monkeypatch.setattr(address.gr, kind, lambda text, **_: told.append(text))
    job = start("kit")
    link = link_id(job)
    go.set()
    while JOBS.lasting.find(link):
        time.sleep(0.01)
    shown = arrive("kit, reloaded", [job], job=link, tab="data")
    assert shown["session"].run == job
    assert shown["tabs"] == gr.skip()  # a page begins in Findings
    assert arrive("lou", job=link)["session"].run == link
    assert list(on_return(link, ""))[-1][2] == link  # it finished while the page was opening
    RUNS.remove(job)
    shown = arrive("lou", job=link)
    assert shown["tabs"]["selected"] == "data"
    assert "job" not in shown["failure_map"]["view"]["query"]
    gone = list(on_return(shown["job"], ""))[-1]
    assert GONE in gone[1]  # it stays, unlike a message
    assert (gone[0], gone[2]) == ("", "")
    assert told == [address.FINISHED, address.FINISHED]


def test_the_link_of_a_failed_job_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise InvalidInput("No loss found. Add `loss`.")

    monkeypatch.setattr(your_data, "run_diagnosis", fail)
    job = start("kit")
    link = link_id(job)
    while JOBS.line.holds(job):
        time.sleep(0.01)
    assert arrive("kit, reloaded", [job], job=link)["job"] == link
    steps = on_return(link, "")
    said = list[str]()
    with pytest.raises(InvalidInput, match="No loss found"):
        said.extend(str(step[1]) for step in steps)
    assert "Your files and choices are still here" in said[-1]
    assert "job" not in arrive("kit, reloaded", [job])["failure_map"]["view"]["query"]


def test_a_run_belongs_to_every_page_of_the_browser_that_started_it(go: threading.Event) -> None:
    job = start("max")
    arrive("max, reloaded", [job])
    go.set()
    while JOBS.line.holds(job):
        time.sleep(0.01)
    for visit in ("max", "max, reloaded"):
        serve(visit)
        assert [run for run, _ in RUNS.list_own()] == [job]
    serve("lou")
    assert RUNS.own_id(link_id(job)) == link_id(job)
    RUNS.remove(job)
