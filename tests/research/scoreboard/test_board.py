"""The board in Markdown and as a document: what peers are ahead in stands first, and a round trip changes nothing."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from research.scoreboard.board import NO_CLAIMS, Board, ahead
from research.scoreboard.markdown import markdown
from research.scoreboard.summarise import summarise
from tests.support.scoreboard import board_line


@pytest.fixture
def board():
    values = {"errata": 0.5, "spotlight": 0.2, "domino": 0.9}
    rows = [board_line(method, seed, [value]) for seed in range(5) for method, value in values.items()]
    return Board(
        tuple(summarise(rows)), {"pictures": "No folder was named."}, "python -m research.scoreboard", "2026-01-01"
    )


def test_where_a_peer_is_ahead_is_said_before_any_table(board):
    text = markdown(board)
    head, _, tables = text.partition("## embeddings: rare")
    assert "A peer is ahead of Errata 5 times, clearly (interval below 0) 5 times" in head
    assert "domino, P@10 of the best of five: Errata minus it -0.40 [-0.40, -0.40]" in head
    assert "No folder was named." in head
    assert "python -m research.scoreboard" in head
    assert tables.count(NO_CLAIMS) == 3
    rows = [row for row in tables.splitlines() if row.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows] == ["method", "errata", "domino", "spotlight"]
    assert len({row.count("|") for row in rows}) == 1
    assert ahead(board.cells) == {"domino": (0, 0, 1), "spotlight": (1, 0, 0)}


def test_a_kind_of_which_no_world_counts_has_a_sentence_and_no_table(board):
    out = [
        {"tier": "scenes", "kind": "rare", "seed": s, "method": "errata", "left_out": "it learnt it"} for s in (1, 2)
    ]
    text = markdown(Board((*board.cells, *summarise(out))))
    tail = text.partition("## scenes: rare")[2]
    assert "2 of 2 worlds are left out" in tail
    assert "|" not in tail


def test_few_worlds_have_no_interval():
    rows = [board_line(m, s, [v]) for s in range(2) for m, v in {"errata": 0.5, "spotlight": 0.6}.items()]
    text = markdown(Board(tuple(summarise(rows))))
    assert "Errata minus it -0.10 (2 worlds)" in text
    assert "[" not in text.partition("## ")[2]


def test_a_board_is_read_as_it_was_written(board):
    again = Board.from_json(board.to_json())
    assert again.to_json() == board.to_json()
    assert markdown(again) == markdown(board)


@pytest.mark.parametrize("given", [{}, {"cells": [{"tier": "x"}], "missing": {}, "command": "", "made": ""}])
def test_another_document_is_refused(given):
    with pytest.raises(InvalidInput, match="no scoreboard"):
        Board.from_json(given)
