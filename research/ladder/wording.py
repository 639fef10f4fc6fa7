"""What a published ladder of methods came to when run again, in lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.numbers import count
from core.reports.wording.comparison import share
from core.systems.probes.wording import gain_words

if TYPE_CHECKING:
    from research.ladder.reproduce import LadderRow


def reproduction_lines(rows: Sequence[LadderRow]) -> list[str]:
    """An aligned line for each figure: mean over seeds with its interval, the gain over zero-shot, and what the papers
    say; below it how their figure came about and what is done otherwise here."""
    from research.ladder.steps import NO_DRAW

    titles = [
        ", ".join(p for p in (r.step, "" if r.shots is None else count(r.shots, "shot"), _metric(r)) if p) for r in rows
    ]
    width = max([len(t) for t in titles], default=0) + 2
    lines: list[str] = []
    for title, row in zip(titles, rows):
        if row.value is None:
            lines.append(f"{title:<{width}}{row.note}")
            continue
        gain = row.gains.get("zero-shot")
        over = "" if gain is None else f"; over zero-shot {gain_words(gain)}"
        papers = f"; published: {'; '.join(row.published)}" if row.published else ""
        lines.append(f"{title:<{width}}{share(row.value)}{over}{papers}")
        lines += [f"    published: {row.protocol}."] if row.protocol else []
        lines += [f"    here: {'; '.join(row.here)}."] if row.here else []
        note = row.note.removeprefix(NO_DRAW).strip()
        lines += [f"    note: {note}"] if note else []
    return lines


def _metric(row: LadderRow) -> str:
    named = "" if row.metric in ("", "accuracy") else row.metric
    return named if row.setting == "all classes" else ", ".join(p for p in (row.setting, named) if p)
