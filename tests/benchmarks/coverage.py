"""Do the intervals of claimed clusters hold the truth? Measured on planted failures, given that the cluster was
claimed.

    python -m tests.benchmarks.coverage --seeds 1000 1020 --out coverage.jsonl

The truth is the cluster's rule applied to 20,000 fresh rows of the same world: members against the rest of their scope.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

import numpy as np

from core.discovery.engines.planted import PlantedKind, plant_embeddings
from core.discovery.method import diagnose_arrays
from core.discovery.settings import Settings
from core.records import Estimate, FailureCluster
from tests.benchmarks.lines import append_line, clopper_pearson, keys_done, read_lines, show

FRESH = 20_000


def measure(kind: PlantedKind, seed: int) -> list[dict[str, Any]]:
    """One line for each claimed cluster: the estimates and the truths of its excess loss and error difference."""
    audit, _ = plant_embeddings(kind, seed=seed)
    _, fresh = plant_embeddings(kind, seed=seed, n=FRESH)
    settings = Settings(seed=seed, map=False, n_permutations=999, n_members=2)
    result = diagnose_arrays(
        audit.embeddings.vectors, audit.losses, labels=audit.labels, errors=audit.errors, settings=settings
    )
    memberships = result.model.assign(fresh.embeddings.vectors, labels=fresh.labels).memberships
    losses = np.minimum(fresh.losses, result.outcomes.clip if result.outcomes.clip is not None else np.inf)
    lines: list[dict[str, Any]] = []
    for cluster in result.clusters:
        scope = np.ones(len(losses), bool) if cluster.scope == "all samples" else fresh.labels == int(cluster.scope)
        inside = scope & (memberships[:, cluster.id] >= 0.5)
        outside = scope & ~inside
        lines.append(
            {
                "kind": kind,
                "seed": seed,
                "cluster": cluster.id,
                "size": cluster.size,
                **_compare("loss", cluster.excess_loss, float(losses[inside].mean() - losses[outside].mean())),
                **_compare("error", _known(cluster), float(fresh.errors[inside].mean() - fresh.errors[outside].mean())),
            }
        )
    return lines


def _known(cluster: FailureCluster) -> Estimate:
    assert cluster.error_difference is not None
    return cluster.error_difference


def _compare(name: str, estimate: Estimate, truth: float) -> dict[str, Any]:
    return {
        name: estimate.to_dict(),
        f"{name}_truth": truth,
        f"{name}_held": bool(estimate.low <= truth <= estimate.high),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Coverage with exact intervals, and how far the shown value is from the truth on average."""
    lines = [
        "| planted | claims | excess loss held | error difference held | shown minus true error difference |",
        "|---|---|---|---|---|",
    ]
    for kind in sorted({row["kind"] for row in rows}):
        mine = [row for row in rows if row["kind"] == kind]
        held = [
            show(clopper_pearson(sum(row[f"{name}_held"] for row in mine), len(mine))) for name in ("loss", "error")
        ]
        bias = float(np.mean([row["error"]["value"] - row["error_truth"] for row in mine]))
        lines.append(f"| {kind} | {len(mine)} | {held[0]} | {held[1]} | {bias:+.3f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1020))
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    done = keys_done(read_lines(given.out), ("kind", "seed"))
    for seed in range(*given.seeds):
        for kind in get_args(PlantedKind):
            if kind != "null" and (kind, seed) not in done:
                for line in measure(kind, seed):
                    append_line(given.out, line)
    print(table(read_lines(given.out)))


if __name__ == "__main__":
    main()
