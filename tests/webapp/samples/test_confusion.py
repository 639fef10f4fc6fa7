"""The matrix of true and predicted classes: its counts are those that its filters keep."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.store import save
from tests.support.showcase import make_showcase
from tests.webapp.samples.test_tab import charts_of, pressed, rows_of
from webapp.samples.charts import MAX_MATRIX_CLASSES, MAX_PAIRS, charts, confusion_grid
from webapp.samples.selecting import chips
from webapp.state.query import query_of, session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session


@pytest.fixture
def run(tmp_path: Path) -> str:
    save(make_showcase(120), tmp_path / "confused" / "run.errata")
    return RUNS.offer(tmp_path / "confused" / "run.errata")


def test_each_cell_keeps_as_many_as_it_says_and_lets_go_when_pressed_again(run: str) -> None:
    diagnosis = RUNS.get(run)
    grid = confusion_grid(diagnosis, None, ())
    assert grid is not None
    assert sum(cell.n for row in grid.rows for cell in row) == 120
    for row in grid.rows:
        for cell in row:
            session = pressed(Session(run), do="filter", part=cell.part)[0]
            assert len(rows_of(session)) == cell.n
            shown = confusion_grid(diagnosis, np.array(rows_of(session), np.int64), session.filters)
            assert shown is not None
            kept = [one for line in shown.rows for one in line if one.is_kept]
            assert [one.part for one in kept] == [cell.part]
            again = session_of(query_of(session), diagnosis, run)  # a link says the same
            assert rows_of(again) == rows_of(session)
            back = pressed(session, do="filter", part=cell.part)[0]
            assert back.filters == ()
            assert any("not confused" in words for _, words in chips(session, diagnosis)) == cell.is_right
            assert pressed(session, do="undo")[0].filters == ()  # in one step


def test_it_stands_among_the_charts_as_buttons_that_say_what_they_hold(run: str) -> None:
    view = charts_of(Session(run))
    names = RUNS.get(run).samples.class_names
    assert view.count('class="bar cell') == len(names) ** 2
    assert f'aria-label="{names[0]}, right: ' in view
    assert view.count('data-at="confused#') == len(names) ** 2
    cells = [cell.split("</td>")[0] for cell in view.split("<td>") if "confused#" in cell]
    assert sum('tabindex="0"' in cell for cell in cells) == 1


def test_of_many_classes_the_most_confused_pairs_are_listed_and_why(run: str, tmp_path: Path) -> None:
    made = RUNS.get(run)
    labels = np.arange(120) % (MAX_MATRIX_CLASSES + 1)
    predictions = (labels + 1 + np.arange(120) // (MAX_MATRIX_CLASSES + 1) % 3) % (MAX_MATRIX_CLASSES + 1)
    many = replace(
        made,
        samples=replace(made.samples, labels=labels, class_names=tuple(f"c{i}" for i in range(MAX_MATRIX_CLASSES + 1))),
        outcomes=replace(made.outcomes, predictions=predictions),
    )
    assert confusion_grid(many, None, ()) is None
    save(many, tmp_path / "many" / "run.errata")
    said = charts_of(Session(RUNS.offer(tmp_path / "many" / "run.errata")))
    assert f"Pairs, because a matrix shows up to {MAX_MATRIX_CLASSES} classes." in said
    chart = next(chart for chart in charts(many, lambda key: None, ()) if chart.key == "confused")
    assert len(chart.bars) == MAX_PAIRS
    assert chart.more == 3 * (MAX_MATRIX_CLASSES + 1) - MAX_PAIRS
    blind = replace(made, outcomes=replace(made.outcomes, predictions=None))
    assert confusion_grid(blind, None, ()) is None


def test_pairs_that_read_the_same_are_kept_apart(tmp_path: Path) -> None:
    names, made = ("a", "b → c", "a → b", "c"), make_showcase(120)
    labels, predictions = np.arange(120) % 4, np.arange(120) // 4 % 4
    outcomes = replace(made.outcomes, predictions=predictions, errors=labels != predictions)
    arrows = replace(made, samples=replace(made.samples, labels=labels, class_names=names), outcomes=outcomes)
    save(arrows, tmp_path / "arrows" / "run.errata")
    run = RUNS.offer(tmp_path / "arrows" / "run.errata")
    grid = confusion_grid(RUNS.get(run), None, ())
    assert grid is not None
    for row in grid.rows:
        for cell in row:
            session = pressed(Session(run), do="filter", part=cell.part)[0]
            assert len(rows_of(session)) == cell.n
            shown = confusion_grid(RUNS.get(run), None, session.filters)
            assert shown is not None
            assert [one.part for line in shown.rows for one in line if one.is_kept] == [cell.part]


@pytest.mark.parametrize(
    "part", ["", "[", "3", "[[]]", '[["class","x"]]', '[["class","x"],["class","y"]]', '["a","b"]']
)
def test_what_is_no_cell_is_refused(run: str, part: str) -> None:
    with pytest.raises(InvalidInput):
        pressed(Session(run), do="filter", part=json.dumps(part) if part == "3" else part)
