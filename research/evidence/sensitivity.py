"""Is a planted pattern found as often as a run says? The grid of one data set, held against fresh data sets with a
real pattern.

    python -m research.evidence.sensitivity --runs 12 --out sensitivity.jsonl
    python -m research.evidence.sensitivity --run assets/examples/clothing/run.errata --runs 12 --out sensitivity.jsonl

1,000 rows in four classes of an attribute world (`research.scoreboard.planted_embeddings.World`), or the rows of a
finished run with words. Where nothing is planted a row fails at 0.1, with a loss of its own; the grid of
`core.records.Sensitivity` is read off such a data set. For classes and for all samples two of its cells are tried: the
one that the sentence names, and one at random of those that are found in 0.2 to 0.8 of the plants. Each is planted once
in a fresh data set (of a finished run: fresh losses), in each of the shapes: a neighborhood, the end of a direction,
and a trait, which is an attribute that just these rows have, or what a phrase finds most like itself in another space.
The whole run is made, and found is a pattern where any confirmed cluster is half its own, in its ten surest members or
in all. Runs 0-99 tune, 1000 and on are reported.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from core.discovery.search.scope_scores import N_TOP_MEMBERS
from core.discovery.settings import Settings
from core.records import F32, F64, I64, Bool, Diagnosis, PlantedPattern, Sensitivity, Words
from core.reports.wording.sensitivity import spoken_of
from core.statistics.counts import top_members
from research.arrays import diagnose_arrays
from research.evidence.lines import append_line, clopper_pearson, keys_done, mean_over, read_lines, show
from research.scoreboard.planted_embeddings import World

N = 1000
CLASSES = 4
ATTRIBUTES = 16
BASE = 0.1
SHAPES = ("neighbourhood", "direction", "trait")
BINS = ((0.2, 0.5), (0.5, 0.8), (0.8, 1.01))


@dataclass(frozen=True)
class PatternRows:
    """Rows, and which of them are the pattern."""

    vectors: F32
    labels: I64
    planted: Bool


class Attributes:
    """Fresh rows of one world each time."""

    def __init__(self, run: int) -> None:
        self.world = World.make(256, ATTRIBUTES, np.random.default_rng([run, 71]), CLASSES)

    def draw(self, cell: PlantedPattern | None, shape: str, rng: np.random.Generator) -> PatternRows:
        labels = np.repeat(np.arange(CLASSES), N // CLASSES)
        attributes = rng.random((N, ATTRIBUTES)) < self.world.prevalences
        scope = np.arange(N) if cell is None or cell.scope == "all samples" else np.flatnonzero(labels == 1)
        planted = np.zeros(N, bool)
        if cell is not None and shape == "trait":
            planted[rng.choice(scope, cell.size, replace=False)] = True
            attributes[:, 0] = planted
        vectors = self.world.embed(labels, attributes, rng).vectors
        if cell is not None and shape != "trait":
            planted[compact(vectors, scope, cell.size, shape, rng)] = True
        return PatternRows(vectors, labels, planted)


class FinishedRun:
    """The rows of a finished run; a trait is what a phrase of it finds."""

    def __init__(self, found: Diagnosis) -> None:
        assert found.words is not None
        assert found.samples.labels is not None
        self.vectors = found.embeddings.vectors
        self.labels = found.samples.labels
        self.words = found.words

    def draw(self, cell: PlantedPattern | None, shape: str, rng: np.random.Generator) -> PatternRows:
        planted = np.zeros(len(self.labels), bool)
        if cell is not None:
            counts = np.bincount(self.labels)
            label = int(np.argsort(counts)[len(counts) // 2])
            scope = np.arange(len(planted)) if cell.scope == "all samples" else np.flatnonzero(self.labels == label)
            planted[self._pattern(scope, cell.size, shape, rng)] = True
        return PatternRows(self.vectors, self.labels, planted)

    def _pattern(self, scope: I64, size: int, shape: str, rng: np.random.Generator) -> I64:
        if shape != "trait":
            return compact(self.vectors, scope, size, shape, rng)
        return scope[np.argsort(-phrase(self.words, rng)[scope], kind="stable")[:size]]


def phrase(words: Words, rng: np.random.Generator) -> F64:
    """(n,) how much each row looks like a phrase at random."""
    return words.joint.vectors @ words.directions[rng.integers(len(words.phrases))].astype(np.float64)


def compact(vectors: F32, scope: I64, size: int, shape: str, rng: np.random.Generator) -> I64:
    """The rows of a neighborhood, or of the end of a direction of the scope's own spread."""
    points = vectors[scope] - vectors[scope].mean(0)
    if shape == "neighbourhood":
        at = ((points - points[rng.integers(len(points))]) ** 2).sum(1)
    else:
        at = -(points @ (points.T @ rng.standard_normal(len(points)))).astype(np.float64)
    return scope[np.argsort(at, kind="stable")[:size]]


def diagnosed(rows: PatternRows, rate: float, seed: int, rng: np.random.Generator, grid: bool = False) -> Diagnosis:
    """A run on fresh losses, with its `grid` of planted patterns."""
    errors = rng.random(len(rows.labels)) < np.where(rows.planted, rate, BASE)
    losses = rng.gamma(1.0, 0.3, len(errors)) + 1.5 * errors
    settings = Settings(seed=seed, map=False, n_members=2, n_permutations=499, sensitivity=grid)
    return diagnose_arrays(rows.vectors, losses, labels=rows.labels, errors=errors, settings=settings)


def cells_of(found: Sensitivity, rng: np.random.Generator) -> list[tuple[str, PlantedPattern]]:
    """("named", the sentence's) and ("middling", one that is sometimes found), of classes and of all samples."""
    chosen: list[tuple[str, PlantedPattern]] = []
    for scope in ("class", "all samples"):
        mine = [p for p in found.patterns if p.scope == scope]
        named = spoken_of(found, mine)
        chosen += [("named", named)] if named else []
        middling = [p for p in mine if 0.2 <= p.found.value < 0.8]
        chosen += [("middling", middling[int(rng.integers(len(middling)))])] if middling else []
    return chosen


def is_found(found: Diagnosis, planted: Bool) -> bool:
    """Whether any confirmed cluster is half the pattern's."""
    shares = [
        max(planted[top_members(found, c, N_TOP_MEMBERS)].mean(), planted[c.membership >= 0.5].mean())
        for c in found.clusters
    ]
    return bool(max(shares, default=0.0) >= 0.5)


def measure(world: Attributes | FinishedRun, run: int) -> list[dict[str, Any]]:
    """One line for each cell and shape."""
    rng = np.random.default_rng([run, 72])
    base = diagnosed(world.draw(None, "", rng), BASE, run, rng, grid=True)
    assert base.sensitivity is not None
    lines: list[dict[str, Any]] = []
    for kind, cell in cells_of(base.sensitivity, rng):
        for shape in SHAPES:
            rows = world.draw(cell, shape, rng)
            found = diagnosed(rows, cell.strength, run, rng)
            said = {"scope": cell.scope, "size": cell.size, "strength": cell.strength, "promised": cell.found.value}
            lines.append({"cell": kind, "shape": shape, **said, "found": is_found(found, rows.planted)})
    return lines or [{"cell": "none", "shape": "", "scope": "", "promised": 0.0, "found": False}]


def summary_table(lines: list[dict[str, Any]]) -> str:
    rows = ["| world | cells | shape | n | promised, mean | found |", "|---|---|---|---|---|---|"]
    for world in sorted({line["world"] for line in lines}):
        mine = [line for line in lines if line["world"] == world and line["cell"] != "none"]
        for shape in (*SHAPES, "all"):
            of_shape = [line for line in mine if shape in ("all", line["shape"])]
            rows.append(_row(world, "named in the sentence", shape, [x for x in of_shape if x["cell"] == "named"]))
        for low, high in BINS:
            of_bin = [line for line in mine if low <= line["promised"] < high]
            rows.append(_row(world, f"promised {low:.1f} to {min(high, 1):.1f}", "all", of_bin))
    return "\n".join(rows)


def _row(world: str, cells: str, shape: str, lines: list[dict[str, Any]]) -> str:
    if not lines:
        return f"| {world} | {cells} | {shape} | 0 | | |"
    promised = mean_over([line["promised"] for line in lines])
    found = clopper_pearson(sum(line["found"] for line in lines), len(lines))
    return f"| {world} | {cells} | {shape} | {len(lines)} | {promised.value:.2f} | {show(found)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a finished run with words and classes, in place of attribute worlds")
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--first", type=int, default=1000, help="number of the first run; 0-99 are for tuning")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    name = "attributes"
    world = None
    if given.run:
        from core.store import load

        name = given.run.parent.name
        world = FinishedRun(replace(load(given.run), model=None))
    done = keys_done(read_lines(given.out), ("world", "run"))
    with threadpool_limits(1):
        for run in range(given.first, given.first + given.runs):
            if (name, run) not in done:
                for line in measure(world or Attributes(run), run):
                    append_line(given.out, {"world": name, "run": run, **line})
    print(summary_table(read_lines(given.out)))


if __name__ == "__main__":
    main()
