"""How often the interval of a share, and of a difference of shares on the same rows, holds where rows come in groups.

    python -m research.evidence.grouped_intervals [--repeats 1000] [--seed 3]

Made-up rows: 6, 12, 25 or 80 groups of 2 to 4, of 5 to 15, or of geometric size (mean 12.5); four shares or pairs of
shares; four correlations within groups, from none to all rows of a group alike. Printed for each number of groups: the
coverage over its 48 settings, mean and least, and the mean width, beside the percentile interval over resampled groups.
Seeds 1 and 2 chose between the formulas.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from core.records import F64, I64, Estimate
from core.statistics.intervals import accuracy_of
from core.statistics.paired import paired_difference

GROUPS = (6, 12, 25, 80)
ALIKE = (0.0, 0.1, 0.5, 1.0)
SHARES = ((0.03, 0.0), (0.2, 0.0), (0.5, 0.0), (0.9, 0.0))
PAIRS = ((0.02, 0.02), (0.1, 0.1), (0.15, 0.05), (0.3, 0.1))
SIZES: tuple[Callable[[int, np.random.Generator], I64], ...] = (
    lambda n, rng: rng.integers(2, 5, n),
    lambda n, rng: rng.integers(5, 16, n),
    lambda n, rng: rng.geometric(0.08, n),
)


def draw(sizes: I64, first: float, second: float, alike: float, rng: np.random.Generator) -> tuple[F64, I64]:
    """(n,) 1, -1 or 0, the first two with the shares `first` and `second`, and the group of each row."""
    shares = np.array([first, second, 1 - first - second])
    if alike == 1:
        each = np.eye(3)[rng.choice(3, len(sizes), p=shares)]
    else:
        each = np.tile(shares, (len(sizes), 1)) if not alike else _dirichlet(shares, alike, len(sizes), rng)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    below = rng.random(len(groups))[:, None] > np.cumsum(each, axis=1)[groups, :2]
    return np.array([1.0, -1.0, 0.0])[below.sum(axis=1)], groups


def _dirichlet(shares: F64, alike: float, n: int, rng: np.random.Generator) -> F64:
    drawn = rng.gamma(np.maximum(shares * (1 / alike - 1), 1e-300), size=(n, 3)) + 1e-300
    return drawn / drawn.sum(axis=1, keepdims=True)


def intervals(values: F64, groups: I64, rng: np.random.Generator, paired: bool) -> Iterator[Estimate]:
    """Ours, and the percentile interval."""
    first = values > 0
    second = values < 0
    yield paired_difference(first, second, groups) if paired else accuracy_of(~first, groups)
    sums = np.bincount(groups, values)
    sizes = np.bincount(groups)
    drawn = rng.integers(0, len(sizes), (300, len(sizes)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    yield Estimate(float(values.mean()), float(low), float(high))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=3)
    asked = parser.parse_args()
    for paired, pairs in ((False, SHARES), (True, PAIRS)):
        for n in GROUPS:
            held = list[F64]()
            width = list[F64]()
            for at in np.ndindex(len(SIZES), len(pairs), len(ALIKE)):
                rng = np.random.default_rng([asked.seed, n, *at, paired])
                (first, second), size = pairs[at[1]], SIZES[at[0]]
                made = [
                    list(intervals(*draw(size(n, rng), first, second, ALIKE[at[2]], rng), rng, paired))
                    for _ in range(asked.repeats)
                ]
                held.append(np.mean([[i.low <= first - second <= i.high for i in two] for two in made], axis=0))
                width.append(np.mean([[i.high - i.low for i in two] for two in made], axis=0))
            share = np.mean(held, axis=0)
            least = np.min(held, axis=0)
            wide = np.mean(width, axis=0)
            for who, values in zip(("ours", "percentile"), np.stack([share, least, wide], axis=1), strict=True):
                print("difference" if paired else "share", n, who, *(f"{value:.3f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
