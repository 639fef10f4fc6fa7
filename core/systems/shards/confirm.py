"""Check the sample's clusters on all rows outside the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.checks.claims import MIN_MATCHES, Claim, row_of
from core.checks.freeze import FrozenFinding, freeze
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
"""Fresh rows in the rest of a scope below which there is no p: a few high losses of a heavy tail dominate its mean.
Beside 2,000 rows of lognormal losses (deviation of the logarithm 1.2) a nominal level of .05 is .17 with a rest of 60,
.10 with 200, .07 with 500, and at most .03 where the cluster is the smaller side (1,500 runs each)."""


def confirm(searched: SearchedSample, *, engine: ShardEngine = LOCAL, progress: Progress = no_progress) -> Prediction:
    """Assign every row of every shard (`work/assigned/`), and measure each cluster on the rows outside the sample.

    A cluster gets its number of rows, their mean loss with a 95% interval, and a p against the null that the mean is no
    higher than in the rest of its scope, adjusted (Holm) over the clusters.

    The clusters are frozen before a shard is opened. Rows of the sample, of its groups, and copies of its items are
    left out, so the search cannot bias the figures. They follow `core.checks.predict`, except that intervals and p come
    from sums (`core.systems.shards.jackknife`).

    Raises:
        InvalidInput: a shard or its vectors changed after they were embedded.
    """
    diagnosis = searched.diagnosis
    frozen = freeze(searched.diagnosis)
    job = AssignShards(searched.shards, searched.work, searched.drawing, searched.contents, FrozenModel.of(diagnosis))
    for path in (searched.work / "assigned").glob("*.parquet"):
        if path.name not in searched.shards.names:
            path.unlink()  # of a shard that was removed
    tallies = over_shards(job, searched.shards.names, "Assigning shards", engine=engine, progress=progress)
    tally = sum(tallies.values(), start=Tally.empty(len(diagnosis.clusters)))
    if not tally.n_fresh:
        raise InvalidInput("No row outside the sample is usable, so the findings cannot be checked. Lower --sample.")
    clusters = [finding for finding in frozen.findings if finding.kind == "cluster"]
    notes = [f"Left out {n:,} of {tally.n_rows:,} rows: {why}." for why, n in sorted(tally.left_out.items())]
    if tally.n_unknown:
        notes.append(
            f"Checked {tally.n_unknown:,} rows only for groups among all samples: their class is not in the sample."
        )
    n_skipped = len(frozen.findings) - len(clusters)
    if n_skipped:
        notes.append(f"Skipped {n_skipped:,} conditions and phrases: shards check only groups.")
    grouped = searched.shards.roles.group is not None
    return Prediction(
        frozen.digest,
        tally.n_fresh,
        default_measure(diagnosis.outcomes),
        f"all rows of {count(len(searched.shards.names), 'shard')} outside the sample",
        tuple(_with_p(diagnosis, clusters, tally, grouped)),
        tuple(notes),
    )


def _with_p(
    diagnosis: Diagnosis, clusters: Sequence[FrozenFinding], tally: Tally, grouped: bool
) -> list[PredictionRow]:
    rows = list[PredictionRow]()
    tested = list[int]()
    p_values = list[float]()
    no_rows: Bool = np.zeros(0, bool)
    for index, cluster in enumerate(clusters):
        sizes, rest_sizes = tally.sizes[cluster.index]
        sums, rest_sums = tally.sums[cluster.index]
        n = int(sizes.sum())
        n_rest = int(rest_sizes.sum())
        claim = Claim(
            "cluster", cluster.text, cluster.scope, no_rows, cluster.measure, cluster.predicted, cluster.spread
        )
        rest = float(rest_sums.sum() / n_rest) if n_rest else None
        observed: Estimate | None = None
        if n and cluster.measure == "error rate" and not grouped:
            observed = wilson(round(sums.sum()), n)
        elif n:  # mean losses; and errors in groups, whose rows fail together, as Wilson's interval ignores
            observed = bucket_mean(sizes, sums)
        rows.append(row_of(claim, n, observed, rest, diagnosis.outcomes))
        if n >= MIN_MATCHES and n_rest >= MIN_REST:
            tested.append(index)
            p_values.append(bucket_excess_p((sizes, sums), (rest_sizes, rest_sums)))
    for index, p in zip(tested, holm(p_values)):
        rows[index] = replace(rows[index], p=float(p))
    return rows
