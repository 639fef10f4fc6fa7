"""One method in one world: what it finds, what it claims, what it costs."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.records import F64
from core.systems.composition.scoring.precision import average_precision
from core.systems.peers.engines import Engine
from core.systems.peers.engines.rows import engine_scores, fit_engine
from research.scoreboard.claims import ClaimedRows, Claims
from research.scoreboard.errata import ErrataEngine
from research.scoreboard.measures import expected_precision_at
from research.scoreboard.methods import Method
from research.scoreboard.worlds import FailureWorld

DEPTHS = (10, 25)
LIFT = 2.0
"""A set that is worth a look is nothing unless some planted slice is so many times as frequent in it as around it."""
MEMORY_EVERY = 10
"""Memory is measured for seeds that this divides."""


def measure(method: Method, world: FailureWorld, seed: int) -> dict[str, Any]:
    """What one run came to, as it is written: for each planted slice the best of the slices returned, each slice in its
    place, and the first one, which can match only one of several planted ones and is read against the one that it
    matches best.

    Where the method stops with a message, the message stands under "failed" and its slices are those of chance.
    """
    engine = method.make(seed)
    failed = ""
    scores = np.zeros((len(world.fresh), 1))
    started = time.process_time()
    try:
        scores = engine_scores(fit_engine(engine, world.audit), world.fresh)
    except InvalidInput as error:
        failed = str(error)
    line: dict[str, Any] = {"reads": method.reads, "cpu_seconds": time.process_time() - started}
    line["peak_mb"] = None if seed % MEMORY_EVERY else _peak_mb(method, world, seed)
    line["slice_sizes"] = [int(mask.sum()) for mask in world.slices]
    if failed:
        line["failed"] = failed
    if world.slices:
        line |= _precision(scores, world)
    if isinstance(engine, Claims) and not failed:
        line |= _claims(engine, world)
    if isinstance(engine, ErrataEngine) and world.many is not None and not failed:
        rows, slices = world.many()
        line["looks"] = [[*rated, look.holds_less_than(LIFT, slices)] for *rated, look in engine.looks(rows)]
    return line


def _precision(scores: F64, world: FailureWorld) -> dict[str, Any]:
    measures: dict[str, Callable[[F64, Any], float]] = {
        f"p{k}": lambda column, truth, k=k: expected_precision_at(k, column, truth) for k in DEPTHS
    }
    measures["ap"] = average_precision
    found: dict[str, Any] = {}
    for name, value in measures.items():
        table = np.array([[value(column, truth) for column in scores.T] for truth in world.slices])
        found[f"best_{name}"] = table.max(axis=1).tolist()
        found[f"first_{name}"] = float(table[:, 0].max())
        found[f"places_{name}"] = table.round(4).tolist()  # (planted, returned)
    return found


def _claims(engine: Claims, world: FailureWorld) -> dict[str, Any]:
    """How many claims, how many of them false, how many intervals held of how many."""
    claims = engine.claims(world.fresh)
    others = engine.n_other_claims() if isinstance(engine, ErrataEngine) else 0
    held = [c.holds() for c in engine.claims(world.many()[0])] if claims and world.many is not None else []
    known = [h for h in held if h is not None]
    return {
        "claims": len(claims),
        "other_claims": others,
        "false_claims": sum(_is_false(c, world) for c in claims),
        "intervals": len(known),
        "intervals_held": sum(known),
    }


def _is_false(claim: ClaimedRows, world: FailureWorld) -> bool:
    return not claim.measured() > 0 if world.own_failures else claim.is_false(world.slices)


def claims_anything(engine: Engine) -> bool:
    """Whether an engine ever says which of its slices it stands by."""
    return isinstance(engine, Claims)


def _peak_mb(method: Method, world: FailureWorld, seed: int) -> float:
    """Most megabytes that Python and NumPy held at once in a fit of its own, since watching slows it."""
    tracemalloc.start()
    try:
        engine_scores(fit_engine(method.make(seed), world.audit), world.fresh)
    except InvalidInput:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak / 1e6
