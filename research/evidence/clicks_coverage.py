"""Do the intervals from thirty clicks hold the truth, and how much does the phrase score narrow them? Simulated finite
clusters.

    python -m research.evidence.clicks_coverage --repeats 2000 --seed 2 --out clicks.jsonl

Each repetition makes a new cluster of N rows among 600 others (a tenth of which match too), draws a strip of 20 + 10,
answers it by the truth, and asks whether each 95% interval holds the share among all N. AUROC is of the score for the
truth among members; "skewed" scores are exponentials of normal ones. "grouped" rows come in groups of 1 to 12 that
mostly share their answer, and the strip takes one row a group.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm

from core.checks.clicks import Judgement, draw_strip, judge
from core.records import F64, I64, Bool, Estimate

N_OTHERS = 600
SHARE_OF_OTHERS = 0.1
SIZES = (45, 150, 1000)
SHARES = (0.05, 0.2, 0.4, 0.65, 0.95)
AUROCS = (0.5, 0.6, 0.85, 0.98)


@dataclass(frozen=True)
class World:
    """One kind of cluster."""

    size: int
    share: float
    auroc: float
    skewed: bool = False
    grouped: bool = False


@dataclass(frozen=True)
class Coverage:
    """Shares of repetitions in which an interval held the truth, and mean widths."""

    repeats: int
    clicks: float
    shown: float
    difference: float
    width_of_clicks: float
    width_ratio: float
    """Mean over repetitions of the shown interval's width over that of the clicks alone."""
    used: float
    """Share of repetitions in which the prediction-powered interval was shown."""
    ratio_where_used: float


def make_world(world: World, rng: np.random.Generator) -> tuple[Bool, F64, I64 | None]:
    """Truth (n,), score (n,) and groups (n,) if any; the first `size` rows are the cluster."""
    n = world.size + N_OTHERS
    groups = None
    chance = np.where(np.arange(n) < world.size, world.share, SHARE_OF_OTHERS)
    draw = rng.random(n)
    if world.grouped:
        groups = np.repeat(np.arange(n), rng.integers(1, 13, n))[:n]
        leader = np.unique(groups, return_index=True)[1][groups]
        draw = np.where(rng.random(n) < 0.8, draw[leader], draw)
    truth = draw < chance
    score = rng.normal(size=n) + norm.ppf(world.auroc) * np.sqrt(2) * truth
    return truth, np.exp(score) if world.skewed else score, groups


def measure(world: World, repeats: int, seed: int) -> Coverage:
    """Coverage over `repeats` clusters, strips and answers."""
    rows: list[tuple[float, ...]] = []
    for repeat in range(repeats):
        rng = np.random.default_rng(
            [
                seed,
                repeat,
                world.size,
                *(int(1000 * x) for x in (world.share, world.auroc)),
                world.skewed,
                world.grouped,
            ]
        )
        truth, score, groups = make_world(world, rng)
        members = np.arange(len(truth)) < world.size
        scope = np.ones(len(truth), bool)
        strip = draw_strip(members, scope, seed=int(rng.integers(2**31)), groups=groups)
        found = judge(strip, [bool(a) for a in truth[strip.rows]], score, members, scope)
        rows.append(_reading(found, float(truth[members].mean()), float(truth[~members].mean())))
    means = np.nanmean(rows, 0)
    used = [r[-1] for r in rows if r[5]]
    clicks, shown, difference, width, ratio, use = (round(float(m), 4) for m in means[:6])
    return Coverage(
        repeats, clicks, shown, difference, width, ratio, use, round(float(np.mean(used)), 4) if used else float("nan")
    )


def _reading(found: Judgement, share: float, others: float) -> tuple[float, ...]:
    ratio = _width(found.share) / _width(found.clicks)
    held = (_holds(found.clicks, share), _holds(found.share, share), _holds(found.difference, share - others))
    return (*held, _width(found.clicks), ratio, float(found.method == "prediction-powered"), ratio)


def _holds(estimate: Estimate, truth: float) -> float:
    return float(estimate.low - 1e-9 <= truth <= estimate.high + 1e-9)


def _width(estimate: Estimate) -> float:
    return estimate.high - estimate.low


def main() -> None:
    """Every world, one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("clicks.jsonl"))
    given = parser.parse_args()
    worlds = [World(*w) for w in itertools.product(SIZES, SHARES, AUROCS)]
    worlds += [
        World(300, share, auroc, skewed, grouped)
        for share in (0.2, 0.6, 0.9)
        for auroc in (0.7, 0.95)
        for skewed, grouped in ((True, False), (False, True))
    ]
    with given.out.open("w") as out:
        for world in worlds:
            line = json.dumps({**asdict(world), **asdict(measure(world, given.repeats, given.seed))})
            print(line, flush=True)
            out.write(line + "\n")


if __name__ == "__main__":
    main()
