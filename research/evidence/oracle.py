"""How near the search comes to an oracle that knows which rows fail and only has to pay for the classes.

    python -m research.evidence.oracle --runs 40 --out oracle.jsonl
    python -m research.evidence.oracle --rows pictures.npz --runs 40 --out oracle.jsonl      the same on real embeddings

Ten classes; in one of them a few rows fail at 0.5 where all others fail at 0.08. They are apart along one direction of
64 dimensions of noise ("apart": by four deviations), have an attribute of
`research.scoreboard.planted_embeddings.World` ("attribute", 256 dimensions), or are the nearest neighbors of a row of
an npz of `store_rows` ("neighbours"). The oracle is Fisher's one-sided exact test of those very rows against the rest
of their class at a tenth of alpha; "of the class" it knows the class too and pays for no other. The learner knows the
class and how many rows are planted, and the best of its penalties in hindsight, but must learn from the class's own
errors which rows they are: a ridge head that predicts each row from the others, whose highest rows are tested like the
oracle's. Found is a confirmed cluster in that class of whose rows at least twice as many are planted as chance has.
Runs 0-99 tune, 1000 and on are reported.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from core.discovery.settings import Settings
from core.records import F32, I64, Bool
from research.arrays import diagnose_arrays
from research.evidence.lines import append_line, clopper_pearson, keys_done, read_lines, show
from research.scoreboard.planted_embeddings import World

CLASSES = 10
FAILING = 0.5
ELSEWHERE = 0.08
ALPHA = 0.05
SIZES = ((1000, 5), (1000, 20), (5000, 25))
"""Rows, and those of them that are planted."""
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
Rows = tuple[F32, I64, Bool]


def apart(n: int, size: int, rng: np.random.Generator) -> Rows:
    """Rows (n, 64) whose planted ones, `size` in every class, are 4 deviations apart along one direction."""
    labels = np.repeat(np.arange(CLASSES), n // CLASSES)
    vectors = rng.standard_normal((n, 64)) + 2 * rng.standard_normal((CLASSES, 64))[labels]
    direction = rng.standard_normal(64)
    has = _some_of_each(labels, size, rng)
    vectors[has] += 4 * direction / np.linalg.norm(direction)
    return vectors.astype(np.float32), labels, has & (labels == 1)


def attribute(n: int, size: int, rng: np.random.Generator) -> Rows:
    """Rows (n, 256) of a planted world, `size` of every class with its first attribute."""
    world = World.make(256, 16, rng, CLASSES)
    labels = np.repeat(np.arange(CLASSES), n // CLASSES)
    attributes = rng.random((n, 16)) < world.prevalences
    attributes[:, 0] = _some_of_each(labels, size, rng)
    return world.embed(labels, attributes, rng).vectors, labels, attributes[:, 0] & (labels == 1)


def _some_of_each(labels: I64, size: int, rng: np.random.Generator) -> Bool:
    has = np.zeros(len(labels), bool)
    for label in range(CLASSES):
        has[rng.choice(np.flatnonzero(labels == label), size, replace=False)] = True
    return has


def neighbours_in(path: Path) -> Callable[[int, int, np.random.Generator], Rows]:
    """Ten classes of the npz, evenly; planted are the nearest neighbors of a row within its class."""
    with np.load(path, allow_pickle=False) as stored:
        every = stored["embeddings"]
        labels = np.unique(stored["labels"], return_inverse=True)[1]

    def draw(n: int, size: int, rng: np.random.Generator) -> Rows:
        picked = [rng.choice(np.flatnonzero(labels == c), n // CLASSES, replace=False) for c in range(CLASSES)]
        vectors = every[np.concatenate(picked)]
        own = labels[np.concatenate(picked)]
        inside = np.flatnonzero(own == 1)
        near = vectors[inside] @ vectors[rng.choice(inside)]
        planted = np.zeros(n, bool)
        planted[inside[np.argsort(-near, kind="stable")[:size]]] = True
        return vectors, own, planted

    return draw


def measure(rows: Rows, run: int, rng: np.random.Generator) -> dict[str, Any]:
    """One run: what the oracle says, and what is found."""
    vectors, labels, planted = rows
    wrong = rng.random(len(labels)) < np.where(planted, FAILING, ELSEWHERE)
    confidence = np.where(
        wrong, np.minimum(rng.beta(2, 6, len(wrong)), 0.499), np.maximum(rng.beta(8, 2, len(wrong)), 0.501)
    )
    scope = labels == 1
    errors = (int(wrong[planted].sum()), int(scope.sum()), int(wrong[scope].sum()), int(planted.sum()))
    share = planted[scope].mean()

    def found(within: tuple[str, ...]) -> tuple[bool, int]:
        settings = Settings(seed=run, map=False, n_permutations=499, n_members=2, within=within)
        result = diagnose_arrays(
            vectors, -np.log(np.maximum(confidence, 0.02)), labels=labels, errors=wrong, settings=settings
        )
        claims = [c.membership >= 0.5 for c in result.clusters if c.scope == "1"]
        return any(planted[claim].mean() >= 2 * share for claim in claims), len(result.clusters)

    started = time.process_time()
    (of_all, claims), seconds = found(()), time.process_time() - started
    return {
        "oracle": bool(stats.hypergeom.sf(errors[0] - 1, *errors[1:]) <= ALPHA / CLASSES),
        "learner": learned_p(vectors[scope], wrong[scope], planted[scope]) <= ALPHA / CLASSES,
        "oracle of the class": bool(stats.hypergeom.sf(errors[0] - 1, *errors[1:]) <= ALPHA),
        "found": of_all,
        "found where the class is named": found(("1",))[0],
        "claims": claims,
        "cpu_seconds": seconds,
    }


def learned_p(vectors: F32, wrong: Bool, planted: Bool) -> float:
    """Fisher's p of the `planted.sum()` rows that ridge, each row left out in turn, holds for the likeliest to fail; of
    `PENALTIES` that which brings most planted ones together."""
    centred = vectors.astype(np.float64) - vectors.mean(0)
    n = len(wrong)
    size = int(planted.sum())
    failing = wrong - wrong.mean()
    sets = list[I64]()
    for penalty in PENALTIES:
        hat = centred @ centred.T
        hat = np.linalg.solve(hat + penalty * np.eye(n), hat)
        leverage = np.diag(hat) + 1 / n
        sets.append(np.argsort(-(hat @ failing - leverage * failing) / (1 - leverage), kind="stable")[:size])
    best = max(sets, key=lambda rows: planted[rows].sum())
    return float(stats.hypergeom.sf(int(wrong[best].sum()) - 1, n, int(wrong.sum()), size))


def summary_table(rows: list[dict[str, Any]]) -> str:
    names = ("oracle", "learner", "found", "oracle of the class", "found where the class is named")
    lines = [f"| world | rows | planted | runs | {' | '.join(names)} | CPU s a run |", "|---" * 10 + "|"]
    for world, n, size in sorted(keys_done(rows, ("world", "rows", "planted"))):
        mine = [row for row in rows if (row["world"], row["rows"], row["planted"]) == (world, n, size)]
        shares = [show(clopper_pearson(sum(row[name] for row in mine), len(mine))) for name in names]
        seconds = float(np.median([row["cpu_seconds"] for row in mine]))
        lines.append(f"| {world} | {n:,} | {size} | {len(mine)} | {' | '.join(shares)} | {seconds:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, help="npz of store_rows, with ten classes")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--first", type=int, default=1000, help="number of the first run; 0-99 are for tuning")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    worlds = {"apart": apart, "attribute": attribute}
    if given.rows:
        worlds = {f"neighbours in {given.rows.stem}": neighbours_in(given.rows)}
    names = ("world", "rows", "planted", "run")
    done = keys_done(read_lines(given.out), names)
    with threadpool_limits(1):
        for run in range(given.first, given.first + given.runs):
            for world, make in worlds.items():
                for n, size in SIZES:
                    key = (world, n, size, run)
                    if key not in done:
                        rng = np.random.default_rng([run, 41, n, size])
                        append_line(given.out, dict(zip(names, key)) | measure(make(n, size, rng), run, rng))
    print(summary_table(read_lines(given.out)))


if __name__ == "__main__":
    main()
