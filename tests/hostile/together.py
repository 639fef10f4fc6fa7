"""Inputs that cost little, many in one process: two forks for each are most of what they cost.

Nothing is lost by it: where one of them is a fault, or their process does not end well, each is tried alone.
"""

from __future__ import annotations

import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.hostile import MAX_CPU_S, HostileCase
from tests.hostile.bounds import Verdict, forked, high_water, judge, left_in, open_door, try_case, write_below

AT_ONCE = 20


def try_together(cases: Sequence[HostileCase]) -> Iterator[Verdict]:
    """The verdict on each case."""
    for at in range(0, len(cases), AT_ONCE):
        some = cases[at : at + AT_ONCE]
        found = _in_two_forks(some)
        yield from found if found and not any(one.is_fault for one in found) else map(try_case, some)


def _in_two_forks(cases: Sequence[HostileCase]) -> list[Verdict]:
    """The verdicts; none where the inputs could not all be made and opened."""
    top = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        places = [top / str(i) for i in range(len(cases))]
        for place in (top, *places):
            (place / "tmp").mkdir(parents=True)
        made, _, _ = forked(
            lambda: [_made(*both) for both in zip(cases, places, strict=True)], top, 60.0, bounded=False
        )
        if made[0] != "made":
            return []
        said, _, _ = forked(
            lambda: [_opened(*all3) for all3 in zip(cases, made[1], places, strict=True)], top, MAX_CPU_S
        )
        if said[0] != "made":
            return []
        verdicts = list[Verdict]()
        for case, place, (outcome, message, rss, cpu) in zip(cases, places, said[1], strict=True):
            verdicts.append(judge(case, outcome, message, rss, cpu, [str(top)], left_in(place / "tmp")))
        return verdicts
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _made(case: HostileCase, place: Path) -> dict[str, Any]:
    (place / "in").mkdir()
    write_below(place / "tmp")
    return case.make(place / "in")


def _opened(case: HostileCase, arguments: dict[str, Any], place: Path) -> tuple[str, str, float, float]:
    """(outcome, message, peak RSS in MB, CPU seconds) of the case's door."""
    write_below(place / "tmp")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    before = _cpu()
    outcome, message = open_door(case, arguments)
    return outcome, message, high_water("self"), _cpu() - before


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
