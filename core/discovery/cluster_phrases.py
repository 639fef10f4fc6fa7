"""Phrases that describe a cluster: how well the samples' scores along a phrase retrieve the cluster, on held-out rows.

The methods of Eyuboglu et al. 2022, arXiv 2203.14960, and Jain et al. 2023, arXiv 2206.14754, choose words on all rows,
and test none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.records import F32, F64, I64, Bool, Column, Estimate
from core.statistics.ranking import auroc_interval, aurocs_of_ranks

MIN_SAME_CORRELATION = 0.6
"""Phrases whose ranks correlate more than this within the scope are equivalent there. A convention."""
MIN_AUROC = 0.6
"""Held-out AUROC with which a phrase must retrieve a cluster to be shown as its description. A convention."""
MIN_WITNESS_CORRELATION = 0.3
"""Rank correlation with which a measured property is shown beside a phrase. A convention."""
MAX_EQUIVALENT = 6
"""Equivalent phrases listed under a description at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """A phrase that describes a cluster."""

    phrase: int
    retrieval: float
    """AUROC of its scores for membership, on all rows of the scope."""
    held_out: Estimate
    """AUROC on rows that did not choose the phrase."""
    stability: float
    """Share of folds whose other rows would have chosen it, or an equivalent phrase."""
    alike: tuple[int, ...]


def describe(
    scores: F32, members: Bool, folds: I64, strengths: F32 | None = None, *, most: int = 4
) -> list[Description]:
    """Phrases that retrieve the members, best first; equivalent phrases are listed under the better one.

    Of equivalent phrases that retrieve the members equally well (within one standard error of the best), the one of
    greatest strength is taken: "in the dark" rather than "mostly black all over".

    Args:
        scores: (m, P) of the rows of one scope.
        members: (m,) rows in the cluster.
        folds: (m,) fold of each row. The held-out AUROC is computed within each fold, for the phrase that the other
            folds chose: choosing and measuring on the same rows would overstate it.
        strengths: (P,) how strongly the text tower responds to each phrase; None leaves the choice to the AUROC.
    """
    if not scores.shape[1]:
        return []
    ranks = stats.rankdata(scores, axis=0)
    alike = np.ones((1, 1), bool)
    if scores.shape[1] > 1:
        alike = np.corrcoef(ranks.T) > MIN_SAME_CORRELATION
    overall = aurocs_of_ranks(ranks, members)
    chosen, held_out = _cross_fitted(scores, members, folds, strengths, alike)
    if not chosen:
        return []
    procedure = float(sum(area[c] for area, c in zip(held_out, chosen)))
    descriptions: list[Description] = []
    taken: set[int] = set()
    ranking = np.argsort(-overall, kind="stable").tolist()
    for best in ranking[: 10 * most]:
        if best in taken or len(descriptions) == most:
            continue
        phrase = _strongest_equivalent(best, overall, alike, strengths, members, taken)
        # the first pays for having been chosen; the others are compared with it on the same rows
        area = procedure
        if descriptions:
            area = min(procedure, float(sum(fold_areas[phrase] for fold_areas in held_out)))
        stability = float(np.mean([alike[phrase, c] for c in chosen]))
        if area < MIN_AUROC or (descriptions and not stability):  # some fold must have chosen a further phrase
            continue
        same = alike[phrase] & (overall >= MIN_AUROC)
        equivalent = [q for q in ranking if same[q] and q != phrase and q not in taken]
        taken |= {best, phrase, *equivalent}
        interval = auroc_interval(area, int(members.sum()), int((~members).sum()))
        equivalent = tuple(equivalent[:MAX_EQUIVALENT])
        descriptions.append(Description(phrase, float(overall[phrase]), interval, stability, equivalent))
    return descriptions


def _cross_fitted(
    scores: F32, members: Bool, folds: I64, strengths: F32 | None, alike: Bool
) -> tuple[list[int], list[F64]]:
    """For each fold with members and others: the phrase that the other folds choose, and the (P,) AUROCs within the
    fold, times the fold's share of the members."""
    chosen: list[int] = []
    areas: list[F64] = []
    sizes: list[int] = []
    for fold in np.unique(folds):
        at = folds == fold
        if 2 <= members[at].sum() <= at.sum() - 2 and members[~at].sum() >= 2:
            area = aurocs_of_ranks(stats.rankdata(scores[~at], axis=0), members[~at])
            chosen.append(_strongest_equivalent(int(area.argmax()), area, alike, strengths, members[~at]))
            areas.append(aurocs_of_ranks(stats.rankdata(scores[at], axis=0), members[at]))
            sizes.append(int(members[at].sum()))
    return chosen, [size / sum(sizes) * area for size, area in zip(sizes, areas)]


def _strongest_equivalent(
    best: int, areas: F64, alike: Bool, strengths: F32 | None, members: Bool, taken: set[int] | None = None
) -> int:
    """The phrase of greatest strength among those equivalent to the best one, within a standard error of its AUROC."""
    if strengths is None:
        return best
    error = (areas[best] - auroc_interval(float(areas[best]), int(members.sum()), int((~members).sum())).low) / 1.96
    equal = alike[best] & (areas >= areas[best] - error)
    equal[[q for q in taken or () if q != best]] = False
    if not equal.any():
        return best
    return int(np.where(equal, strengths, -np.inf).argmax())


def witnesses(scores: F32, columns: Sequence[Column], rows: I64) -> tuple[tuple[str, float], ...]:
    """The two measured properties of strongest rank correlation with the (m,) scores of `rows`, at least
    MIN_WITNESS_CORRELATION."""
    correlations: list[tuple[str, float]] = []
    for column in columns:
        if not column.measured or column.kind != "number":
            continue
        values = column.values[rows].astype(np.float64)
        known = np.isfinite(values)
        if known.sum() < 10 or np.ptp(values[known]) <= 0 or np.ptp(scores[known]) <= 0:
            continue
        ranks = stats.rankdata(values[known])
        correlation = float(np.corrcoef(ranks, stats.rankdata(scores[known]))[0, 1])
        if abs(correlation) >= MIN_WITNESS_CORRELATION:
            correlations.append((column.name, correlation))
    return tuple(sorted(correlations, key=lambda pair: -abs(pair[1]))[:2])
