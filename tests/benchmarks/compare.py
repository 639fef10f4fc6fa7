"""How often the verdicts on failure clusters are false, and how often they are reached, when a second model is set
beside the first.

    python -m tests.benchmarks.compare [--seeds 1000 1100]

Worlds of 1,200 samples in 4 classes; in one class a fifth of the samples, apart along one direction, fail in model A at
0.5 against 0.1. Model B fails at 0.5 in both ("own": A's weakness alone), at 0.3 and 0.7 ("shared": the same excess),
or at 0.05 in both ("fixed"). A and B err independently given the sample's place. Counted over the confirmed clusters of
which at least half lie in the plant.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from core.checks.compare import compare_outcomes
from core.discovery.method import diagnose_arrays
from core.discovery.settings import Settings
from core.records import Diagnosis, Outcomes
from core.statistics.intervals import wilson

RATES = {"own": (0.5, 0.5), "shared": (0.3, 0.7), "fixed": (0.05, 0.05)}
"""Error rate of model B outside and inside the plant."""
FALSE = {
    "own": ("shared", "partly", "fixed", "broken"),
    "shared": ("own", "fixed", "partly"),
    "fixed": ("shared", "partly", "own", "broken"),
}


def world(seed: int) -> tuple[Diagnosis, np.ndarray]:
    """A diagnosis of model A, and which samples lie in the plant."""
    rng = np.random.default_rng(seed)
    n, d = 1200, 32
    labels = np.repeat(np.arange(4), n // 4)
    vectors = rng.standard_normal((n, d)) + 2 * rng.standard_normal((4, d))[labels]
    direction = rng.standard_normal(d)
    direction /= np.linalg.norm(direction)
    plant = (labels == 0) & (rng.random(n) < 0.2)
    vectors[plant] += 5 * direction
    wrong = rng.random(n) < np.where(plant, 0.5, 0.1)
    settings = Settings(map=False, n_permutations=999, seed=seed, words=False)
    found = diagnose_arrays(
        vectors.astype(np.float32), wrong.astype(np.float64), labels=labels, errors=wrong, settings=settings
    )
    return found, plant


def second(plant: np.ndarray, rates: tuple[float, float], rng: np.random.Generator) -> Outcomes:
    """Model B's outcomes."""
    wrong = rng.random(len(plant)) < np.where(plant, rates[1], rates[0])
    return Outcomes(wrong.astype(np.float64), "0/1 error", "error", "made", errors=wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1100))
    seeds = range(*parser.parse_args().seeds)
    verdicts: dict[str, list[str]] = {kind: [] for kind in RATES}
    for seed in seeds:
        found, plant = world(seed)
        mine = [c for c in found.clusters if plant[c.membership >= 0.5].mean() >= 0.5]
        for i, (kind, rates) in enumerate(RATES.items()):
            made = compare_outcomes(
                replace(found, clusters=tuple(mine)), second(plant, rates, np.random.default_rng([seed, i]))
            )
            verdicts[kind] += [c.verdict for c in made.clusters]
    for kind, said in verdicts.items():
        counts = {v: said.count(v) for v in dict.fromkeys(said)}
        false, right = wilson(sum(v in FALSE[kind] for v in said), len(said)), wilson(said.count(kind), len(said))
        print(f"{kind:7} n {len(said)}: right {right.value:.3f} [{right.low:.3f}, {right.high:.3f}]", end="; ")
        print(f"false {false.value:.3f} [{false.low:.3f}, {false.high:.3f}]  {counts}", flush=True)


if __name__ == "__main__":
    main()
