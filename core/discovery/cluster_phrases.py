"""Which phrase describes a cluster: how well the samples' scores along it retrieve the cluster, on rows that the phrase
was not chosen on (methods of Eyuboglu et al. 2022, arXiv 2203.14960, and Jain et al. 2023, arXiv 2206.14754, choose
words on all rows, and test none)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.records import F32, F64, I64, Bool, Column, Estimate
from core.statistics.ranking import auroc_interval, aurocs_of_ranks

ALIKE = 0.6
"""Phrases whose scores correlate more than this within the scope say the same there."""
MIN_AUROC = 0.6
"""Least AUROC, on rows that it was not chosen on, with which a phrase must retrieve a cluster to be shown as its
description."""
WITNESS = 0.3
"""Least rank correlation with which a measured property is said to go with a phrase."""


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """A phrase that describes a cluster."""

    phrase: int
    retrieval: float
    """AUROC of its scores for membership, all rows of the scope."""
    held_out: Estimate
    """AUROC on rows that were not looked at when a phrase was chosen."""
    stability: float
    """Share of folds whose other rows would have chosen it, or a phrase that says the same."""
    alike: tuple[int, ...]


def describe(
    scores: F32, members: Bool, folds: I64, strengths: F32 | None = None, *, most: int = 4
) -> list[Description]:
    """Phrases that retrieve the members, best first; those that say the same are folded under the better one.

    Of phrases that say the same and retrieve the members equally well (within one standard error of the best), the one
    that the text tower makes most of is taken: "in the dark" rather than "mostly black all over".

    Args:
        scores: (m, P) of the rows of one scope.
        members: (m,) which of them are in the cluster.
        folds: (m,) fold of each row; a phrase's held-out AUROC is taken within each fold, for the phrase that the other
            folds chose.
        strengths: (P,) how much the text tower makes of each phrase; without them the best AUROC alone decides.
    """
    if not scores.shape[1]:
        return []
    ranks = stats.rankdata(scores, axis=0)
    alike = np.corrcoef(ranks.T) > ALIKE if scores.shape[1] > 1 else np.ones((1, 1), bool)
    overall = aurocs_of_ranks(ranks, members)
    chosen, held_out = _cross_fitted(scores, members, folds, strengths, alike)
    if not chosen:
        return []
    procedure = float(sum(area[c] for area, c in zip(held_out, chosen)))
    made: list[Description] = []
    taken: set[int] = set()
    for best in np.argsort(-overall, kind="stable")[: 10 * most].tolist():
        if best in taken or len(made) == most:
            continue
        phrase = _spokesman(best, overall, alike, strengths, members, taken)
        # the first is charged for having been chosen; the others are compared with it on the same rows
        own = procedure if not made else min(procedure, float(sum(area[phrase] for area in held_out)))
        steady = float(np.mean([alike[phrase, c] for c in chosen]))
        if own < MIN_AUROC or (made and not steady):  # a further phrase must have been chosen by some of the folds
            continue
        same = alike[phrase] & (overall >= MIN_AUROC)
        twins = [q for q in np.argsort(-overall, kind="stable").tolist() if same[q] and q != phrase and q not in taken]
        taken |= {best, phrase, *twins}
        interval = auroc_interval(own, int(members.sum()), int((~members).sum()))
        made.append(Description(phrase, float(overall[phrase]), interval, steady, tuple(twins[:6])))
    return made


def _cross_fitted(
    scores: F32, members: Bool, folds: I64, strengths: F32 | None, alike: Bool
) -> tuple[list[int], list[F64]]:
    """For each fold with members and others: the phrase that the other folds choose, and (P,) AUROCs within the fold,
    times the fold's share of the members."""
    chosen: list[int] = []
    areas: list[F64] = []
    sizes: list[int] = []
    for fold in np.unique(folds):
        at = folds == fold
        if 2 <= members[at].sum() <= at.sum() - 2 and members[~at].sum() >= 2:
            area = aurocs_of_ranks(stats.rankdata(scores[~at], axis=0), members[~at])
            chosen.append(_spokesman(int(area.argmax()), area, alike, strengths, members[~at]))
            areas.append(aurocs_of_ranks(stats.rankdata(scores[at], axis=0), members[at]))
            sizes.append(int(members[at].sum()))
    return chosen, [size / sum(sizes) * area for size, area in zip(sizes, areas)]


def _spokesman(
    best: int, areas: F64, alike: Bool, strengths: F32 | None, members: Bool, taken: set[int] | None = None
) -> int:
    """Of the phrases that say the same as the best one, and as well, the one of greatest strength."""
    if strengths is None:
        return best
    error = (areas[best] - auroc_interval(float(areas[best]), int(members.sum()), int((~members).sum())).low) / 1.96
    equal = alike[best] & (areas >= areas[best] - error)
    equal[[q for q in taken or () if q != best]] = False
    return int(np.where(equal, strengths, -np.inf).argmax()) if equal.any() else best


def witnesses(scores: F32, columns: Sequence[Column], rows: I64) -> tuple[tuple[str, float], ...]:
    """The measured properties whose rank correlation with the (m,) scores of `rows` is at least 0.3, strongest
    first."""
    found: list[tuple[str, float]] = []
    for column in columns:
        values = column.values[rows].astype(np.float64) if column.measured and column.kind == "number" else np.zeros(0)
        known = np.isfinite(values)
        if known.sum() >= 10 and np.ptp(values[known]) > 0 and np.ptp(scores[known]) > 0:
            found.append(
                (column.name, float(np.corrcoef(stats.rankdata(values[known]), stats.rankdata(scores[known]))[0, 1]))
            )
    return tuple(sorted((f for f in found if abs(f[1]) >= WITNESS), key=lambda f: -abs(f[1]))[:2])
