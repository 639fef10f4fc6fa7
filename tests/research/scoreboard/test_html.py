"""The board as a page, and the command that makes it again."""

from __future__ import annotations

import json

import pytest

from research.scoreboard.board import Board, loss_sentence
from research.scoreboard.html import SHIPPED, board_tables, render_board
from research.scoreboard.markdown import markdown
from research.scoreboard.methods import METHODS
from research.scoreboard.run import BoardPlan
from research.scoreboard.worlds import TIERS
from research.scoreboard.write import command_of, write_board
from tests.support.scoreboard import board_line


@pytest.fixture
def rows():
    values = {"errata": 0.5, "spotlight": 0.2, "domino": 0.9}
    found = [board_line(method, seed, [value]) for seed in range(5) for method, value in values.items()]
    return [*found, {"tier": "pictures", "missing": "<no> folder"}]


def test_three_files_say_the_same(rows, tmp_path):
    board = write_board(rows, BoardPlan(seeds=range(1000, 1005)), tmp_path)
    assert Board.from_json(json.loads((tmp_path / "scoreboard.json").read_text("utf-8"))).to_json() == board.to_json()
    page, text = ((tmp_path / name).read_text("utf-8") for name in ("scoreboard.html", "scoreboard.md"))
    for said in ("domino, P@10 of the first: Errata minus it -0.40 [-0.40, -0.40]", "--worlds 5"):
        assert said in page
        assert said in text
    assert "&lt;no&gt; folder" in page
    assert "<no> folder" not in page
    assert page == render_board(board)


def test_the_second_list_has_a_table_of_its_own_where_it_was_measured(rows, tmp_path):
    assert "Worth a look" not in render_board(write_board(rows, BoardPlan(), tmp_path))
    looks = [[0.02, 0.31, False], [0.9, 0.88, True], [0.8, 0.86, False]]
    board = write_board([*rows, board_line("errata", 9, [0.5], looks=looks)], BoardPlan(), tmp_path)
    page, text = (tmp_path / "scoreboard.html").read_text("utf-8"), markdown(board)
    assert "| above 0.2 up to 0.5 | 1 | 0.31 | 0.00 [0.00, 0.97] |" in text
    assert "| above 0.8 up to 1 | 2 | 0.87 | 0.50 [0.01, 0.99] |" in text
    assert page.count("above 0.8 up to 1") == 1
    assert "0.50 [0.01, 0.99]" in page


def test_a_clear_lead_is_marked_and_drawn(rows, tmp_path):
    table = board_tables(write_board(rows, BoardPlan(), tmp_path))[0]
    ours, domino, spotlight = table.lines
    assert (ours.verdict, domino.verdict, spotlight.verdict) == ("", "behind", "ahead")
    assert ours.is_ours
    assert ours.bar is None
    assert domino.bar.value == pytest.approx(0.3)
    assert domino.bar.zero == 0.5


def test_docs_show_the_board_that_comes_along(repository):
    shipped = Board.from_json(json.loads(SHIPPED.read_text("utf-8")))
    page = (repository / "docs/evidence/tables/scoreboard.md").read_text("utf-8")
    assert page == markdown(shipped) + "\n"
    assert shipped.command in page
    assert {cell.method for cell in shipped.cells} == set(METHODS)
    assert {cell.tier for cell in shipped.cells} <= set(TIERS)
    for loss in shipped.losses()[:20]:
        assert loss_sentence(*loss) in page


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (BoardPlan(), "python -m research.scoreboard --out FOLDER --tiers embeddings --worlds 3"),
        (
            BoardPlan(kinds=("noisy label",), methods=("spotlight",), seeds=range(4)),
            "python -m research.scoreboard --out FOLDER --tiers embeddings --worlds 4 --kinds 'noisy label' "
            "--engines spotlight --first-seed 0",
        ),
    ],
)
def test_the_command_makes_the_same_board(plan, words):
    assert command_of(plan) == words
