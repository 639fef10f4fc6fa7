"""How often the verdicts on failure clusters are false, and how often they are reached, when a second model is set
beside the first.

    python -m research.evidence.compare [--seeds 1000 1060] [--rows 1200] [--inside 0.5] [--places 1]
        [--permutations 199] [--kinds retrain ...] [--draws 1] [--known]

Worlds of `rows` samples in 4 classes; in each of `places` classes a fifth of the samples, apart along one direction,
fail in model A at `inside` against 0.1 elsewhere. `RELATIONS` says what model B does there and which verdict is to be
reached, `true` which are true by their words. B errs independently of A given the sample's place unless it
is said otherwise. Counted over the confirmed clusters of which at least half lie in the plant. --known takes the plants
themselves in place of the clusters that were found, so that nothing was selected. --draws
says how many models B are drawn for a world. Intervals are Wilson's, of worlds where several clusters share one.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np

from core.checks.compare import compare_outcomes
from core.discovery.settings import Settings
from core.records import I64, Bool, Diagnosis, Outcomes
from core.statistics.intervals import accuracy_of
from research.arrays import diagnose_arrays
from research.evidence.lines import show

CLASSES = 4
ELSEWHERE = 0.1


def at(outside: float, more: float = 1) -> Callable[[float], tuple[float, float]]:
    """Error rates outside and inside the plant, where they rise by `more` of what A's do."""
    return lambda inside: (outside, outside + more * (inside - ELSEWHERE))


RELATIONS: dict[str, tuple[Callable[[float], tuple[float, float]], float, str]] = {
    # how often B is wrong outside and inside, on what share of the rows it answers as A, what is to be said
    "chance": (at(0.75, 0), 0, "open"),
    "majority": (at(0, 0), 0, "open"),
    "other constant": (at(1, 0), 0, "open"),
    "near chance": (at(0.7, 0), 0, "open"),
    "retrain": (at(0.1), 0, "same"),
    "half alike": (at(0.1), 0.5, "same"),
    "identical": (at(0.1), 1, "same"),
    "nearly identical": (at(0.1), 0.9, "same"),
    "fixed": (at(0.05, 0), 0, "fixed"),
    "fixed, as right": (at(0.12, 0), 0, "fixed"),
    "half fixed": (at(0.1, 0.5), 0, "partly"),
    "better everywhere": (at(0.05, 0.5), 0, "partly"),
    "shared": (at(0.3), 0, "shared"),
    "shared, milder": (at(0.3, 0.5), 0, "shared"),
    "own": (at(0.3, 0), 0, "own"),
    "own, weak": (at(0.5, 0), 0, "own"),
    "broken": (at(0.1, 1.75), 0, "shared"),
    "worse everywhere": (at(0.2), 0, "shared"),
}
KNOWS_NOTHING = ("chance", "majority", "other constant", "near chance")


def true(kind: str, inside: float) -> set[str]:
    """The verdicts that are true by their words. Of a model that knows (nearly) nothing only that it is worse."""
    outside, within = RELATIONS[kind][0](inside)
    held = {"open": True, "broken": within > inside and kind != "majority"}
    if kind not in KNOWS_NOTHING:
        held |= {"fixed": within < inside, "shared": within > outside, "own": within <= outside}
        held |= {"partly": held["fixed"] and held["shared"], "same": (outside, within) == (ELSEWHERE, inside)}
    return {verdict for verdict, is_true in held.items() if is_true}


def world(seed: int, rows: int, inside: float, places: int, permutations: int) -> tuple[Diagnosis, list[Bool]]:
    """A diagnosis of model A, and which samples lie in each plant."""
    rng = np.random.default_rng(seed)
    d = 32
    labels = np.repeat(np.arange(CLASSES), rows // CLASSES)
    vectors = rng.standard_normal((rows, d)) + 2 * rng.standard_normal((CLASSES, d))[labels]
    plants: list[Bool] = []
    for c in range(places):
        direction = rng.standard_normal(d)
        plants.append((labels == c) & (rng.random(rows) < 0.2))
        vectors[plants[-1]] += 5 * direction / np.linalg.norm(direction)
    wrong = rng.random(rows) < np.where(np.any(plants, axis=0), inside, ELSEWHERE)
    settings = Settings(map=False, n_permutations=permutations, seed=seed, words=False, sensitivity=False)
    found = diagnose_arrays(
        vectors.astype(np.float32), wrong.astype(np.float64), labels=labels, errors=wrong, settings=settings
    )
    return found, plants


def second(kind: str, wrong: Bool, plant: Bool, labels: I64, inside: float, rng: np.random.Generator) -> Outcomes:
    """Model B's outcomes, with what it predicts."""
    rates, alike, _ = RELATIONS[kind]
    outside, within = rates(inside)
    mine = rng.random(len(plant)) < np.where(plant, within, outside)
    mine = np.where(rng.random(len(plant)) < alike, wrong, mine)
    said = np.where(mine, (labels + rng.integers(1, CLASSES, len(labels))) % CLASSES, labels)
    if kind in ("majority", "other constant"):
        said = np.full(len(labels), 0 if kind == "majority" else CLASSES - 1)
    errors = said != labels
    return Outcomes(errors.astype(np.float64), "0/1 error", "error", "made", predictions=said, errors=errors)


def known(found: Diagnosis, plants: list[Bool]) -> Diagnosis:
    """The run with the plants as its clusters, if anything was found."""
    some = found.clusters[:1]
    made = [
        replace(c, id=i, membership=plant.astype(np.float32), error_rate=None, scope=found.samples.class_names[i])
        for c in some
        for i, plant in enumerate(plants)
    ]
    return replace(found, clusters=tuple(made))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1060))
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--inside", type=float, default=0.5)
    parser.add_argument("--places", type=int, default=1)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--kinds", nargs="+", choices=RELATIONS, default=tuple(RELATIONS))
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--known", action="store_true")
    asked = parser.parse_args()
    verdicts: dict[str, list[tuple[int, str]]] = {kind: [] for kind in asked.kinds}
    for seed in range(*asked.seeds):
        found, plants = world(seed, asked.rows, asked.inside, asked.places, asked.permutations)
        plant: Bool = np.any(plants, axis=0)
        run = known(found, plants) if asked.known else found
        mine = {c.id for c in run.clusters if plant[c.membership >= 0.5].mean() >= 0.5}
        assert found.samples.labels is not None
        assert found.outcomes.errors is not None
        for kind, draw in product(verdicts, range(asked.draws)):
            rng = np.random.default_rng([seed, list(RELATIONS).index(kind), *([draw] if draw else [])])
            b = second(kind, found.outcomes.errors, plant, found.samples.labels, asked.inside, rng)
            verdicts[kind] += [(seed, c.verdict) for c in compare_outcomes(run, b).clusters if c.cluster in mine]
    for kind, told in verdicts.items():
        worlds = np.array([seed for seed, _ in told])
        said = [verdict for _, verdict in told]
        wanted = RELATIONS[kind][2]
        held = true(kind, asked.inside)
        right = accuracy_of(np.array([v != wanted for v in said]), worlds)
        false = accuracy_of(np.array([v in held for v in said]), worlds)
        print(
            f"{kind:18} n {len(said)}: {wanted} {show(right, 2)}; false {show(false, 2)}  {dict(Counter(said))}",
            flush=True,
        )


if __name__ == "__main__":
    main()
