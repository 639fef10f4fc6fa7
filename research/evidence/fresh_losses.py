"""How often fresh losses are said to be worse where they are not, and where they are: the test that `predict` makes
beside Welch's t.

    python -m research.evidence.fresh_losses --runs 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy import stats

from core.checks.claims import worse_p
from core.numbers import with_interval
from core.records import F64
from core.statistics.runs import clopper_pearson

SIZES = ((40, 20), (20, 40), (10, 200), (200, 10))
"""(matching rows, the rest)"""
Make = Callable[[np.random.Generator, int, int], F64]
CASES: dict[str, Make] = {
    "nothing: normal": lambda rng, m, n: rng.normal(0, 1, m + n),
    "nothing: lognormal, deviation of the logarithm 1.2": lambda rng, m, n: rng.lognormal(0, 1.2, m + n),
    "one mean: three times the deviation inside": lambda rng, m, n: np.r_[rng.normal(0, 3, m), rng.normal(0, 1, n)],
    "one mean: uniform inside, exponential outside": lambda rng, m, n: np.r_[
        rng.uniform(0, 2, m), rng.exponential(1, n)
    ],
    "worse: lognormal, e times as high": lambda rng, m, n: np.r_[rng.lognormal(1, 1.2, m), rng.lognormal(0, 1.2, n)],
}


def rates(make: Make, m: int, n: int, runs: int) -> tuple[int, int]:
    """Of so many runs, how often Welch's t and how often `worse_p` is at most .05."""
    inside = np.arange(m + n) < m
    found = np.zeros(2, np.int64)
    for seed in range(1000, 1000 + runs):
        values = make(np.random.default_rng(seed), m, n)
        welch = stats.ttest_ind(values[inside], values[~inside], equal_var=False, alternative="greater")
        now = worse_p(values, None, inside, np.ones(m + n, bool), "mean loss")
        found += np.array([float(welch.pvalue), now]) <= 0.05  # type: ignore[attr-defined]
    return int(found[0]), int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    print("| losses | matching, rest | Welch's t | now |\n|---|---|---|---|")
    for name, make in CASES.items():
        for m, n in SIZES:
            shown = [with_interval(clopper_pearson(k, runs)) for k in rates(make, m, n, runs)]
            print(f"| {name} | {m}, {n} | {shown[0]} | {shown[1]} |", flush=True)


if __name__ == "__main__":
    main()
