"""The tab Scoreboard: the board that comes along, and peers asked about the open run."""

from __future__ import annotations

import json

import pytest

from core.systems.peers.scoreboard.html import SHIPPED
from core.systems.peers.scoreboard.methods import METHODS
from core.systems.peers.scoreboard.tables import Board, loss_sentence
from research.scoreboard.worlds import TIERS
from tests.support.diagnoses import make_diagnosis
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session
from webapp.systems.peers.tab import FIRST, on_ask, on_open, shipped_view


@pytest.fixture
def session():
    return Session(run=RUNS.add(make_diagnosis(n=200)))


def test_the_board_that_comes_along_names_its_command_and_where_a_peer_is_ahead():
    board, page = Board.from_json(json.loads(SHIPPED.read_text("utf-8"))), shipped_view()
    assert board.command in page.replace("&#34;", '"').replace("&#39;", "'")
    assert {cell.method for cell in board.cells} <= set(METHODS)
    assert {cell.tier for cell in board.cells} <= set(TIERS)
    for loss in board.losses()[:20]:
        assert loss_sentence(*loss) in page


def test_without_a_run_it_says_so_and_another_runs_result_goes(session):
    assert NO_RUN in on_open(Session(), "")[1]
    asked, result, board = on_open(session, "another")
    assert asked == session.run
    assert "will stand here" in result
    assert "Scoreboard" in board
    assert not isinstance(on_open(session, session.run)[1], str)  # the result stays


def test_engines_are_asked_and_what_they_propose_carries_no_p(session):
    *_, (_, _, run, page) = on_ask(session, ["error tree", "k-means"])
    assert run == session.run
    assert "no p" in page
    assert page.index("<h3>k-means") < page.index("<h3>error tree")  # in the table's order
    assert "read on the other" in page


def test_no_engine_is_no_question(session):
    with pytest.raises(Exception, match="at least one engine"):
        list(on_ask(session, []))


def test_the_first_engines_are_there():
    assert set(FIRST) <= set(METHODS)
