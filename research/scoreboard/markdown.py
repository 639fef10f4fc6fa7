"""The scoreboard as Markdown."""

from __future__ import annotations

from research.scoreboard.board import HEADINGS, LOOKS_ARE, Board, left_out_sentence, look_row, loss_sentence, row
from research.scoreboard.cells import MIN_WORLDS, looks_table

MOST_TOLD = 20


def markdown(board: Board) -> str:
    """The whole board: what to know first, then a table for each tier and kind."""
    parts = ["# Scoreboard", "", *_head(board), ""]
    for tier, kind, cells in board.groups():
        n = max(cell.runs for cell in cells)
        out = max(cell.left_out for cell in cells)
        parts += [f"## {tier}: {kind}", ""]
        parts += [left_out_sentence(out, n + out), ""] if out else []
        if not n:
            continue
        parts += ["| " + " | ".join(HEADINGS) + " |", "|---" * len(HEADINGS) + "|"]
        parts += ["| " + " | ".join(row(cell)) + " |" for cell in cells if cell.runs] + [""]
    return "\n".join([*parts, *_looks(board)])


def _looks(board: Board) -> list[str]:
    """Whether sets that are worth a look are as often nothing as was said; no lines where that was not measured."""
    if not (bins := looks_table(board.cells)):
        return []
    head = [
        "## Worth a look",
        "",
        LOOKS_ARE,
        "",
        "| said to be nothing | sets | said, mean | nothing |",
        "|---|---|---|---|",
    ]
    return [*head, *(f"| {' | '.join(look_row(one))} |" for one in bins), ""]


def _head(board: Board) -> list[str]:
    behind = board.losses()
    clear = [cell for measure, cell in behind if cell.verdict(measure) == "behind"]
    lines = [f"Made with `{board.command}`{f' on {board.made}' if board.made else ''}."] if board.command else []
    lines += [
        f"Intervals hold 95% over worlds, of {MIN_WORLDS} and more; differences are paired by world; at most five "
        'slices each; "of as many" cuts the longer list to the shorter one.'
    ]
    lines += [f"Not measured: {tier} ({why})" for tier, why in board.missing.items()]
    if not behind:
        return [*lines, "No peer is ahead of Errata in any cell."]
    lines += ["", f"A peer is ahead of Errata {len(behind)} times, clearly (interval below 0) {len(clear)} times:", ""]
    return lines + [f"* {loss_sentence(*loss)}" for loss in behind[:MOST_TOLD]]
