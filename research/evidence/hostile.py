"""Does any hostile input take Errata down? Each in a process of its own with bounded memory and time.

python -m research.evidence.hostile [--kind archives] [--only NAME] [--share quick] [--faults]
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.hostile import HostileCase, all_cases
from tests.hostile.bounds import Verdict, try_case, warm_up
from tests.hostile.shares import quick
from tests.hostile.together import try_together

SHARES = {"all": all_cases, "quick": quick}
OUTCOMES = ("refused", "left out", "accepted", "FAULT")


def chosen(kinds: Sequence[str], only: str, share: str = "all") -> list[HostileCase]:
    """The cases of these kinds (of all, where none is named) whose name holds `only`, or a share of them that the tests
    run."""
    return [one for one in SHARES[share]() if (not kinds or one.kind in kinds) and only in one.name]


def run(cases: Sequence[HostileCase], *, together: bool = False) -> Iterator[Verdict]:
    """The verdict on each case, many in one process or each in its own; requests go to one server, which is started
    for them."""
    visits = [one for one in cases if one.door == "visit"]
    files = [one for one in cases if one.door != "visit"]
    if files:
        warm_up()
        gc.collect()
        gc.freeze()  # a collection in a fork would touch every page that it shares with this process
    yield from try_together(files) if together else map(try_case, files)
    if visits:
        from tests.hostile.server import running

        with running() as server:
            yield from map(server.try_case, visits)


def line_of(verdict: Verdict) -> str:
    """A line of the table."""
    case = verdict.case
    said = f"{verdict.fault} <- {verdict.message}" if verdict.is_fault else verdict.message
    outcome = "FAULT" if verdict.is_fault else verdict.outcome
    said = said.encode("ascii", "backslashreplace").decode().replace("\n", "\\n").replace("\x1b", "\\x1b")
    return (
        f"{case.kind:15} {case.name[:58]:58} {outcome:8} {verdict.rss_mb:6.0f} MB {verdict.cpu_s:6.2f} s  {said[:200]}"
    )


def totals(verdicts: Sequence[Verdict]) -> str:
    """How many of each kind came to what, and the largest costs."""
    table = defaultdict[str, Counter[str]](Counter)
    for verdict in verdicts:
        table[verdict.case.kind]["FAULT" if verdict.is_fault else verdict.outcome] += 1
    lines = [f"{'':15} " + "".join(f"{outcome:>10}" for outcome in (*OUTCOMES, "all"))]
    for kind, counts in (*table.items(), ("all", sum(table.values(), Counter[str]()))):
        cells = (*(counts[outcome] for outcome in OUTCOMES), counts.total())
        lines.append(f"{kind:15} " + "".join(f"{n:10,}" for n in cells))
    if verdicts:
        memory = max(verdicts, key=lambda v: v.rss_mb)
        cpu = max(verdicts, key=lambda v: v.cpu_s)
        lines.append(f"most memory: {memory.rss_mb:,.0f} MB ({memory.case.name})")
        lines.append(f"most time: {cpu.cpu_s:.1f} CPU s ({cpu.case.name})")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases and print what came of each; 1 where one is a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kind", action="append", default=[], help="a kind of case, again for several")
    parser.add_argument("--only", default="", help="part of the names")
    parser.add_argument("--share", choices=tuple(SHARES), default="all", help="the share that the tests run")
    parser.add_argument("--faults", action="store_true", help="print the faults alone")
    asked = parser.parse_args(arguments)
    verdicts: list[Verdict] = []
    for verdict in run(chosen(asked.kind, asked.only, asked.share), together=asked.share != "all"):
        verdicts.append(verdict)
        if verdict.is_fault or not asked.faults:
            print(line_of(verdict), flush=True)
    print(totals(verdicts))
    return int(any(verdict.is_fault for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
