"""Measure Errata and its peers on failures that were planted.

Some minutes at the defaults. Broken off, it goes on with the same --out. Seeds below 100 are for choosing settings:
figures that are shown come from 1000 on. Without --out the board that comes along is written again into the docs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from core.cli.output import make_folder
from core.cli.terminal import TerminalProgress, say
from core.documents import read_json
from core.errors import InvalidInput
from core.files import write_text
from research.scoreboard.board import Board, ahead, loss_sentence
from research.scoreboard.html import SHIPPED
from research.scoreboard.markdown import markdown
from research.scoreboard.methods import METHODS
from research.scoreboard.run import FIRST, BoardPlan, check_data, run
from research.scoreboard.worlds import TIERS
from research.scoreboard.write import write_board

TABLE = Path(__file__).parents[2] / "docs/evidence/tables/scoreboard.md"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m research.scoreboard", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", help="lines that a second call goes on with, then JSON, Markdown and HTML")
    add("--tiers", nargs="+", choices=TIERS, default=["embeddings"], help="kinds of data (default embeddings)")
    add("--kinds", nargs="+", default=[], metavar="KIND", help="kinds of failure (default all of a tier)")
    add("--engines", nargs="+", default=list(METHODS), metavar="NAME", help="errata and its peers (default all)")
    add("--worlds", type=int, default=3, metavar="N", help="data sets of each kind (default 3)")
    add("--first-seed", type=int, default=FIRST, metavar="N", help="the first one's seed (default 1000)")
    add("--data", type=Path, metavar="DIR", help="folder that holds clothing, cifar10 and flickr8k")
    given = parser.parse_args(arguments)
    if given.out is None:
        board = Board.from_json(read_json(SHIPPED))
        write_text(TABLE, markdown(board) + "\n")
        return
    seeds = range(given.first_seed, given.first_seed + given.worlds)
    try:
        plan = BoardPlan(tuple(given.tiers), tuple(given.kinds), tuple(given.engines), seeds, given.data)
        check_data(plan)
    except InvalidInput as error:
        parser.error(str(error))
    make_folder(given.out)
    with TerminalProgress() as progress:
        rows = run(plan, given.out, progress)
    board = write_board(rows, plan, given.out)
    for tier, why in board.missing.items():
        say(f"{tier}: not measured. {why}")
    for peer, (better, unclear, worse) in ahead(board.cells).items():
        say(f"{peer}: Errata is ahead in {better} cells, behind in {worse}, unclear in {unclear}")
    for loss in board.losses()[:5]:
        say(f"A peer is ahead: {loss_sentence(*loss)}")
    say(f"Written: {given.out / 'scoreboard.html'}")


if __name__ == "__main__":
    main()
