"""Many methods in many worlds, one line each in a file that grows, so that a run that was broken off goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.systems.peers.engines.rows import fit_engine
from research.lines import append_line, keys_done, read_lines
from research.scoreboard.measure import claims_anything, measure
from research.scoreboard.methods import METHODS, NULL, find_method
from research.scoreboard.planted_embeddings import plant_embeddings, planted_rows
from research.scoreboard.worlds import TIERS, FailureWorld, Tier

LINES = "scoreboard.jsonl"
FIRST = 1000
"""Seeds from here on are for figures that are shown."""
KEY = ("tier", "kind", "seed", "method")


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """What is measured."""

    tiers: tuple[str, ...] = ("embeddings",)
    kinds: tuple[str, ...] = ()
    """All kinds of each tier, if none is named."""
    methods: tuple[str, ...] = tuple(METHODS)
    seeds: range = range(FIRST, FIRST + 3)
    data: Path | None = None
    """Folder of the images, for the tiers that need it."""

    def __post_init__(self) -> None:
        for name in self.methods:
            find_method(name)
        known = {kind for tier in self.tiers for kind in _tier(tier).kinds}
        unknown = [kind for kind in self.kinds if kind not in known]
        if unknown:
            raise InvalidInput(
                f"There is no kind {unknown[0][:60]!r} in {', '.join(self.tiers)}. Use {', '.join(sorted(known))}."
            )
        if not len(self.seeds):
            raise InvalidInput("There is no seed to measure. Give a first seed and one above it.")

    def cells(self) -> list[tuple[str, str, int]]:
        """Every (tier, kind, seed), seeds outermost, so that a run that is broken off has all kinds of few seeds."""
        kinds = {tier: [k for k in _tier(tier).kinds if not self.kinds or k in self.kinds] for tier in self.tiers}
        return [(tier, kind, seed) for seed in self.seeds for tier in self.tiers for kind in kinds[tier]]


def check_data(plan: BoardPlan) -> None:
    """See that there is something to measure before anything begins.

    Raises:
        InvalidInput: no tier has its data here, or the folder that was named for them lacks some.
    """
    missing = {name: why for name in plan.tiers if (why := _tier(name).missing(plan.data))}
    if missing and (len(missing) == len(set(plan.tiers)) or plan.data is not None):
        said = " ".join(f"{name}: {why}" for name, why in missing.items())
        raise InvalidInput(f"What is to be measured is not here. {said} Name the folder with --data, or other --tiers.")


def run(plan: BoardPlan, folder: Path, progress: Progress = no_progress) -> list[dict[str, Any]]:
    """Measure what has no line in `folder`/scoreboard.jsonl yet, and give all lines of the plan.

    A tier whose data are not here has one line with the reason under "missing"; a world in which the model does not
    fail as planned has one line a method with the reason under "left_out". Where nothing is planted only those methods
    run that claim anything.
    """
    path = folder / LINES
    rows = [row for row in read_lines(path) if "missing" not in row]
    done = keys_done(rows, KEY)
    cells = plan.cells()
    _warm_up([m for m in plan.methods if any((*cell, m) not in done for cell in cells)])
    missing = {name: _tier(name).missing(plan.data) for name in plan.tiers}
    for i, (name, kind, seed) in enumerate(cells):
        progress("measure", i, len(cells))
        wanted = [m for m in plan.methods if (name, kind, seed, m) not in done and _takes_part(m, kind)]
        if missing[name] or not wanted:
            continue
        world = _make(_tier(name), kind, seed, plan.data)
        for method in wanted:
            row = dict(zip(KEY, (name, kind, seed, method))) | _line(method, world, seed)
            append_line(path, row)
            rows.append(row)
    progress("measure", len(cells), len(cells))
    asked = set(cells)
    found = [row for row in rows if tuple(row[k] for k in KEY[:3]) in asked and row["method"] in plan.methods]
    return found + [{"tier": name, "missing": why} for name, why in missing.items() if why]


def _warm_up(methods: Sequence[str]) -> None:
    """Fit each once on few rows, so that no line counts what Python imports at the first call."""
    rows = planted_rows(plant_embeddings("rare", seed=0, n=120, dimensions=8)[0])
    for name in methods:
        with suppress(InvalidInput), threadpool_limits(1):
            fit_engine(find_method(name).make(0), rows)


def _tier(name: str) -> Tier:
    return TIERS.load(name)()


def _make(tier: Tier, kind: str, seed: int, data: Path | None) -> FailureWorld:
    with threadpool_limits(1):
        return tier.make(kind, seed, data)


def _line(method: str, world: FailureWorld, seed: int) -> dict[str, Any]:
    if world.left_out:
        return {"left_out": world.left_out}
    with threadpool_limits(1):
        return measure(find_method(method), world, seed)


def _takes_part(method: str, kind: str) -> bool:
    return kind != NULL or claims_anything(find_method(method).make(0))
