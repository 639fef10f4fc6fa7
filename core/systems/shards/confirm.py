"""What was found in the sample, tried on all rows that nobody looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.checks.claims import MIN_MATCHES, Claim, row_of
from core.checks.freeze import Frozen, FrozenFinding, freeze
from core.errors import InvalidInput
from core.numbers import count
from core.records import Bool, Diagnosis, Estimate, Prediction, PredictionRow, Progress, no_progress
from core.statistics.intervals import wilson
from core.statistics.measures import default_measure
from core.statistics.permutation import holm
from core.systems.shards.assign import AssignShards, FrozenModel, Tally
from core.systems.shards.engines import LOCAL, ShardEngine, over_shards
from core.systems.shards.jackknife import bucket_excess_p, bucket_mean
from core.systems.shards.sample import SearchedSample

MIN_REST = 500
"""Fresh rows in the rest of a scope below which no p is given: a few high losses of a heavy tail decide on its mean.
Beside 2,000 rows of lognormal losses (deviation of the logarithm 1.2) the level of .05 is .17 with a rest of 60, .10
with 200, .07 with 500, and at most .03 where the part is the smaller one (1,500 runs each)."""


def confirm(searched: SearchedSample, *, engine: ShardEngine = LOCAL, progress: Progress = no_progress) -> Prediction:
    """Assign every row of every shard (`work/assigned/`), and say of each cluster what the rows outside the sample
    show: how many are in it, their mean loss with a 95% interval, and the p that it is no higher than in the rest of
    its scope, adjusted (Holm) over the clusters.

    The clusters are frozen before a shard is opened, and rows of the sample, groups of it and copies of its items are
    left out, so the figures are free of the search. They follow `core.checks.predict`, except that intervals and p are
    made from sums (`core.systems.shards.jackknife`).

    Raises:
        InvalidInput: a shard or its vectors have changed since they were embedded.
    """
    diagnosis = searched.diagnosis
    frozen = freeze(searched.diagnosis)
    job = AssignShards(searched.shards, searched.work, searched.drawing, searched.contents, FrozenModel.of(diagnosis))
    for path in (searched.work / "assigned").glob("*.parquet"):
        if path.name not in searched.shards.names:
            path.unlink()  # of a shard that is there no more
    tallies = over_shards(job, searched.shards.names, "assign shards", engine=engine, progress=progress)
    tally = sum(tallies.values(), start=Tally.empty(len(diagnosis.clusters)))
    if not tally.n_fresh:
        raise InvalidInput("No row outside the sample can be used: there is nothing to try the findings on.")
    clusters = [finding for finding in frozen.findings if finding.kind == "cluster"]
    grouped = searched.shards.roles.group is not None
    return Prediction(
        frozen.digest,
        tally.n_fresh,
        default_measure(diagnosis.outcomes),
        f"all rows of {count(len(searched.shards.names), 'shard')} outside the sample",
        tuple(_with_p(diagnosis, clusters, tally, grouped)),
        _notes(frozen, clusters, tally),
    )


def _with_p(
    diagnosis: Diagnosis, clusters: Sequence[FrozenFinding], tally: Tally, grouped: bool
) -> list[PredictionRow]:
    rows = list[PredictionRow]()
    judged = list[int]()
    chances = list[float]()
    nobody: Bool = np.zeros(0, bool)
    for place, found in enumerate(clusters):
        (n, m), (s, t) = tally.sizes[found.index], tally.sums[found.index]
        claim = Claim("cluster", found.text, found.scope, nobody, found.measure, found.predicted, found.spread)
        rest = float(t.sum() / m.sum()) if m.any() else None
        observed: Estimate | None = None
        if n.any():
            in_shares = found.measure == "error rate" and not grouped
            observed = wilson(round(s.sum()), int(n.sum())) if in_shares else bucket_mean(n, s)
        rows.append(row_of(claim, int(n.sum()), observed, rest, diagnosis.outcomes))
        if n.sum() >= MIN_MATCHES and m.sum() >= MIN_REST:
            judged.append(place)
            chances.append(bucket_excess_p((n, s), (m, t)))
    for place, p in zip(judged, holm(chances)):
        rows[place] = replace(rows[place], p=float(p))
    return rows


def _notes(frozen: Frozen, clusters: Sequence[FrozenFinding], tally: Tally) -> tuple[str, ...]:
    """What became of the rows that are no part of it, and of the findings that are not tried."""
    notes = [f"Left out: {n:,} of {tally.n_rows:,} rows, {why}." for why, n in sorted(tally.left_out.items())]
    if tally.n_unknown:
        notes.append(
            f"Of classes that the sample does not have, or none: {tally.n_unknown:,} rows. Only clusters among all "
            "samples speak of them."
        )
    if others := len(frozen.findings) - len(clusters):
        notes.append(f"Only clusters are tried on shards: {count(others, 'condition')} or phrases were not.")
    return tuple(notes)
