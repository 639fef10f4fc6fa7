"""What stands in the page's address, and what it opens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from tests.support.diagnoses import make_diagnosis
from tests.support.visits import serve
from webapp.state.filters import Filter
from webapp.state.query import MAX_CORNERS, query_of, question_of, session_of, tab_of, view_of
from webapp.state.runs import RUNS, link_id
from webapp.state.session import Session, selected_rows


@pytest.fixture(scope="module")
def made() -> Diagnosis:
    return make_diagnosis()


@pytest.mark.parametrize(
    "session",
    [
        Session("example-a"),
        Session("example-a", cluster=1),
        Session("example-a", row=0, colour="meta:weather"),
        Session("example-a", colour="residual"),
        Session("example-a", row=59),
        Session("example-a", cluster=1, row=3, filters=(Filter("loss", low=0.5),)),
        Session("example-a", polygon=((0.5, -1.25), (3.0, 0.0), (1e-3, 7.5))),
    ],
)
def test_a_view_comes_back_from_its_address(session: Session, made: Diagnosis) -> None:
    query = query_of(session)
    assert all(isinstance(value, str) for value in query.values())
    back = session_of(query, made, "example-a")
    assert query_of(back) == query
    assert (back.cluster, back.row, back.polygon) == (session.cluster, session.row, session.polygon)
    assert back.colour == session.colour


def test_a_long_outline_is_shortened_and_holds_nearly_the_same_points(made: Diagnosis) -> None:
    xy = made.map.xy
    middle, reach = xy.mean(0), np.ptp(xy, axis=0).mean() / 3
    turn = np.linspace(0, 2 * np.pi, 700, endpoint=False)
    ring = tuple((float(middle[0] + reach * np.cos(t)), float(middle[1] + reach * np.sin(t))) for t in turn)
    session = Session("example-a", polygon=ring)
    query = query_of(session)
    assert len(query["lasso"].split()) <= MAX_CORNERS
    assert len(query["lasso"]) < 1500
    before, after = (set(selected_rows(s, made)) for s in (session, session_of(query, made, "example-a")))
    assert len(before) > 5
    assert len(before ^ after) <= 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"cluster": "3"}, "2 groups"),
        ({"cluster": "0"}, "2 groups"),
        ({"cluster": "one"}, "whole number"),
        ({"cluster": "-1"}, "whole number"),
        ({"cluster": "9" * 400}, "whole number"),
        ({"candidate": "99"}, "number 99"),
        ({"row": "60"}, "rows 0 to 59"),
        ({"lasso": "1,2 nan,3 4,5"}, "finite"),
        ({"lasso": "1,2,3"}, "pair"),
        ({"lasso": "<script>"}, "pair"),
        ({"colour": "meta:<script>"}, "no column"),
        ({"colour": "x" * 9000}, "no column"),
    ],
)
def test_what_is_not_in_the_run_is_said(query: dict[str, str], said: str, made: Diagnosis) -> None:
    with pytest.raises(InvalidInput, match=said):
        session_of(query, made, "example-a")


@pytest.mark.parametrize("value", [None, 3, ["1"], {"a": 1}, ""])
def test_a_part_that_is_no_text_is_no_part(value: Any, made: Diagnosis) -> None:
    query: dict[str, Any] = dict.fromkeys(("cluster", "row", "lasso", "ask", "tab"), value)
    assert not session_of(query, made, "example-a").picked
    assert (question_of(query), tab_of(query)) == (("", ""), "")


def test_only_tabs_that_are_there_are_opened() -> None:
    assert tab_of({"tab": "ask"}) == "ask"
    assert tab_of({"tab": "../ask"}) == ""
    assert question_of({"ask": "x" * 999, "than": "a dog"}) == ("x" * 400, "a dog")


def test_an_address_never_says_the_id_by_which_a_run_is_changed(made: Diagnosis) -> None:
    serve("kai")
    run = RUNS.add(made)
    shown = view_of(Session(run, cluster=0))
    assert shown["query"] == {"run": link_id(run), "cluster": "1"}
    assert run not in str(shown["query"])
    assert shown["own"] == [run]
    serve("lou")
    assert view_of(Session(link_id(run)))["own"] == []
    RUNS.remove(run)
