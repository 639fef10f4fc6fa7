"""Ask the pictures: what a visitor sees of the answers, what is not sure, and what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import F32, Diagnosis
from core.systems.common.picture_cells import Whitening
from core.systems.vl_t5 import ask, folder
from core.systems.vl_t5.caution import Caution
from core.systems.vl_t5.likeness import Likeness
from tests.support.describers import FEATURES, PlainDescriber, cells_of_first
from tests.webapp.callbacks import last, press
from webapp.ask.kept import KeptState, Made, on_example, on_show
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.vl_t5.questions import EXAMPLES, FILES, PART

QUESTION = "what colour is the cube ?"
BAR = 0.5
FAR = 0.95
"""Pictures whose first number is larger are unlike the others."""


@pytest.fixture
def first(worded: Diagnosis) -> F32:
    """Red is said of every failure, surely, and of few others; some are below the bar and some unlike."""
    fails, rng = worded.outcomes.loss > np.quantile(worded.outcomes.loss, 0.8), np.random.default_rng(0)
    found = np.where(fails | (rng.random(len(fails)) < 0.1), 0.9, -0.8).astype(np.float32)
    found[:10], found[10:15] = -0.3, 1.0
    return found


@pytest.fixture(autouse=True)
def described(first: F32, monkeypatch: pytest.MonkeyPatch) -> None:
    whitening = Whitening(np.zeros(FEATURES, np.float32), np.eye(FEATURES, 1, dtype=np.float32))
    caution = Caution(bars=(("what colour", BAR),), likeness=Likeness(whitening, FAR**2))
    monkeypatch.setattr(folder, "read_describer", lambda _: PlainDescriber())
    monkeypatch.setattr("core.systems.vl_t5.caution.caution_of", lambda _: caution)
    monkeypatch.setattr(ask, "read_cells", lambda *_: (cells_of_first(first), (3, 3)))


def answered(session: Session, question: str = QUESTION, state: Any = None) -> Made:
    return last(PART.start(session, state or KeptState(session.run), question))[-1]


def test_a_sentence_says_what_is_sure_then_a_table_what_was_tested_then_pictures(session: Session) -> None:
    made = answered(session)
    document = json.loads(made.files[0].read_text("utf-8"))
    n = len(document["answers"])
    assert f"sure of {n - 15} of {n} images; 15 “not sure”" in made.view
    assert "5 unlike its training images" in made.view
    assert "10 below the bar, a probability of 0.50" in made.view
    assert "Failures got “red” more often than chance allows." in made.view
    assert made.view.index("<h3") < made.view.index("<table") < made.view.index('class="gallery')
    counts = {one["answer"]: one for one in document["counts"]}
    assert set(counts) == {"red", "blue", "not sure"}
    assert made.view.count(">passes<") == sum(one["p"] <= 0.05 for one in counts.values()) == 1
    assert made.view.count('data-do="answer"') == 3
    assert "probability 0.90" in made.view
    assert "unlike the training images" in made.view
    rows = list(csv.DictReader(made.files[1].read_text("utf-8").splitlines()))
    assert [row["reason"] for row in rows[:16]] == ["below the bar"] * 10 + ["unlike"] * 5 + [""]
    assert {row["answer"] for row in rows[:15]} == {"not sure"}


def test_where_nothing_is_sure_no_answer_is_claimed(session: Session, first: F32) -> None:
    first[:] = 1.0
    view = answered(session).view
    assert f"sure of 0 of {len(first)} images: all are unlike its training images" in view
    assert "No answer could be tested" in view
    assert ">passes<" not in view
    assert "probability 1" not in view


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "question is empty"),
        ("what colour is the dress ?", "does not know “dress”"),
        ("x" * 500, "at most 400 characters: got 500"),
        ("caption: the cube", "begins with the name of another task"),
    ],
)
def test_what_cannot_be_asked_gets_a_message(session: Session, question: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        answered(session, question)


def test_a_run_without_pictures_is_not_offered_them_and_cannot_be_asked(worded: Diagnosis) -> None:
    texts = replace(worded, samples=replace(worded.samples, modality="text"))
    bare = replace(worded, samples=replace(worded.samples, items=None))
    for run, usable in ((texts, False), (bare, False), (worded, True)):
        assert PART.reopen(Session(RUNS.add(run)), KeptState())[0]["visible"] is usable
    with pytest.raises(InvalidInput, match="this run has none"):
        answered(Session(RUNS.add(texts)))


def test_answers_are_kept_by_run_and_questions_are_counted(worded: Diagnosis, session: Session) -> None:
    state, line, view, *files = PART.receive(session, KeptState(session.run), answered(session))
    assert "Done" in line
    assert "questions were tested" not in view["value"]
    assert [Path(file["value"]).name for file in files] == [name for name, _ in FILES]
    second = answered(session, QUESTION, state)
    assert "You tested 2 questions on this run" in second.view
    other = Session(RUNS.add(worded))
    state, line, *_ = PART.receive(other, state, second)
    assert "belongs to another run" in line
    _, _, _, state, line, empty, *_ = PART.reopen(other, state)
    assert (state.current, line, empty) == (None, "", "")
    _, _, _, state, _, view, *_ = PART.reopen(session, state)
    assert view["value"] == second.view


def test_an_example_fills_the_field_and_a_press_shows_an_answers_pictures(session: Session) -> None:
    assert on_example(press(do="ask", text=EXAMPLES[0])) == EXAMPLES[0]
    made = answered(session)
    state = KeptState(session.run, (made,))
    tabs, shown, pane, _ = on_show(session, state, press(do="answer", place="1"))
    assert tabs["selected"] == "explore"
    assert shown.rows == made.picks[1]["rows"]
    assert "Answered" in pane
    for other, place in ((KeptState("another", state.saved), "0"), (state, "99"), (KeptState(session.run), "0")):
        with pytest.raises(InvalidInput, match="another run"):
            on_show(session, other, press(do="answer", place=place))
