"""Does it help to train with the weights of a run? A victim taught wrong is diagnosed, taught anew and tested.

    python -m research.evidence.repair DATA --tier clothing --seeds 1000 1032 --out FILE
    python -m research.evidence.repair --tier scenes --seeds 1000 1008 --out FILE
    python -m research.evidence.repair --show FILE

Three parts of a pool. The victim learns the first, in which a failure is planted. Its predictions of the second, which
it never saw, are diagnosed (999 permutations). It is taught anew on both, the labels of the second true: "plain"
without weights, "clusters" with those of `weights_table` on the second part, "loss" with the same total extra weight
shared out by raw loss, "random" with the clusters' weights dealt at random over that part. The third part, seen by
none of this, tells loss and error inside the confirmed clusters, outside, and in the slices that were planted. `--dose`
multiplies the extra weight of all three.
The kinds of planted failure take turns over the seeds. The worlds of several seeds share images, not parts and
victims. DATA holds clothing/.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from core.discovery.settings import Settings
from core.records import F64, I64, Bool
from core.reports.tables.diagnosis import weights_table
from research.arrays import diagnose_arrays
from research.evidence.lines import append_line, keys_done, mean_over, read_lines, show
from research.scoreboard.picture_tier import ClothingTier
from research.scoreboard.planting import plant_in_training
from research.scoreboard.pool import PicturePool
from research.scoreboard.scene_tier import scene_pool
from research.scoreboard.victims import network_probabilities, probe_probabilities
from research.scoreboard.worlds import FailureWorld

KINDS = ("rare", "noisy label", "correlation")
TIERS = {"clothing": (3, 8), "scenes": (2, 3)}
"""Number and tries of the scoreboard's tier."""
MEASURES = ("error", "loss")
PLACES = ("inside", "outside", "planted", "all")
RIVALS = ("plain", "loss", "random")
MAX_LOSS = 4.6
N_SCENES = 3000
"""Of the scoreboard's 6,000 scenes, so that a world takes one or two minutes."""
KEY = ("tier", "seed", "dose")
Teach = Callable[[I64, I64, I64, F64 | None], F64]
"""(rows taught, the labels taught, rows asked, weights of the rows taught) -> (m, k) probabilities."""


@dataclass(frozen=True, slots=True, eq=False)
class TaughtWorld:
    """A world of the scoreboard, with what its victim was taught."""

    world: FailureWorld
    taught: I64
    labels: I64
    asked: I64
    """Rows of the audited part, then of the fresh one."""


def tier_pool(tier: str, data: Path | None) -> PicturePool:
    """The images of a tier."""
    if tier == "clothing":
        assert data is not None  # main said so
        return ClothingTier().pool(data / "clothing")
    pool = scene_pool()
    rows = ("vectors", "joint", "pixels", "labels", "attributes", "likeness")
    return replace(pool, **{name: getattr(pool, name)[:N_SCENES] for name in rows})


def teacher(tier: str, pool: PicturePool, seed: int) -> Teach:
    """The victim of a tier: logistic regression on vectors, or a small network on pixels."""

    def probe(rows: I64, labels: I64, asked: I64, weights: F64 | None) -> F64:
        return probe_probabilities(pool.joint[rows], labels, pool.joint[asked], 2, weights)

    def network(rows: I64, labels: I64, asked: I64, weights: F64 | None) -> F64:
        return network_probabilities(pool.pixels[rows], labels, pool.pixels[asked], 2, seed, weights)

    return probe if tier == "clothing" else network


def taught_world(tier: str, pool: PicturePool, teach: Teach, seed: int) -> TaughtWorld:
    """The world of that seed, as in the scoreboard, its last victim watched."""
    seen: list[tuple[I64, I64, I64]] = []

    def victim(rows: I64, labels: I64, asked: I64) -> F64:
        seen.append((rows, labels, asked))
        return teach(rows, labels, asked, None)

    number, tries = TIERS[tier]
    world = plant_in_training(KINDS[seed % len(KINDS)], pool, victim, seed, tier=number, tries=tries)
    empty = np.zeros(0, np.int64)
    return TaughtWorld(world, *(seen[-1] if seen else (empty, empty, empty)))


def shared_out(weights: F64, losses: F64, dose: float, rng: np.random.Generator) -> dict[str, F64]:
    """The weights of the diagnosed rows by arm; all but "plain" hold the same total.

    Args:
        weights: of `weights_table`; the least is that of rows in no cluster.
    """
    extra = dose * (weights / weights.min() - 1)
    by_loss = losses * (float(extra.sum()) / float(losses.sum()))
    dealt = extra[rng.permutation(len(extra))]
    return {"plain": np.ones(len(extra)), "clusters": 1 + extra, "loss": 1 + by_loss, "random": 1 + dealt}


def measured(tier: str, pool: PicturePool, seed: int, dose: float) -> dict[str, Any]:
    """One line: by arm, place and measure what the fresh rows show."""
    teach = teacher(tier, pool, seed)
    made = taught_world(tier, pool, teach, seed)
    world = made.world
    audit = made.world.audit
    fresh = made.world.fresh
    if world.left_out:
        return {"left_out": world.left_out}
    settings = Settings(seed=seed, map=False, n_permutations=999)
    found = diagnose_arrays(audit.embeddings, audit.losses, labels=audit.labels, errors=audit.errors, settings=settings)
    weights = weights_table(found)["weight"].to_numpy()
    line: dict[str, Any] = {"kind": KINDS[seed % len(KINDS)], "tested": [c.measure for c in found.clusters]}
    if not found.clusters or weights.max() <= weights.min():
        return line
    assert found.model is not None  # diagnose_arrays always makes one
    members = found.model.assign(fresh.embeddings, labels=fresh.labels).memberships[:, : len(found.clusters)] >= 0.5
    places = _places(members.any(axis=1), np.any(world.slices, axis=0))
    rows = np.concatenate([made.taught, made.asked[: len(audit)]])
    labels = np.concatenate([made.labels, audit.labels])
    assert fresh.probabilities is not None
    line |= {"n": {name: int(mask.sum()) for name, mask in places.items()}}
    line |= {"n_weighted": int((weights > weights.min()).sum()), "most": float(weights.max() / weights.min())}
    line["before"] = read(fresh.probabilities, fresh.labels, places)
    for arm, given in shared_out(weights, audit.losses, dose, np.random.default_rng([seed, 31])).items():
        each = np.concatenate([np.ones(len(made.taught)), given])
        told = teach(rows, labels, made.asked[len(audit) :], each / each.mean())
        line[arm] = read(told, fresh.labels, places)
    return line


def _places(inside: Bool, planted: Bool) -> dict[str, Bool]:
    return {"inside": inside, "outside": ~inside, "planted": planted, "all": np.ones(len(inside), dtype=bool)}


def read(probabilities: F64, labels: I64, places: dict[str, Bool]) -> dict[str, dict[str, float | None]]:
    """Error rate and mean loss in each place; None where no row lies there."""
    truth = probabilities[np.arange(len(labels)), labels]
    losses = np.minimum(-np.log(np.maximum(truth, 1e-12)), MAX_LOSS)
    values = {"error": probabilities.argmax(1) != labels, "loss": losses}
    return {
        place: {name: float(value[mask].mean()) if mask.any() else None for name, value in values.items()}
        for place, mask in places.items()
    }


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Means over worlds with a confirmed cluster, and the clusters' arm minus each other, paired by world."""
    out = [
        "| victim | dose | worlds | place | measure | before | plain | clusters | loss | random "
        "| clusters − plain | clusters − loss | clusters − random |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for tier, dose in dict.fromkeys((line["tier"], line["dose"]) for line in lines):
        own = [line for line in lines if (line["tier"], line["dose"]) == (tier, dose) and "plain" in line]
        for place in PLACES:
            rows = [line for line in own if line["n"][place]]
            for name in MEASURES if rows else ():
                value = partial(_values, rows, place, name)
                means = [f"{value(arm).mean():.3f}" for arm in ("before", "plain", "clusters", "loss", "random")]
                gaps = [show(mean_over(value("clusters") - value(rival)), 3) for rival in RIVALS]
                cells = [tier, f"{dose:g}", str(len(rows)), place, name, *means, *gaps]
                out.append(f"| {' | '.join(cells)} |")
    return "\n".join([*out, "", *_counts(lines)])


def _values(rows: Sequence[dict[str, Any]], place: str, name: str, arm: str) -> F64:
    return np.array([row[arm][place][name] for row in rows], dtype=np.float64)


def _counts(lines: Sequence[dict[str, Any]]) -> list[str]:
    """How many worlds there were, and how strong the weights."""
    out: list[str] = []
    for tier, dose in dict.fromkeys((line["tier"], line["dose"]) for line in lines):
        own = [line for line in lines if (line["tier"], line["dose"]) == (tier, dose)]
        told = [line for line in own if "plain" in line]
        left = sum("left_out" in line for line in own)
        most = f"{np.median([line['most'] for line in told]):.2f}" if told else "–"
        rows = f"{np.median([line['n_weighted'] for line in told]):.0f}" if told else "–"
        out.append(
            f"{tier}, dose {dose:g}: {len(own)} seeds, {left} left out (the victim did not fail as planned), "
            f"{len(own) - left - len(told)} with no cluster to weigh, {len(told)} told; before the dose the most "
            f"that a row weighs is {most} (median), and {rows} rows weigh more than 1."
        )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--tier", choices=tuple(TIERS), default="clothing")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1032))
    parser.add_argument("--dose", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    args = parser.parse_args()
    if args.show:
        print(table(read_lines(args.show)))
        return
    if not args.out or (args.tier == "clothing" and not args.data):
        parser.error("Give --out, and for clothing the folder DATA.")
    pool = tier_pool(args.tier, args.data)
    done = keys_done(read_lines(args.out), KEY)
    for seed in range(*args.seeds):
        if (args.tier, seed, args.dose) not in done:
            with threadpool_limits(1):
                line = measured(args.tier, pool, seed, args.dose)
            append_line(args.out, dict(zip(KEY, (args.tier, seed, args.dose))) | line)


if __name__ == "__main__":
    main()
