"""How often the interval of "errs more inside a cluster than outside" holds the truth, where few rows are wrong or
disagree: `core.checks.paired_errors.gap_of` beside the bootstrap alone.

    python -m research.evidence.gap_coverage [--worlds 1000]

Each world draws a cluster of m members and 300 other rows, in groups of so many rows that are wrong together or as
single rows, with the error rates given; printed are the coverage of 95% intervals, their mean width, and the share
without one.
"""

from __future__ import annotations

import argparse
from unittest.mock import patch

import numpy as np

from core.checks import paired_errors
from core.records import F64, I64, Bool, Estimate

OUTSIDE = 300
CASES = [
    # members, rows of a group, rates inside and outside of +1, the same of -1
    (20, 1, (0.02, 0.05), None),
    (40, 1, (0.05, 0.05), None),
    (40, 4, (0.05, 0.05), None),
    (20, 1, (0.02, 0.02), (0.02, 0.02)),
    (40, 1, (0.1, 0.03), (0.02, 0.03)),
    (40, 4, (0.05, 0.02), (0.02, 0.02)),
]


def drawn(rng: np.random.Generator, n: int, size: int, more: float, less: float) -> tuple[F64, I64]:
    """(n,) values of 1, -1 or 0, and the groups of rows that have one value."""
    groups = np.arange(n) // size
    at = rng.random(n // size + 1)[groups]
    return np.where(at < more, 1.0, np.where(at < more + less, -1.0, 0.0)), groups


def interval(y: F64, member: Bool, groups: I64 | None, *, few: int, seed: int) -> Estimate:
    """The interval with that bound on what is few; 0 is the bootstrap alone."""
    with patch.object(paired_errors, "MIN_MINORITY", few):
        return paired_errors.gap_of(y, member, np.zeros(len(y), np.int64), groups, 0.95, seed=seed)


def main() -> None:
    """Print a line for each case and method."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", type=int, default=1000)
    worlds = parser.parse_args().worlds
    print(f"{worlds} worlds a line; 95% of them should hold the truth")
    for m, size, plus, minus in CASES:
        rng = np.random.default_rng(0)
        less = minus or (0.0, 0.0)
        truth = plus[0] - less[0] - plus[1] + less[1]
        for few in (0, paired_errors.MIN_MINORITY):
            held = 0
            widths = list[float]()
            rng = np.random.default_rng(0)
            for world in range(worlds):
                inside, of = drawn(rng, m, size, plus[0], less[0])
                outside, rest = drawn(rng, OUTSIDE, size, plus[1], less[1])
                y = np.r_[inside, outside]
                groups = np.r_[of, rest + m] if size > 1 else None
                found = interval(y, np.arange(len(y)) < m, groups, few=few, seed=world)
                held += found.low <= truth <= found.high
                widths.append(found.high - found.low)
            called = "bootstrap" if not few else "gap_of"
            none = np.mean(np.array(widths) < 1e-9)
            print(
                f"m {m} groups of {size} +{plus} -{less} {called:9}: holds {held / worlds:.3f}, "
                f"width {np.mean(widths):.3f}, without a width {none:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
