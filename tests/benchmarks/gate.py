"""How often the gate holds back a version that is as good, and one that is worse: `python -m tests.benchmarks.gate`.

Both models err independently, each sample with a chance of its own: 0.2, in a cluster of a tenth 0.6. Of the worse one
a region of a twelfth, which lies apart in the embedding, has 0.5 (`--region`), or the cluster 0.85 (`--cluster`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.checks.checkpoints.gate import gate
from core.discovery.settings import Settings
from core.records import F64, Diagnosis, Estimate, Outcomes
from core.statistics.intervals import wilson_limits
from tests.support.diagnoses import make_diagnosis
from tests.support.second_models import write_answers

N = 600


def first(chance: F64, member: F64, vectors: F64, rng: np.random.Generator) -> Diagnosis:
    """A run that found the cluster; its members are known and not chosen by these errors."""
    made = make_diagnosis(n=N)
    errors = rng.random(N) < chance
    outcomes = Outcomes(errors.astype(float), "0/1 error", "error", "given", errors=errors)
    rate = float(errors[member >= 0.5].mean())
    cluster = replace(
        made.clusters[0], membership=member, scope="all samples", error_rate=Estimate(rate, rate - 0.2, rate + 0.2)
    )
    return replace(
        made,
        samples=replace(made.samples, metadata=(), groups=None),
        embeddings=replace(made.embeddings, vectors=vectors.astype(np.float32)),
        outcomes=outcomes,
        words=None,
        clusters=(cluster,),
        insights=(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument("--region", action="store_true")
    parser.add_argument("--cluster", action="store_true")
    given = parser.parse_args()
    settings = Settings(n_permutations=given.permutations, map=False, sensitivity=False)
    held: Counter[str] = Counter()
    for seed in range(given.worlds):
        rng = np.random.default_rng(seed)
        member, apart = (np.arange(N) % 10 == 3).astype(float), np.arange(N) % 12 == 0
        vectors = rng.normal(size=(N, 8))
        vectors[apart, 0] += 4
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        chance = np.where(member >= 0.5, 0.6, 0.2)
        run = first(chance, member, vectors, rng)
        second = np.where(apart, 0.5, chance) if given.region else chance
        second = np.where(member >= 0.5, 0.85, second) if given.cluster else second
        with tempfile.TemporaryDirectory() as folder:
            table = write_answers(run, rng.random(N) < second, Path(folder) / "new.csv")
            found = gate(run, table, settings=settings)
        held.update({scope.kind for scope in found.worse} | ({"new"} if found.new else set()))
        held["any"] += not found.passed
    for name in ("any", "all", "cluster", "new"):
        low, high = wilson_limits(held[name] / given.worlds, given.worlds)
        print(f"{name:8} {held[name]} of {given.worlds} ({low:.1%} to {high:.1%})", flush=True)


if __name__ == "__main__":
    main()
