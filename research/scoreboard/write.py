"""The scoreboard's three files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from core.files import write_json, write_text
from research.scoreboard.board import Board
from research.scoreboard.html import render_board
from research.scoreboard.markdown import markdown
from research.scoreboard.methods import METHODS
from research.scoreboard.run import FIRST, BoardPlan
from research.scoreboard.summarise import summarise


def write_board(rows: Sequence[dict[str, Any]], plan: BoardPlan, folder: Path) -> Board:
    """Sum up the lines of a run and write `folder`/scoreboard.json, .md and .html."""
    missing = {row["tier"]: row["missing"] for row in rows if "missing" in row}
    board = Board(tuple(summarise(rows)), missing, command_of(plan), date.today().isoformat())
    write_json(folder / "scoreboard.json", board.to_json())
    board = Board.from_json(board.to_json())  # as it is written, with three decimals: the three say the same
    write_text(folder / "scoreboard.md", markdown(board) + "\n")
    write_text(folder / "scoreboard.html", render_board(board))
    return board


def command_of(plan: BoardPlan) -> str:
    """The command that makes the plan's board again."""
    parts = [
        "python -m research.scoreboard --out FOLDER",
        f"--tiers {' '.join(plan.tiers)}",
        f"--worlds {len(plan.seeds)}",
    ]
    parts += [f"--kinds {shlex.join(plan.kinds)}"] if plan.kinds else []
    parts += [f"--engines {shlex.join(plan.methods)}"] if plan.methods != tuple(METHODS) else []
    parts += [f"--first-seed {plan.seeds.start}"] if plan.seeds.start != FIRST else []
    parts += ["--data DIR"] if plan.data is not None else []
    return " ".join(parts)
