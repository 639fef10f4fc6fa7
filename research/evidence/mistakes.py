"""What comes of each mistake that people make in a table, and of honest tables that look odd?

python -m research.evidence.mistakes [--seeds N] [--more FILE] [--only TASK] [--all]
"""

from __future__ import annotations

import argparse
import re
import runpy
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.mistakes.every import MISTAKES
from tests.mistakes.good import GOOD, alarms
from tests.mistakes.judging import OUTCOMES, Mistake, outcome
from tests.mistakes.right import RIGHT

VAGUE = "no word of it"
"""Of those refused: the message does not name the mistake, so what it advises may be another one."""


def totals(judged: Sequence[tuple[Mistake, str, str]]) -> str:
    """How many of each task came to what, and of the refused how many with a message that does not name the mistake."""
    table = defaultdict[str, Counter[str]](Counter)
    for mistake, came, said in judged:
        vague = came == "refused" and not re.search(mistake.words, said, re.IGNORECASE)
        for task in (mistake.task, "all"):
            table[task].update([came, *([VAGUE] if vague else [])])
    lines = [f"{'':16}" + "".join(f"{name:>10}" for name in OUTCOMES) + f"{'of':>6}   refused with {VAGUE}"]
    for task in (*dict.fromkeys(mistake.task for mistake, _, _ in judged), "all"):
        counts = [table[task][name] for name in OUTCOMES]
        lines.append(f"{task:16}" + "".join(f"{n:10}" for n in counts) + f"{sum(counts):6}{table[task][VAGUE]:10}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the mistakes and print the table; 1 where one is silent or an honest table raises an alarm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="so many models, each with every mistake")
    parser.add_argument("--more", type=Path, help="a Python file with a list MISTAKES, in place of those of the tests")
    parser.add_argument("--only", default="", help="of one task")
    parser.add_argument("--all", action="store_true", help="what was said of each, not of the silent ones alone")
    asked = parser.parse_args(arguments)
    mistakes: Sequence[Mistake] = runpy.run_path(str(asked.more))["MISTAKES"] if asked.more else MISTAKES
    seeds = range(asked.seeds)
    judged = [(one, *outcome(one, seed)) for seed in seeds for one in mistakes if asked.only in one.task]
    print(totals(judged))
    told = Counter((came, one.task, one.name) for one, came, _ in judged if asked.all or came == "SILENT")
    last = {(came, one.task, one.name): said.strip() for one, came, said in judged}
    for (came, task, name), n in told.items():
        print(f"{came:8} {n:3} {task:15} {name}: {last[came, task, name]}".rstrip(": "))
    false = {(name, seed): said for name in (*GOOD, *RIGHT) for seed in seeds if (said := alarms(name, seed))}
    print(f"false alarms: {len(false)} of {asked.seeds * len(GOOD)} odd and {asked.seeds * len(RIGHT)} plain tables")
    for (name, seed), said in false.items():
        print(f"  {name} ({seed}): {' | '.join(said)}")
    return int(bool(false) or any(came == "SILENT" for _, came, _ in judged))


if __name__ == "__main__":
    sys.exit(main())
