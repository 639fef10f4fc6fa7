"""The scoreboard as a page of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.reports.html.diagnosis import style
from core.reports.html.intervals import IntervalBar, interval_bar
from core.reports.html.render import render
from research.scoreboard.board import HEADINGS, LOOKS_ARE, Board, ahead, left_out_sentence, look_row, loss_sentence, row
from research.scoreboard.cells import MIN_WORLDS, BoardCell, looks_table
from research.scoreboard.methods import NULL, OURS

TEMPLATES = Path(__file__).parent / "templates"
SHIPPED = Path(__file__).parent / "scoreboard.json"
"""The board that comes along, made with the command that stands in it."""


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A row of a table: its entries, and "Errata minus it" in precision at 10, best of five, from -1 to 1."""

    entries: tuple[str, ...]
    bar: IntervalBar | None
    is_ours: bool
    verdict: str
    """As of `BoardCell.verdict`."""


@dataclass(frozen=True, slots=True)
class BoardTable:
    """One kind of failure in one kind of data."""

    title: str
    note: str
    lines: tuple[BoardLine, ...]


def board_tables(board: Board) -> list[BoardTable]:
    """Every tier and kind of the board."""
    found: list[BoardTable] = []
    for tier, kind, cells in board.groups():
        out = max(cell.left_out for cell in cells)
        n = max(cell.runs for cell in cells)
        note = left_out_sentence(out, n + out) if out else ""
        if kind == NULL:
            note = "Nothing is planted: every claim is false. Methods that make no claims are left out."
        found.append(BoardTable(f"{tier}: {kind}", note, tuple(_line(cell) for cell in cells if cell.runs)))
    return found


def _line(cell: BoardCell) -> BoardLine:
    behind = cell.behind.get("best_p10")
    bar = None if behind is None or cell.runs < MIN_WORLDS else interval_bar(behind, -1.0, 1.0)
    return BoardLine(tuple(row(cell)), bar, cell.method == OURS, cell.verdict())


def board_values(board: Board) -> dict[str, Any]:
    """What `scoreboard_macros.html.j2` asks for."""
    return {
        "board": board,
        "headings": HEADINGS,
        "tables": board_tables(board),
        "ahead": ahead(board.cells),
        "losses": [loss_sentence(*loss) for loss in board.losses()],
        "looks": [look_row(one) for one in looks_table(board.cells)],
        "looks_are": LOOKS_ARE,
    }


def render_board(board: Board) -> str:
    """A page of its own that fetches nothing."""
    return str(render("scoreboard.html.j2", TEMPLATES, **board_values(board), **style()))
