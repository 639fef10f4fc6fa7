"""Failure clusters: proposed, tested with the search inside the null, and taken out one after the other.

The best candidate of the family is confirmed if no more than a share alpha of permutations has a better one. What it
explains is then taken out (its rows, and the rows just below its cut, become strata of their own) and the whole search
is run again on what is left, until nothing passes. So a second cluster must be a failure that the first does not
explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.discovery.family import Candidate, Family, FamilyTest, centre, read_family
from core.discovery.regressors import Features
from core.records import F32, F64, I64, Bool, Progress, no_progress
from core.statistics.permutation import Permuter

SAME = 0.8
"""Two findings that share more of their rows (Jaccard) are one."""
WEAKEST = 1.0
"""A candidate with a smaller statistic is not even listed."""


@dataclass(frozen=True, slots=True, eq=False)
class KMeansPart:
    """A k-means part of the features within one scope: centres (k, r) of the partition, and which one it is."""

    centres: F32
    which: int


@dataclass(frozen=True, slots=True, eq=False)
class FoundCluster:
    """A candidate as it came out of the search."""

    candidate: Candidate
    members: Bool
    membership: F64
    """(n,) out of fold, in [0, 1], at least 0.5 for members, 0 outside the scope."""
    statistic: float
    threshold: float
    """The statistic that alpha asked for at this step; nan for a candidate that was not tested."""
    p: float | None
    confirmed: bool
    rule: dict[str, Any] = field(default_factory=dict[str, Any])
    """How new rows are given a membership: see `Assigner`."""


def find_clusters(
    family: Family,
    features: Features,
    parts: Sequence[KMeansPart],
    blocks: I64,
    scores: F64,
    groups: I64 | None,
    *,
    alpha: float,
    n_permutations: int,
    max_clusters: int,
    testable: bool,
    rng: np.random.Generator,
    progress: Progress = no_progress,
) -> tuple[list[FoundCluster], FamilyTest]:
    """Confirmed clusters in the order found, then up to five candidates that did not pass; and the first reading of the
    family.

    Args:
        scores: (n,) class-centred failure scores, which are tested and which the heads are fitted to.
        testable: False where there are too few groups to permute: then nothing is confirmed and no p is given.
    """
    strata = blocks
    found: list[FoundCluster] = []
    first: FamilyTest | None = None
    testing = testable
    while len(found) < max_clusters + 5 and sum(not f.confirmed for f in found) < 5:
        residual = centre(scores, strata) if found else scores
        if testing:
            reading = read_family(
                family,
                residual,
                Permuter(strata, groups),
                rng,
                n_permutations=n_permutations,
                give_up=0 if first is None else max(50, int(4 * alpha * n_permutations)),
                progress=progress,
                step=f"test cluster {len(found) + 1}",
            )
        else:
            reading = FamilyTest(
                family.statistics(residual[:, None].astype(np.float32))[:, 0], np.empty(0, np.float32), True
            )
        first = first or reading
        best = _best(family, residual, reading, alpha)
        statistic = float(reading.observed[best])
        p = reading.p(statistic) if testing else None
        confirmed = p is not None and p <= alpha
        if statistic <= 0 or (not confirmed and statistic < WEAKEST):
            break
        one = _found(
            family, features, parts, blocks, family.candidates[best], residual, statistic, reading, p, confirmed, alpha
        )
        if any(_overlap(one.members, f.members) > SAME for f in found):
            break  # too few rows are left to take the finding out of: what comes back is the finding itself
        found.append(one)
        strata = _take_out(strata, one, family.scopes[one.candidate.scope].rows)
        testing = testing and confirmed and sum(f.confirmed for f in found) < max_clusters
    assert first is not None
    return found, first


def _overlap(a: Bool, b: Bool) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def _best(family: Family, residual: F64, reading: FamilyTest, alpha: float) -> int:
    """The candidate to take: of those that pass, the one whose excess has the highest lower bound; else the best slice.

    Every candidate that reaches the threshold is confirmed at once, so any of them may be chosen. The highest statistic
    would
    choose the broadest: where loss rises smoothly it takes a third of the scope. The lower bound asks for depth as well
        as breadth.
    Where none passes, slices come before regions: their statistic stood up out of fold, the best of many fixed regions
    is luck.
    """
    observed = np.where(family.is_condition, -np.inf, reading.observed)
    if not len(reading.null) or observed.max() < reading.threshold(alpha):
        slices = observed[: family.n_slices]
        return int(slices.argmax() if slices.max(initial=-np.inf) >= WEAKEST else observed.argmax())
    threshold = reading.threshold(alpha)
    excess = family.excess(residual)
    bound = excess * (1 - threshold / np.maximum(observed, 1e-6))
    return int(np.where(observed >= threshold, bound, -np.inf).argmax())


def _found(
    family: Family,
    features: Features,
    parts: Sequence[KMeansPart],
    blocks: I64,
    candidate: Candidate,
    residual: F64,
    statistic: float,
    reading: FamilyTest,
    p: float | None,
    confirmed: bool,
    alpha: float,
) -> FoundCluster:
    rows = family.scopes[candidate.scope].rows
    where: dict[str, Any] = {"block": family.scopes[candidate.scope].block}
    if where["block"] is None and candidate.scope:
        where["blocks"] = np.unique(blocks[rows])  # a superclass
    membership = np.zeros(family.n)
    if candidate.kind == "slice":
        scores, members = family.slice_of(candidate, residual)
        cut, width = _cut(scores[rows], int(members.sum()))
        membership[rows] = logistic((scores[rows] - cut) / width)
        weights = family.smoothers[candidate.smoother][0].weights(residual)
        rule = {"kind": "slice", **where, "weights": weights, "cut": cut, "width": width}
    else:
        part = parts[candidate.tag]
        margins = margin(features.rows[rows], part)
        width = float(np.std(margins)) / 2 or 1.0
        membership[rows] = logistic(margins / width)
        members = membership >= 0.5
        rule = {"kind": "region", **where, "centres": part.centres, "which": part.which, "width": width}
    # rows that tie at the cut are on one side of it in `members`; the membership agrees
    membership = np.where(members, np.maximum(membership, 0.5), np.minimum(membership, np.nextafter(0.5, 0)))
    threshold = reading.threshold(alpha) if len(reading.null) else float("nan")
    return FoundCluster(candidate, members, membership, statistic, threshold, p if confirmed else None, confirmed, rule)


def _cut(scores: F64, size: int) -> tuple[float, float]:
    """The score half-way between the last member and the first non-member, and the width of the soft edge."""
    ordered = np.sort(scores)[::-1]
    return float((ordered[size - 1] + ordered[size]) / 2), max(float(np.std(scores)) / 2, 1e-9)


def margin(rows: F32 | F64, part: KMeansPart) -> F64:
    """(m,) how much nearer the part's centre is than the nearest other one; positive for members."""
    squared = ((part.centres**2).sum(1)[None] - 2 * rows @ part.centres.T).astype(np.float64)
    own = squared[:, part.which]
    return np.delete(squared, part.which, axis=1).min(1) - own


def logistic(x: F64) -> F64:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def _take_out(strata: I64, found: FoundCluster, rows: I64) -> I64:
    """Strata split by the finding: its members, as many rows again just below its cut, and the rest of the scope.

    The shoulder is there because a slice's edge is soft: without it, the remainder of one failure comes back as the
    next.
    """
    level = np.zeros(len(strata), dtype=np.int64)
    order = rows[np.argsort(-found.membership[rows], kind="stable")]
    size = int(found.members.sum())
    level[order[:size]] = 1
    level[order[size : 2 * size]] = 2
    split = np.unique(np.stack([strata, level], 1), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    counts = np.bincount(split)
    tiny = counts[split] < 4  # too few rows to permute: members and shoulder of such a stratum share one
    return np.unique(np.where(tiny, strata + split.max() + 1, split), return_inverse=True)[1].astype(np.int64)
