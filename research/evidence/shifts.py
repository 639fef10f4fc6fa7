"""How far losses shift between parts of real data, beside losses of another unit, temperature or power.

    python -m research.evidence.shifts DATA

DATA as for `research.evidence.desk`. Parts: halves, a class and the others, 30 to 95% of the samples wrong, 100 to
800 samples and the others. Three figures for each pair of parts and each kind of loss: by what factor at least all
quantiles of the wrong samples' losses differ, in one direction; how far apart their distributions are
(Kolmogorov-Smirnov); and by what factor at least all quantiles of all losses differ. A mistake is found where its
figure is beyond the threshold of `core.checks.contract`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from core.checks.contract import (
    MAX_KS_DISTANCE,
    MIN_SHAPE_WRONG,
    MIN_WRONG,
    MIN_WRONG_RATIO,
    QUANTILES,
    WRONG_QUANTILES,
)
from core.records import F64, I64, Bool
from core.statistics.losses import cross_entropy
from research.evidence.desk import losses_of, tables


def parts(labels: I64, wrong: Bool, k: int, rng: np.random.Generator) -> Iterator[tuple[I64, I64]]:
    """Rows that a run might have been made of, and rows that are new to it."""
    n, (right, failed) = len(labels), (np.flatnonzero(~wrong), np.flatnonzero(wrong))
    for size in (*[n // 2] * 8, 100, 200, 400, 800):
        rows = rng.permutation(n)
        yield rows[size:], rows[:size]
    for c in range(k):
        own = np.flatnonzero(labels == c)
        others = np.flatnonzero(labels != c)
        yield from ((own, others), (others, own))
    for share in (0.3, 0.5, 0.8, 0.95):
        half = len(failed) // 2
        kept = int(len(failed) * (1 - share) / share / 2)
        good = rng.permutation(right)
        bad = rng.permutation(failed)
        yield np.r_[good[kept:], bad[:half]], np.r_[good[:kept], bad[half:]]


def factor(before: F64, after: F64, quantiles: tuple[float, ...]) -> float:
    """By how much at least the quantiles differ, 1 where not all differ in one direction."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.quantile(after, quantiles) / np.quantile(before, quantiles)
    return max(float(ratios.min()), 1 / float(ratios.max()), 1.0)


def distance(before: F64, after: F64) -> float:
    found: Any = ks_2samp(before, after)
    return float(found.statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    rng = np.random.default_rng(1)
    found = dict[str, list[tuple[int, float, float, float]]]()
    for _, labels, guesses, scores in tables(parser.parse_args().data):
        if scores is None:
            continue
        wrong = labels != guesses
        k = scores.shape[1]
        pairs = list(parts(labels, wrong, k, rng))
        kinds = losses_of(scores, labels)
        kinds["margin"] = kinds["margin"] + 1
        for kind, loss in kinds.items():
            mistakes = {"none": loss, "bits": loss / np.log(2), "log10": loss / np.log(10)}
            mistakes |= {"x 16": 16 * loss, "root": loss**0.5}
            if kind == "cross-entropy":
                for t in (3, 1 / 3):
                    hot = scores.clip(1e-12) ** (1 / t)
                    mistakes[f"temperature {t:.2g}"] = cross_entropy(hot / hot.sum(1, keepdims=True), labels)
            for before, after in pairs:
                a = before[wrong[before]]
                b = after[wrong[after]]
                if (fewest := min(len(a), len(b))) >= MIN_WRONG:
                    for name, other in mistakes.items():
                        of_wrong = factor(loss[a], other[b], WRONG_QUANTILES), distance(loss[a], other[b])
                        of_all = factor(loss[before], other[after], QUANTILES)
                        found.setdefault(name, []).append((fewest, *of_wrong, of_all))
    for name, rows in found.items():
        n, times, apart, of_all = np.array(rows).T
        many = n >= MIN_SHAPE_WRONG
        noted = (times >= MIN_WRONG_RATIO) | (many & (apart > MAX_KS_DISTANCE))
        print(
            f"{name:16} {len(rows):,} pairs, {many.sum():,} with {MIN_SHAPE_WRONG} wrong: factor at most "
            f"{times.max():.2f}, distance at most {apart[many].max():.2f}, factor of all at most {of_all.max():.3g}; "
            f"noted {noted.mean():.4f}"
        )


if __name__ == "__main__":
    main()
