"""SpotCheck at the size of a desk: which true blindspots Errata and its peers discover, and how many groups are none.

    python -m research.evidence.published.blindspots --seeds 1000 1010 --out FOLDER

A configuration (`spotcheck.py`) is a task with one to three blindspots; a model (`trunk.py`) is taught wrong labels in
them and asked about 50 images a bucket with true labels. A blindspot counts where the model really fails: at least
10 points below the rest of the class, by Fisher's exact test at 0.01. Every method sees labels, losses, predictions and
an embedding of those images, once the model's own last layer and once the trunk's features, which know nothing of the
blindspots, and returns at most ten groups of them. FOLDER/blindspots.jsonl gets one line a configuration, embedding and
method. Seeds 0-99 tune, 1000 and on are reported.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool
from core.systems.peers.engines.rows import EngineRows, engine_scores, fit_engine
from research.evidence.lines import append_line, keys_done, mean_over, read_lines, show
from research.evidence.published.blindspot_rates import blindspot_rates
from research.evidence.published.spotcheck import draw_configuration, draw_pictures
from research.evidence.published.trunk import Trunk, head_outputs, load_trunk
from research.scoreboard.engines import load_measured
from research.scoreboard.errata import ErrataEngine
from research.scoreboard.planting import MAX_LOSS, real_failures, spoil
from research.scoreboard.pool import PicturePool, PoolAttribute

TAUGHT = 100
ASKED = 50
MOST_BUCKETS = 128
"""Images a bucket; configurations with more buckets are passed over."""
MOST_GROUPS = 10
PERMUTATIONS = 499
SPACES = ("own layer", "trunk")
OURS = ("errata", "errata with candidates")
"""Confirmed clusters, and with the candidates after them. Images are drawn one by one, so a run is told that equal
vectors are different images (`--separate-copies`)."""
TOGETHER = "errata, copies together"
"""Confirmed clusters of a run that is not told so, as by default."""
LIMITS = (0.5, 0.8)
"""Of precision and recall at once."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A peer with its settings, and the score from which on a row is in a slice's group.

    One that ranks the rows of a class has none: its group are the first of them, as many as the class has errors.
    """

    engine: str
    settings: dict[str, Any]
    limit: float | None = None


PEERS: dict[str, Contender] = {
    "planespot": Contender("planespot", {"n_slices": MOST_GROUPS}, 0.5),
    "domino": Contender("domino", {"n_slices": MOST_GROUPS, "n_dimensions": 32}, 0.5),
    "spotlight": Contender("spotlight", {"n_slices": MOST_GROUPS}, 0.0),
    "error tree": Contender("error tree", {"n_slices": MOST_GROUPS}, 0.5),
    "error logistic": Contender("error logistic", {}),
    "svm directions": Contender("svm directions", {}),
    "class ridge (0/1 error)": Contender("class ridge", {"target": "error", "penalties": (3.0,)}),
}


METHODS = (*OURS, TOGETHER, *PEERS)


@dataclass(frozen=True, slots=True, eq=False)
class BlindspotWorld:
    """What the methods are given, and the truth."""

    rows: dict[str, EngineRows]
    """By embedding."""
    blindspots: tuple[Bool, ...]
    """(m,) of each in which the model really fails."""
    anywhere: Bool
    """(m,) in any blindspot that was planted."""
    facts: dict[str, Any]


def make_world(seed: int, trunk: Trunk) -> BlindspotWorld:
    """The configuration of a seed, its model and the images that it is asked about."""
    rng = np.random.default_rng([seed, 23])
    configuration = draw_configuration(rng)
    while configuration.n_buckets > MOST_BUCKETS:
        configuration = draw_configuration(rng)
    n_taught = TAUGHT * configuration.n_buckets
    n_asked = ASKED * configuration.n_buckets
    pixels, values = draw_pictures(configuration, n_taught + n_asked, rng)
    labels = values[:, 0].astype(np.int64)
    names = tuple(PoolAttribute(" ".join(attribute), "second") for attribute in configuration.rolled)
    nothing = np.zeros((len(labels), 1), np.float32)
    vectors = trunk(pixels)
    pool = PicturePool(vectors, nothing, pixels, labels, values, names, nothing, ())
    taught = np.arange(n_taught)
    asked = np.arange(n_taught, len(labels))
    rows, spoilt = spoil("conjunction", configuration.blindspots, pool, taught, rng)
    found, hidden = head_outputs(vectors[rows], spoilt, vectors[asked], seed)
    wrong = np.zeros(len(labels), bool)
    wrong[asked] = found.argmax(1) != labels[asked]
    real = real_failures(configuration.blindspots, pool, asked, wrong)
    masks = [failure.of(labels[asked], values[asked]) for failure in configuration.blindspots]
    facts = {
        "seed": seed,
        "n": n_asked,
        "attributes": values.shape[1],
        "planted": len(masks),
        "real": len(real),
        "sizes": [int(mask.sum()) for mask in masks],
        "errors": [float(wrong[asked][mask].mean()) for mask in masks],
        "errors_elsewhere": float(wrong[asked][~np.any(masks, axis=0)].mean()),
    }
    spaces = zip(SPACES, (hidden, vectors[asked]))
    audited = {name: _audited(embedding, labels[asked], found) for name, embedding in spaces}
    blindspots = tuple(failure.of(labels[asked], values[asked]) for failure in real)
    return BlindspotWorld(audited, blindspots, np.any(masks, axis=0), facts)


def _audited(vectors: F32, labels: I64, probabilities: F64) -> EngineRows:
    given = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)
    losses = np.minimum(-np.log(given), MAX_LOSS)
    wrong = probabilities.argmax(1) != labels
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return EngineRows(unit.astype(np.float32), labels, losses, wrong, probabilities)


def groups_of(method: str, rows: EngineRows, seed: int) -> list[Bool]:
    """What a method returns on the rows that it was fitted on; a method that stops with a message returns nothing."""
    contender = PEERS[method]
    engine = load_measured(contender.engine, **contender.settings)
    if hasattr(engine, "seed"):
        setattr(engine, "seed", seed)  # noqa: B010
    try:
        scores = engine_scores(fit_engine(engine, rows), rows)
    except InvalidInput:
        return []
    groups = [cut_group(column, contender.limit, rows) for column in scores.T]
    return [group for group in groups if group.any()][:MOST_GROUPS]


def cut_group(scores: F64, limit: float | None, rows: EngineRows) -> Bool:
    """The rows of one slice; see `Contender`."""
    if limit is not None:
        return scores >= limit
    assert rows.errors is not None
    ranked = np.isfinite(scores)
    return ranked & (scores >= np.sort(scores)[-max(1, int(rows.errors[ranked].sum()))])


def our_groups(rows: EngineRows, seed: int, *, group_copies: bool = False) -> tuple[list[Bool], list[Bool]]:
    """Errata's confirmed clusters, and its candidates that did not pass."""
    engine = ErrataEngine(n_permutations=PERMUTATIONS, seed=seed, group_copies=group_copies)
    found = fit_engine(engine, rows).result_
    members = [[cluster.membership >= 0.5 for cluster in some] for some in (found.clusters, found.candidates)]
    return members[0], members[1]


def returned(methods: Sequence[str], rows: EngineRows, seed: int) -> dict[str, tuple[list[Bool], float]]:
    """Groups of each method, and its CPU seconds."""
    found: dict[str, tuple[list[Bool], float]] = {}
    if set(OURS) & set(methods):
        started = time.process_time()
        confirmed, candidates = our_groups(rows, seed)
        both = (confirmed, [*confirmed, *candidates])
        seconds = time.process_time() - started
        found |= {name: (groups[:MOST_GROUPS], seconds) for name, groups in zip(OURS, both)}
    for name in methods:
        if name not in found:
            started = time.process_time()
            groups = our_groups(rows, seed, group_copies=True)[0] if name == TOGETHER else groups_of(name, rows, seed)
            found[name] = groups[:MOST_GROUPS], time.process_time() - started
    return {name: found[name] for name in methods}


def measure(world: BlindspotWorld, space: str, methods: Sequence[str]) -> list[dict[str, Any]]:
    """One line a method."""
    facts = {"space": space} | world.facts
    if not world.blindspots:
        reason = {"left_out": "The model fails in no planted blindspot."}
        return [facts | {"method": method} | reason for method in methods]
    lines: list[dict[str, Any]] = []
    for method, (groups, seconds) in returned(methods, world.rows[space], world.facts["seed"]).items():
        line = facts | {"method": method, "cpu_seconds": seconds}
        for limit in LIMITS:
            line[f"at_{limit}"] = asdict(blindspot_rates(groups, world.blindspots, precision=limit, recall=limit))
        line["in_any"] = [float(world.anywhere[group].mean()) for group in groups]
        line["best_jaccard"] = [max((_jaccard(g, spot) for g in groups), default=0.0) for spot in world.blindspots]
        lines.append(line)
    return lines


def _jaccard(a: Bool, b: Bool) -> float:
    return float((a & b).sum() / (a | b).sum())


def table(rows: list[dict[str, Any]], space: str) -> str:
    """One line a method: means over configurations, intervals that resample them."""
    kept = [row for row in rows if "left_out" not in row and row["space"] == space]
    names = (
        "method",
        "configurations",
        "DR",
        "FDR, all groups",
        "FDR, those needed",
        "groups",
        "of these in any blindspot",
        "DR at 0.5",
        "CPU s",
    )
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for method in METHODS:
        mine = [row for row in kept if row["method"] == method]
        if mine:
            lines.append(_line(method, mine))
    return "\n".join(lines)


def _line(method: str, rows: list[dict[str, Any]]) -> str:
    at, lax = ([row[f"at_{limit}"] for row in rows] for limit in reversed(LIMITS))
    dr, half = (mean_over([r["covered"] / r["blindspots"] for r in rates]) for rates in (at, lax))
    every = mean_over([r["false_groups"] / max(1, r["groups"]) for r in at])
    needed = mean_over([r["false_needed"] / max(1, r["groups_needed"]) for r in at])
    groups = float(np.mean([r["groups"] for r in at]))
    seconds = float(np.median([r["cpu_seconds"] for r in rows]))
    shares = [share for row in rows for share in row["in_any"]]
    inside = f"{np.mean(np.array(shares) >= 0.8):.2f}" if shares else ""
    rates = " | ".join(show(found) for found in (dr, every, needed))
    return f"| {method} | {len(rows)} | {rates} | {groups:.1f} | {inside} | {show(half)} | {seconds:.1f} |"


def models_line(rows: list[dict[str, Any]]) -> str:
    """What was planted, and where the models really fail."""
    worlds = {row["seed"]: row for row in rows}.values()
    planted = sum(row["planted"] for row in worlds)
    real = sum(row["real"] for row in worlds)
    errors = [error for row in worlds for error in row["errors"]]
    elsewhere = float(np.mean([row["errors_elsewhere"] for row in worlds]))
    return (
        f"{real} of {planted} planted blindspots of {len(worlds)} models are real; error there "
        f"{np.median(errors):.2f} (median), elsewhere {elsewhere:.4f} (mean)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1010), metavar=("FIRST", "END"))
    parser.add_argument("--methods", nargs="+", default=[*OURS, *PEERS], choices=METHODS)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    path = given.out / "blindspots.jsonl"
    done = keys_done(read_lines(path), ("seed", "space", "method"))
    with threadpool_limits(1):
        trunk = load_trunk(given.out / "trunk.pt")
        for seed in range(*given.seeds):
            wanted = {space: [m for m in given.methods if (seed, space, m) not in done] for space in SPACES}
            if not any(wanted.values()):
                continue
            world = make_world(seed, trunk)
            for line in [line for space, methods in wanted.items() for line in measure(world, space, methods)]:
                append_line(path, line)
    lines = read_lines(path)
    print(models_line(lines), *(f"{space}\n\n{table(lines, space)}" for space in SPACES), sep="\n\n")


if __name__ == "__main__":
    main()
