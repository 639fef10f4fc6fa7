"""Where a second model became worse: claims where it did not, and how often a region where it did is found.

    python -m research.evidence.regressions [--runs 200] [--first 0] [--permutations 199] [--kinds retrain ...]

Worlds of 400 rows and 8 dimensions without classes; 40 rows lie apart. Printed for each kind: runs, runs with a claimed
cluster and, where a region became worse, runs in which half of a claimed cluster is of it; exact binomial intervals.

retrain    both models are wrong with 0.7 in the region and 0.12 elsewhere, independently
shared     the same, but on half of the rows, drawn at random, they agree: what varies more is not worse
worse      0.12 everywhere, the second model 0.45 in the region
breaks     the first model is wrong with 0.05 everywhere and the second one there too, and with 0.35 in the region
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from core.checks.second_model import diagnose_regressions, with_outcomes
from core.discovery.settings import Settings
from core.records import Bool, Outcomes, other_models
from research.evidence.lines import clopper_pearson, show
from tests.support.diagnoses import make_diagnosis

ROWS = 400
REGION = 10
KINDS = ("retrain", "shared", "worse", "breaks")


def errors_of(kind: str, region: Bool, rng: np.random.Generator) -> tuple[Bool, Bool]:
    """(n,) errors of both models."""
    first, second = rng.random((2, len(region)))
    if kind == "breaks":
        wrong = first < 0.05
        return wrong, wrong | (region & (second < 0.35))
    if kind == "worse":
        return first < 0.12, second < np.where(region, 0.45, 0.12)
    rate = np.where(region, 0.7, 0.12)
    agree = (rng.random(len(region)) < 0.5) & (kind == "shared")
    return first < rate, np.where(agree, first, second) < rate


def run(kind: str, seed: int, permutations: int) -> tuple[bool, bool]:
    """Whether anything is claimed, and whether half of a claimed cluster is of the region."""
    rng = np.random.default_rng([1000 + seed, KINDS.index(kind)])
    region = np.arange(ROWS) % REGION == 0
    vectors = rng.normal(size=(ROWS, 8)) + 4.0 * (region[:, None] & (np.arange(8) == 0))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second = (
        Outcomes(wrong.astype(float), "0/1 error", "error", "given", errors=wrong)
        for wrong in errors_of(kind, region, rng)
    )
    made = make_diagnosis(n=ROWS)
    samples = replace(made.samples, metadata=(), labels=None, groups=None)
    embeddings = replace(made.embeddings, vectors=vectors.astype(np.float32))
    made = replace(made, samples=samples, outcomes=first, embeddings=embeddings, words=None)
    made = with_outcomes(made, "second", "given", second, np.arange(ROWS), "Read from a table.")
    settings = Settings(n_permutations=permutations, map=False, sensitivity=False, seed=seed)
    found = diagnose_regressions(made, other_models(made)[-1], settings=settings).clusters
    return bool(found), any(region[c.membership >= 0.5].mean() >= 0.5 for c in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    asked = parser.parse_args()
    for kind in asked.kinds:
        seeds = range(asked.first, asked.first + asked.runs)
        claimed, found = np.sum([run(kind, seed, asked.permutations) for seed in seeds], axis=0).tolist()
        shares = [show(clopper_pearson(count, asked.runs), 3) for count in (claimed, found)]
        print(kind, asked.runs, "claims", shares[0], "of the region", shares[1], flush=True)


if __name__ == "__main__":
    main()
