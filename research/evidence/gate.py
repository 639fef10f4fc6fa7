"""How often the gate holds back a version that is as good, and one that is worse: `python -m research.evidence.gate`.

Both models err independently, each sample with a chance of its own: 0.2, in a cluster of a tenth 0.6. Of the worse one
a region of a twelfth, which lies apart in the embedding, has 0.5 (`--region`), or the cluster 0.85 (`--cluster`).
`--conditions N` adds N confirmed conditions on a tenth of the samples each, of which the first fails like the cluster
in both models (with `--cluster` more in the worse one). `--no-search` looks for nothing new.
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
from core.records import EVERYTHING, F64, Diagnosis, Estimate, Insight, Outcomes
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


def with_conditions(run: Diagnosis, n: int, rng: np.random.Generator) -> Diagnosis:
    """The first of them is the cluster's samples, the others are drawn; none was chosen by these errors."""
    made = make_diagnosis(n=N).insights[0]
    errors = run.outcomes.errors
    assert errors is not None
    found: list[Insight] = []
    for at in range(n):
        mask = run.clusters[0].membership >= 0.5 if at == 0 else rng.permutation(N) < N // 10
        inside = float(errors[mask].mean())
        rest = float(errors[~mask].mean())
        difference = Estimate(inside - rest, inside - rest - 0.2, inside - rest + 0.2)
        told = {"text": f"x{at} at least 1", "scope": EVERYTHING, "mask": mask, "size": int(mask.sum())}
        known = {"confirmed": True, "p": 0.01, "measure": None, "error_difference": difference, "cluster": None}
        found.append(replace(made, error_inside=inside, error_outside=rest, **told, **known))
    return replace(run, insights=tuple(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument("--region", action="store_true")
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--conditions", type=int, default=0)
    parser.add_argument("--no-search", action="store_true")
    given = parser.parse_args()
    settings = Settings(n_permutations=given.permutations, map=False, sensitivity=False)
    held: Counter[str] = Counter()
    for seed in range(given.worlds):
        rng = np.random.default_rng(seed)
        member = (np.arange(N) % 10 == 3).astype(float)
        apart = np.arange(N) % 12 == 0
        vectors = rng.normal(size=(N, 8))
        vectors[apart, 0] += 4
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        chance = np.where(member >= 0.5, 0.6, 0.2)
        run = with_conditions(first(chance, member, vectors, rng), given.conditions, np.random.default_rng([seed, 1]))
        second = np.where(apart, 0.5, chance) if given.region else chance
        second = np.where(member >= 0.5, 0.85, second) if given.cluster else second
        with tempfile.TemporaryDirectory() as folder:
            table = write_answers(run, rng.random(N) < second, Path(folder) / "new.csv")
            found = gate(run, table, settings=None if given.no_search else settings)
        kinds = {scope.kind for scope in found.worse}
        held.update(kinds | ({"new"} if found.new else set()) | ({"findings"} if kinds - {"all"} else set()))
        held["any"] += not found.passed
    for name in ("any", "all", "cluster", "condition", "findings", "new"):
        low, high = wilson_limits(held[name] / given.worlds, given.worlds)
        print(f"{name:9} {held[name]} of {given.worlds} ({low:.1%} to {high:.1%})", flush=True)


if __name__ == "__main__":
    main()
