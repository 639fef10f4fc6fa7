"""What do hostile runs, checkpoints and files of boxes cost the command or the endpoint that reads them?

python -m research.evidence.received [--only NAME]

Each in a fork of a process that has imported everything, with bounded address space and time: memory is what the fork
took beyond one that refuses an empty folder. Exit code 1 where a case is a fault, or takes more than 1.5 GB or 20 s.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from importlib import import_module

from tests.hostile import MAX_RSS_MB, all_cases
from tests.hostile.bounds import Verdict, try_case, warm_up

THROUGH = {
    "run": "whatever opens a run", "encoder": "`--encoder`", "boxes": "`--detections`", "command": "command",
    "served": "endpoint",
}  # fmt: skip
HEAVY = ("torch", "transformers", "open_clip", "pycocotools.mask", "core.encoders.open_clip.encoder")


def line_of(verdict: Verdict, idle_mb: float) -> str:
    """A row of the table."""
    name = verdict.case.name.removeprefix("received: ")
    said = "FAULT: " + verdict.fault[:60] if verdict.is_fault else verdict.outcome
    more = max(verdict.rss_mb - idle_mb, 0)
    return f"| {name} | {THROUGH[verdict.case.door]} | {said} | {more:,.0f} | {verdict.cpu_s:.1f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases and print a table of Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", help="part of the names")
    only = parser.parse_args(arguments).only
    warm_up()
    for name in HEAVY:
        import_module(name)
    gc.collect()
    gc.freeze()
    cases = all_cases()
    bad = 0
    base = try_case(next(case for case in cases if case.name == "run: its file is empty")).rss_mb
    print("| input | read by | came of it | MB more | CPU s |\n|---|---|---|---|---|")
    for case in cases:
        if case.kind == "received" and only in case.name:
            verdict = try_case(case)
            bad += verdict.is_fault or verdict.rss_mb - base > MAX_RSS_MB
            print(line_of(verdict, base), flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
