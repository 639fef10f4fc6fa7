"""The tab Scoreboard: the board that comes along, and peers asked about the open run."""

from __future__ import annotations

import pytest

from tests.support.diagnoses import make_diagnosis
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session
from webapp.systems.peers.tab import on_ask, on_open


@pytest.fixture
def session():
    return Session(run=RUNS.add(make_diagnosis(n=200)))


def test_without_a_run_it_says_so_and_another_runs_result_goes(session):
    assert NO_RUN in on_open(Session(), "")[1]
    asked, result, board = on_open(session, "another")
    assert asked == session.run
    assert "No engine was asked about this run" in result
    assert "Scoreboard" in board
    assert not isinstance(on_open(session, session.run)[1], str)  # the result stays


def test_engines_are_asked_and_what_they_propose_carries_no_p(session):
    *_, (_, _, run, page) = on_ask(session, ["sliceguard", "spotlight"])
    assert run == session.run
    assert "Slice (not tested)" in page
    assert page.index("<h3>spotlight") < page.index("<h3>sliceguard")  # in the table's order
    assert "tested on the other half" in page


def test_no_engine_is_no_question(session):
    with pytest.raises(Exception, match="at least one engine"):
        list(on_ask(session, []))
