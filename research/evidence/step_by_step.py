"""What reasons bring a small T5, by the number of rows that it learns from, on a task whose causes are known.

    python -m research.evidence.step_by_step --n 50 100 200 500 2000 --seeds 0 5 --out FILE
    python -m research.evidence.step_by_step --show FILE

A text is eight words, one of four for each of eight properties, of which two are bad. Three causes follow from them:
underlit (light, and exposure or lamp), blurred (speed, and shutter or hand), hidden (cover or distance). The label is
"fails" where two causes hold, and the reason names of each cause whether it does. Seeds from 100 on served for choosing
the task and the settings. Every run is one JSON line; a run that is in the file already is not made again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from core.records import Estimate
from core.statistics.runs import show
from core.systems.step_by_step.figures import measure
from core.systems.step_by_step.loop import teach
from core.systems.step_by_step.rationales import RationaleSet, gather, subsample
from core.systems.step_by_step.settings import SHUFFLED, SINGLE_TASK, STANDARD, STEP_BY_STEP, StepByStep
from core.systems.step_by_step.student import make_t5
from research.lines import append_line, keys_done, read_lines

SAID = {
    "light": ("dark", "dim", "fair", "bright"),
    "exposure": ("brief", "short", "long", "endless"),
    "lamp": ("broken", "weak", "good", "strong"),
    "speed": ("racing", "quick", "slow", "resting"),
    "shutter": ("sluggish", "lazy", "swift", "instant"),
    "hand": ("shaking", "unsteady", "steady", "still"),
    "cover": ("buried", "hedged", "leafy", "bare"),
    "distance": ("remote", "far", "close", "near"),
}
"""The first two words of each are bad."""
CAUSES = (("underlit", "lit"), ("blurred", "sharp"), ("hidden", "seen"))
N_TEST = 500
N_POOL = 2000
TWICE = "standard, twice the updates"
"""As much computing as step-by-step, whose every update has two passes."""
ARMS = {
    STANDARD: (STANDARD, 1),
    TWICE: (STANDARD, 2),
    SHUFFLED: (SHUFFLED, 1),
    STEP_BY_STEP: (STEP_BY_STEP, 1),
    SINGLE_TASK: (SINGLE_TASK, 1),
}
KEYS = ("arm", "n", "seed", "noise", "updates")


def rows_of(
    n: int, rng: np.random.Generator, noise: float = 0.0, without: frozenset[str] = frozenset()
) -> RationaleSet:
    """n different texts, none of `without`; a share `noise` of the labels is turned round, reasons are always true."""
    texts: dict[str, tuple[str, str]] = {}
    while len(texts) < n:
        at = rng.integers(0, 4, len(SAID))
        bad = (at < 2).tolist()
        text = " ".join(values[i] for values, i in zip(SAID.values(), at.tolist()))
        causes = (bad[0] and (bad[1] or bad[2]), bad[3] and (bad[4] or bad[5]), bad[6] or bad[7])
        fails = (sum(causes) >= 2) != (rng.random() < noise)
        if text not in without:
            reason = " ".join(words[not holds] for words, holds in zip(CAUSES, causes))
            texts.setdefault(text, ("fails" if fails else "works", reason))
    labels, reasons = zip(*texts.values())
    return gather("causes", list(texts), labels, reasons)


def run(arm: str, n: int, seed: int, noise: float, updates: int) -> dict[str, Any]:
    """One student, taught on n rows and measured on 500 others without noise."""
    method, times = ARMS[arm]
    how = StepByStep(method=method, updates=updates * times, seed=seed, width=48, lr=2e-3, max_answer=16)
    pool = rows_of(N_POOL, np.random.default_rng([seed, 1]), noise)
    held = rows_of(N_TEST, np.random.default_rng([seed, 2]), without=frozenset(pool.texts))
    learn = pool.keep(subsample(pool.labels, n, seed))
    began = time.process_time()
    student = make_t5([*learn.texts, *learn.labels, *learn.rationales], how)
    curve = teach(student, learn, how)
    found = measure(student, held, how)
    return {
        **{"arm": arm, "n": n, "seed": seed, "noise": noise, "updates": updates},
        "accuracy": found.accuracy.value,
        "rationale": None if found.rationale is None else found.rationale.value,
        "no_class": found.no_class,
        "fails": float(np.mean(np.array(held.labels) == "fails")),
        "loss": curve.losses[-1],
        "seconds": time.process_time() - began,
    }


def _mean(values: Sequence[float]) -> Estimate:
    """The mean over seeds with Student's 95% interval; undefined for one seed."""
    reach = math.nan
    if len(values) > 1:
        reach = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return Estimate(float(np.mean(values)), float(np.mean(values)) - reach, float(np.mean(values)) + reach)


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """For each noise and n: the mean accuracy of each arm over the seeds, and step-by-step's paired gains."""
    found: list[str] = []
    for noise, updates, n in sorted({(r["noise"], r["updates"], r["n"]) for r in rows}):
        by_arm = {
            arm: {
                r["seed"]: r for r in rows if (r["arm"], r["noise"], r["updates"], r["n"]) == (arm, noise, updates, n)
            }
            for arm in ARMS
        }
        found.append(f"n = {n:,}, noise {noise:g}, {updates} updates")
        for arm, of in by_arm.items():
            if of:
                exact = [r["rationale"] for r in of.values() if r["rationale"] is not None]
                word = f", reasons word for word {show(_mean(exact), 3)}" if exact else ""
                accuracy = show(_mean([r["accuracy"] for r in of.values()]), 3)
                seconds = float(np.mean([r["seconds"] for r in of.values()]))
                found.append(f"  {arm}: {accuracy} ({len(of)} seeds, {seconds:.0f} s){word}")
        mine = by_arm[STEP_BY_STEP]
        for arm, of in by_arm.items():
            both = sorted(set(mine) & set(of))
            if arm != STEP_BY_STEP and both:
                gains = [100 * (mine[s]["accuracy"] - of[s]["accuracy"]) for s in both]
                found.append(f"  step-by-step - {arm}: {show(_mean(gains), 1)} points, {len(both)} seeds")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, nargs="+", default=[50, 100, 200, 500, 2000])
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 5), help="from, and up to without")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=[STANDARD, SHUFFLED, STEP_BY_STEP])
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    given = parser.parse_args()
    if given.out is not None:
        done = keys_done(read_lines(given.out), KEYS)
        for seed in range(*given.seeds):  # all arms of a seed before the next one, so that a part is a fair part
            for n in given.n:
                for arm in given.arms:
                    if (arm, n, seed, given.noise, given.updates) not in done:
                        append_line(given.out, run(arm, n, seed, given.noise, given.updates))
    if (path := given.show or given.out) is not None:
        print("\n".join(lines(read_lines(path))))


if __name__ == "__main__":
    main()
