"""Many small classes: is a failure of a whole superclass under a visual attribute found, and do nulls claim nothing?

    python -m research.evidence.long_tail --classes 200 --plants 40           "dogs in the dark" in one superclass
    python -m research.evidence.long_tail --classes 200 --nulls 60            errors that no image explains

Made data: a class's vector is its superclass's plus its own, an image's adds a decaying spectrum of directions and, for
one image in five, a shift along one direction (the attribute). The text vectors of the names share the superclasses and
nothing else. Classes differ in difficulty, save in `--nulls --even`, where any claim at all is false.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.records import F32, I64, Bool, Diagnosis, Embeddings, Outcomes, SampleSet
from core.statistics.intervals import wilson


@dataclass(frozen=True, slots=True, eq=False)
class LongTail:
    """samples, outcomes and embeddings of made classes; texts: (k, d) of their names; victims: (n,) the rows that were
    made to fail."""

    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings
    texts: F32
    victims: Bool
    superclass: I64
    """(k,) the true one of each class."""


def make(
    k: int,
    *,
    seed: int,
    planted: bool,
    even: bool = False,
    each: int = 50,
    d: int = 64,
    shift: float = 2.2,
    failing: float = 0.45,
) -> LongTail:
    """`k` classes of `each` rows in sqrt(k) superclasses; where planted, one superclass fails at the rate `failing`
    under the attribute."""
    rng = np.random.default_rng([seed, k])
    n_super = round(k**0.5)
    superclass = np.arange(k) * n_super // k
    labels = np.repeat(np.arange(k), each)
    n = len(labels)
    centres = rng.normal(size=(n_super, d))
    direction = rng.normal(size=d)
    dark = rng.random(n) < 0.2
    vectors = rng.standard_normal((n, d), dtype=np.float32) / np.sqrt(1 + np.arange(d) / 8).astype(np.float32)
    vectors += (centres[superclass] + 0.7 * rng.normal(size=(k, d)))[labels].astype(np.float32)
    vectors += (shift * dark[:, None] * (direction / np.linalg.norm(direction))).astype(np.float32)
    rate = (np.full(k, 0.1) if even else rng.beta(2, 18, k))[labels]
    victims = (superclass[labels] == rng.integers(n_super)) & dark & planted
    wrong = rng.random(n) < np.where(victims, failing, rate)
    losses = np.where(wrong, rng.gamma(2, 0.8, n) + 0.7, rng.gamma(1, 0.15, n))
    predictions = np.where(wrong, (labels + rng.integers(1, k, n)) % k, labels)
    samples = SampleSet(
        tuple(f"{i:06d}" for i in range(n)), labels=labels, class_names=tuple(f"class {c}" for c in range(k))
    )
    outcomes = Outcomes(losses, "loss", "nats", "made up", errors=wrong, predictions=predictions)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = (centres[superclass] + 0.7 * rng.normal(size=(k, d))).astype(np.float32)
    return LongTail(samples, outcomes, Embeddings(vectors, "made up", "made up"), texts, victims, superclass)


def run(made: LongTail, permutations: int) -> Diagnosis:
    settings = Settings(map=False, n_permutations=permutations, n_members=5)
    return diagnose_records(made.samples, made.outcomes, made.embeddings, names=made.texts, settings=settings)


def share(hits: list[bool]) -> str:
    interval = wilson(sum(hits), len(hits))
    return f"{sum(hits)} of {len(hits)} ({interval.low:.3f} to {interval.high:.3f})"


def plants(given: argparse.Namespace) -> None:
    """How often the first cluster's scope is the failing superclass and most of its rows are victims, with its
    precision and recall."""
    found: list[bool] = []
    others: list[bool] = []
    precision: list[float] = []
    recall: list[float] = []
    for seed in range(given.first, given.first + given.plants):
        made = make(given.classes, seed=seed, planted=True, shift=given.shift, failing=given.failing)
        clusters = run(made, given.permutations).clusters
        hits = [made.victims[c.membership >= 0.5].mean() for c in clusters]
        found.append(any(h >= 0.5 and c.scope != "all samples" for h, c in zip(hits, clusters)))
        others.append(any(h < 0.2 for h in hits))
        if found[-1]:
            best = clusters[int(np.argmax(hits))].membership >= 0.5
            precision.append(float(made.victims[best].mean()))
            recall.append(float(best[made.victims].mean()))
    print(
        f"found as a cluster of a superclass: {share(found)}; "
        f"precision {np.mean(precision):.2f}, recall {np.mean(recall):.2f}"
    )
    print(f"with a further cluster of which less than a fifth are victims: {share(others)}", flush=True)


def nulls(given: argparse.Namespace) -> None:
    """How often anything is claimed; where classes differ, claims on whole classes and pairs are left out."""
    inside: list[bool] = []
    anything: list[bool] = []
    for seed in range(given.first, given.first + given.nulls):
        diagnosis = run(make(given.classes, seed=seed, planted=False, even=given.even), given.permutations)
        inside.append(bool(diagnosis.clusters) or any(i.confirmed for i in diagnosis.insights))
        anything.append(inside[-1] or any(c.confirmed for c in diagnosis.classes))
    print(f"a cluster claimed (alpha 0.04): {share(inside)}")
    if given.even:
        print(f"anything claimed (alpha 0.05): {share(anything)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=200)
    parser.add_argument("--plants", type=int, default=0)
    parser.add_argument("--nulls", type=int, default=0)
    parser.add_argument("--even", action="store_true")
    parser.add_argument("--first", type=int, default=1000, help="first seed; those below 1000 were used for choosing")
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--shift", type=float, default=2.2)
    parser.add_argument("--failing", type=float, default=0.45)
    given = parser.parse_args()
    started = time.process_time()
    if given.plants:
        plants(given)
    if given.nulls:
        nulls(given)
    print(f"{time.process_time() - started:.0f} CPU seconds")


if __name__ == "__main__":
    main()
