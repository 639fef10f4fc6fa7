"""How often Errata claims something where nothing is, and how often it finds what was put there, at the same level.

Plain shuffles; a partial null, and the power; a made-up null:

    python -m research.evidence.honesty --data cifar10.npz --runs 200 --out honesty.jsonl
    python -m research.evidence.honesty --data cifar10.npz --plant 40 --runs 200 --out honesty.jsonl
    python -m research.evidence.honesty --null "heavy tail" --runs 200 --out honesty.jsonl

An npz holds embeddings (n, d) and loss (n,), and where known labels, errors and groups (n,), and `column.NAME` (n,) for
every column that may be a condition (`python -m research.evidence.store_rows` writes one from a table and images, with
its words). Losses are shuffled over all rows (by whole groups, where there are groups), so that a class, a condition, a
phrase and a cluster are all false when claimed; with `--plant SIZE` they are shuffled within class and then a region of
that size fails: a cluster is false if less than half of its members lie in the region, a phrase if it holds no more of
the region than the rest of its scope does. Several processes may share
one file: give each its `--part 0/2`, `--part 1/2`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from core.discovery.settings import Settings
from core.language.directions import words_of
from core.records import F64, I64, Bool, Column, Diagnosis, Embeddings, Insight, Words
from research.arrays import diagnose_arrays
from research.evidence.lines import append_line, clopper_pearson, keys_done, read_lines, show
from research.evidence.planted_losses import plant_region, shuffle_within
from research.evidence.planted_null import NullKind, make_null

Diagnose = Callable[..., Any]
PERMUTATIONS = 199


@dataclass(frozen=True)
class Rows:
    """What a run is given."""

    embeddings: Embeddings
    losses: F64
    labels: I64 | None
    errors: Bool | None
    groups: I64 | None
    columns: tuple[Column, ...] = ()
    words: Words | None = None


def load_rows(path: Path) -> Rows:
    """The npz at `path`; embeddings are scaled to unit rows."""
    with np.load(path, allow_pickle=False) as stored:
        vectors = stored["embeddings"].astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        known = {name: stored[name] for name in ("labels", "errors", "groups") if name in stored}
        losses = stored["loss"].astype(np.float64)
        words = _words(stored) if "joint" in stored else None
        columns = tuple(
            _column(name.removeprefix("column."), stored[name]) for name in stored if name.startswith("column.")
        )
    labels, groups = (
        np.unique(known[name], return_inverse=True)[1] if name in known else None for name in ("labels", "groups")
    )
    errors = known["errors"].astype(bool) if "errors" in known else None
    return Rows(Embeddings(vectors, "given", path.stem), losses, labels, errors, groups, columns, words)


def _words(stored: Any) -> Words:
    joint = Embeddings(stored["joint"].astype(np.float32), "given", "joint")
    found = words_of(joint, stored["directions"], tuple(stored["phrases"].tolist()))
    return replace(found, strengths=stored["strengths"]) if "strengths" in stored else found


def _column(name: str, values: npt.NDArray[Any]) -> Column:
    if values.dtype.kind in "fiub":
        return Column(name, "number", values.astype(np.float64))
    return Column(name, "category", np.array([None if v == "" else str(v) for v in values], dtype=object))


def shuffled(rows: Rows, run: int, *, within_class: bool = False) -> Rows:
    """The same rows with losses (and errors with them) that say nothing about the embedding."""
    order = shuffle_within(
        rows.labels if within_class else None, rows.groups, np.random.default_rng([run, 5]), n=len(rows.losses)
    )
    return replace(rows, losses=rows.losses[order], errors=None if rows.errors is None else rows.errors[order])


def made_up(kind: NullKind, run: int, n: int = 2000) -> Rows:
    null = make_null(kind, seed=run, n=n)
    return Rows(null.embeddings, null.losses, null.labels, null.errors, null.groups)


def measure(rows: Rows, run: int, plant: int, failing: float, diagnose: Diagnose) -> dict[str, Any]:
    """One run: how many clusters are claimed, how many of them lie outside what was planted, and whether that was
    found."""
    members = np.zeros(len(rows.losses), dtype=bool)
    if plant:
        losses, errors, members = plant_region(
            rows.embeddings.vectors, rows.losses, rows.labels, rows.errors, size=plant, failing=failing, seed=run
        )
        rows = replace(rows, losses=losses, errors=errors)
    started = time.process_time()
    # p = (b + 1) / (B + 1) keeps its level at any B: 199 permutations tell as much about false claims as 5,000; members
    # only predict
    settings = Settings(seed=run, map=False, n_permutations=PERMUTATIONS, n_members=2)
    result = diagnose(
        rows.embeddings.vectors,
        rows.losses,
        labels=rows.labels,
        errors=rows.errors,
        groups=rows.groups,
        columns=rows.columns,
        settings=settings,
        **({} if rows.words is None else {"words": rows.words}),
    )
    seconds = time.process_time() - started
    claims = [cluster.membership >= 0.5 for cluster in result.clusters]
    true = [bool(2 * (claim & members).sum() >= claim.sum() > 0) for claim in claims]
    return {
        "claims": len(claims),
        "false_claims": true.count(False),
        "classes": sum(finding.confirmed for finding in result.classes),
        "conditions": sum(insight.confirmed for insight in result.insights if insight.kind == "condition"),
        "phrases": sum(insight.confirmed for insight in result.insights if insight.kind == "phrase"),
        "false_phrases": sum(_apart(insight, members, rows.labels, result) for insight in result.insights),
        "found": any(true),
        "predictable": bool(result.estimate.predictability.confirmed),
        "p": [float(cluster.p) for cluster in result.clusters],
        "predictability_p": result.estimate.predictability.p,
        "cpu_seconds": seconds,
    }


def _apart(insight: Insight, members: Bool, labels: I64 | None, result: Diagnosis) -> bool:
    """Whether a confirmed phrase holds no more of the planted rows than the rest of its scope does."""
    if insight.kind != "phrase" or not insight.confirmed:
        return False
    scope = np.ones(len(members), bool)
    if labels is not None and insight.scope in result.samples.class_names:
        scope = labels == result.samples.class_names.index(insight.scope)
    return bool(members[insight.mask].mean() <= members[scope & ~insight.mask].mean())


def summary_table(rows: Sequence[dict[str, Any]]) -> str:
    """One line for each source and plant, with exact binomial intervals over runs."""
    lines = [
        "| data | planted | runs | any false claim | planted found | predictability p <= 0.05 | CPU s a run |",
        "|---|---|---|---|---|---|---|",
    ]
    for source, plant, failing in sorted(keys_done(rows, ("source", "plant", "failing"))):
        mine = [row for row in rows if (row["source"], row["plant"], row["failing"]) == (source, plant, failing)]
        # with a plant, a class or a condition that goes with it is no false claim, so clusters and phrases alone are
        # judged
        wrong = [
            row["false_claims"] + row.get("false_phrases", 0) > 0
            or (
                not plant and row["classes"] + row["conditions"] + row.get("phrases", 0) + row.get("predictable", 0) > 0
            )
            for row in mine
        ]
        false = show(clopper_pearson(sum(wrong), len(mine)), 3)
        found = show(clopper_pearson(sum(row["found"] for row in mine), len(mine)), 3) if plant else ""
        tested = [row["predictability_p"] for row in mine if row["predictability_p"] is not None]
        # with something planted the loss is predictable, so the rate says nothing about honesty
        open_gates = (
            "" if plant or not tested else show(clopper_pearson(sum(p <= 0.05 for p in tested), len(tested)), 3)
        )
        seconds = float(np.median([row["cpu_seconds"] for row in mine]))
        planted = f"{plant} rows, {failing:g} failing" if plant else "nothing"
        lines.append(f"| {source} | {planted} | {len(mine)} | {false} | {found} | {open_gates} | {seconds:.1f} |")
    return "\n".join(lines)


def run_all(
    path: Path, kind: tuple[str, int, float], make: Callable[[int], Rows], runs: Sequence[int], diagnose: Diagnose
) -> None:
    """Every run of a (source, planted rows, share of them failing) that has no line yet."""
    names = ("source", "plant", "failing", "run")
    done = keys_done(read_lines(path), names)
    for run in runs:
        key = (*kind, run)
        if key not in done:
            append_line(path, dict(zip(names, key)) | measure(make(run), run, *kind[1:], diagnose))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path)
    source.add_argument("--null", choices=get_args(NullKind))
    parser.add_argument("--rows", type=int, default=2000, help="rows of a made-up null")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=1000, help="number of the first run; 0-99 are for tuning")
    parser.add_argument("--plant", type=int, default=0, metavar="SIZE")
    parser.add_argument("--failing", type=float, default=0.5)
    parser.add_argument("--part", default="0/1", metavar="I/N")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    part, parts = (int(x) for x in given.part.split("/"))
    runs = [run for run in range(given.first, given.first + given.runs) if run % parts == part]
    if given.data:
        rows = load_rows(given.data)
        name, make = given.data.stem, lambda run: shuffled(rows, run, within_class=given.plant > 0)
    else:
        name, make = f"{given.null}, n = {given.rows:,}", lambda run: made_up(given.null, run, given.rows)
    with threadpool_limits(1):
        run_all(given.out, (name, given.plant, given.failing), make, runs, diagnose_arrays)
    print(summary_table(read_lines(given.out)))


if __name__ == "__main__":
    main()
