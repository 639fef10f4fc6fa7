"""Failure clusters: proposed, tested with the search inside the null, and taken out one after the other; then what is
worth a look in what is left.

The best candidate of the family is confirmed if no more than a share alpha of permutations has a better one. What it
explains is then taken out (its rows, and the rows just below its cut, become strata of their own) and the whole search
is run again on what is left, until nothing passes. So a second cluster must be a failure that the first does not
explain.

What is listed beside them is not tested: in each class (in all samples where there are none) the slice that stands out
most from what the clusters leave, the strongest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.discovery.design import FailureMeasures
from core.discovery.proposals import Proposals, margin
from core.discovery.search.family import Candidate, Family, Scope, centre
from core.discovery.search.family_test import FamilyTest, read_family
from core.discovery.settings import Settings, later_permutations
from core.records import F32, F64, I64, Bool, Measure, Progress, no_progress
from core.statistics.permutation import difference_of

SAME = 0.8
"""Two findings that share more of their rows (Jaccard) are one."""
WEAKEST = 1.0
"""A candidate with a smaller statistic is not even listed."""
N_ORDERING = 2
"""Which rows a slice holds is said by the one head that cut it; which come first in it by the class heads of so many
penalties together. Of slices of the failing class the first ten so held 0.74 of what was planted, by the cutting head
0.72 (60 planted slices, tuning seeds 10-14; 800 rows of two classes, 2,000 of ten)."""
ENOUGH_BEATEN = 25
"""A reading after the first, of which no p is shown unless it is confirmed, stops once so many permutations beat its
best, or so many that it cannot pass any more, whichever is more: nothing else would be confirmed with all of them. What
is listed has its chance from those that were drawn, to within a fifth of it."""
MOST_LISTED = 5
"""Candidates listed beside the confirmed clusters."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundCluster:
    """A candidate as it came out of the search."""

    candidate: Candidate
    scope: Scope
    members: Bool
    membership: F64
    """(n,) out of fold, in [0, 1], at least 0.5 for members, 0 outside the scope."""
    statistic: float
    threshold: float
    """The statistic that alpha asked for at this step; nan for a candidate that was not tested."""
    p: float | None
    confirmed: bool
    measure: Measure = "mean loss"
    rule: dict[str, Any] = field(default_factory=dict[str, Any])
    """How new rows are given a membership: see `Assigner`."""
    chance: float | None = None
    """Of a candidate, the share of permutations in which the strongest set that could be listed is as strong."""


def find_clusters(
    proposals: Proposals,
    measured: FailureMeasures,
    *,
    alpha: float,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress = no_progress,
) -> tuple[list[FoundCluster], FamilyTest]:
    """Confirmed clusters in the order found, then up to five candidates that are not tested; and the first test of the
    family.

    Where the design has too few groups to permute, nothing is confirmed and no p is given.

    Of `alpha` a share of the run's level is kept for "the loss is predictable". Where that passes, its share goes to
    the clusters, which need not pay for a hypothesis that is gone (Bretz et al. 2009, Stat. Med. 28(4)).

    Args:
        measured: class-centred measures of failure, which are tested and which the heads are fitted to.
        alpha: what of the run's level is spent inside classes.
    """
    family = proposals.family
    design = proposals.design
    n_permutations = settings.permutations(family.n)
    strata = design.centring_stratum
    permuter = design.permuter(measured.standardised_residuals)
    later = later_permutations(n_permutations, family.n)
    found = list[FoundCluster]()
    tests = list[FamilyTest]()
    inside = alpha - settings.predictability_alpha
    while True:
        residual = measured
        if found:
            residual = replace(measured, standardised_residuals=centre(measured.standardised_residuals, strata))
        if design.testable:
            count, give_up = (later, max(ENOUGH_BEATEN, int(alpha * (later + 1)) + 1)) if tests else (n_permutations, 0)
            test = read_family(
                family, residual, permuter, rng, n_permutations=count, alpha=inside, give_up=give_up,
                progress=progress, step=f"Testing group {len(found) + 1}",
            )  # fmt: skip
        else:
            scores = residual.standardised_residuals
            observed = family.statistics(scores.astype(np.float32))
            test = FamilyTest(scores, residual.names, inside, observed, np.empty(0, np.float32))
        if not tests and test.is_predictable(settings.predictability_alpha):
            inside = alpha
            test = replace(test, alpha=alpha)
        tests.append(test)
        if len(found) == settings.max_clusters:
            break  # by this test what is worth a look has its chance
        one = _found(proposals, test, measured.standardised_residuals)
        if one is None or not one.confirmed or any(_overlap(one.members, f.members) > SAME for f in found):
            break  # a finding that comes back left too few rows to take it out of
        found.append(one)
        strata = _stratify_by(strata, one, family.scopes[one.candidate.scope].rows)
        permuter = design.permuter(measured.standardised_residuals, strata)
    return found + _unconfirmed_candidates(proposals, measured, strata, tests[-1], found), tests[0]


def _unconfirmed_candidates(
    proposals: Proposals, measured: FailureMeasures, strata: I64, test: FamilyTest, found: Sequence[FoundCluster]
) -> list[FoundCluster]:
    """Up to `MOST_LISTED` candidates in what the clusters leave, the strongest first: of each narrow scope the slice
    that stands out most, and while there are fewer, another of each once those are taken out.

    They are looked for in the first measure alone: errors, where they are known. Of those, one that does no worse than
    the rest of its scope as it stands is dropped at the end, and nothing takes its place: so a chance holds as before.

    Args:
        strata: those that the clusters were taken out of.
        test: of the same, the last that was made; by its permutations each has its chance.
    """
    family = proposals.family
    listed = list[FoundCluster]()
    while len(listed) < MOST_LISTED:
        observed = np.where(family.is_listed, test.observed[:, 0], -np.inf)
        best = {int(np.where(family.scope_of == s, observed, -np.inf).argmax()) for s in range(len(family.scopes))}
        made = [_as_found(proposals, test, i, 0) for i in sorted(best) if observed[i] >= WEAKEST]
        new = [one for one in made if all(_overlap(one.members, f.members) <= SAME for f in (*found, *listed))]
        if not new:
            break
        listed += [replace(one, chance=test.chance(one.statistic)) for one in new]
        for one in new:
            strata = _stratify_by(strata, one, family.scopes[one.candidate.scope].rows)
        scores = centre(measured.standardised_residuals[:, :1], strata)
        test = replace(test, scores=scores, observed=family.statistics(scores.astype(np.float32)))
    strongest = sorted(listed, key=lambda one: -one.statistic)[:MOST_LISTED]
    return [one for one in strongest if is_worse(measured.standardised_residuals[:, 0], one)]


def is_worse(scores: F64, found: FoundCluster) -> bool:
    """Whether its members do worse than the rest of the scope as they stand, which they may only do once the clusters
    are taken out."""
    return _unadjusted_statistic(scores, found.members, found.scope.rows, None) > 0


def _overlap(a: Bool, b: Bool) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def _best(family: Family, test: FamilyTest) -> tuple[int, int] | None:
    """The candidate to take, and in which measure: of those that pass, in the scope of the highest lower
    bound of an excess, the one that explains most. None where none passes.

    Every candidate that reaches the threshold is confirmed at once, so any of them may be chosen. The lower bound asks
    for depth: it chooses the scope, so that what fails in one class alone is not lost in what fails everywhere. Inside
    the scope it would choose the tip of a failure. There the split is taken that explains most of the variance, as a
    regression tree does: where s rows fail at one rate and the others at another, that is the split at s.
    """
    observed = np.where(family.is_condition[:, None], -np.inf, test.observed)
    threshold = test.threshold
    if not test.is_permuted or observed.max() < threshold:
        return None
    best = best_passing(family, observed, family.excess(test.scores), threshold)
    candidate, measure = divmod(best, observed.shape[1])
    return candidate, measure


def best_passing(family: Family, observed: F32 | F64, excess: F32 | F64, threshold: float) -> int:
    """Of the candidates that reach the threshold the one to take (see `_best`), as the flat position of candidate and
    measure.

    Args:
        observed: (candidates, m) statistics, of which one at least reaches it. excess: (candidates, m).
    """
    bound = excess * (1 - threshold / np.maximum(observed, 1e-6))
    bound = np.where(observed >= threshold, bound, -np.inf)
    same_scope = family.scope_of == family.scope_of[int(bound.max(1).argmax())]
    explained = excess * np.sqrt(family.sizes * (family.scope_sizes - family.sizes))[:, None]  # the root of it
    return int(np.where(same_scope[:, None] & (observed >= threshold), explained, -np.inf).argmax())


def _found(proposals: Proposals, test: FamilyTest, plain: F64) -> FoundCluster | None:
    """The cluster to take with its members and rule; None where none is confirmed.

    It is confirmed if it passes on what the earlier clusters leave, and as it stands too: what is shown of it is not
    adjusted for them.

    Args:
        plain: (n, m) the measures before anything was taken out.
    """
    best = _best(proposals.family, test)
    if best is None:
        return None
    made = _as_found(proposals, test, *best)
    measure = best[1]
    stands = (
        _unadjusted_statistic(plain[:, measure], made.members, made.scope.rows, proposals.design.groups)
        >= test.threshold
    )
    p = test.p(made.statistic)
    return replace(made, p=p, confirmed=True) if stands and p <= test.alpha and made.statistic > 0 else None


def _as_found(proposals: Proposals, test: FamilyTest, number: int, measure: int) -> FoundCluster:
    """A candidate of the family, not confirmed, with its members and rule."""
    candidate = proposals.family.candidates[number]
    scores = test.scores[:, measure]
    kind = "slice" if candidate.kind == "slice" else "region"
    scope = proposals.design.scopes[candidate.scope]
    members, membership, rule = (_slice if kind == "slice" else _region)(proposals, candidate, scores)
    where: dict[str, Any] = {"kind": kind, "block": scope.block}
    if scope.block is None and candidate.scope:
        where["blocks"] = np.unique(proposals.design.blocks[scope.rows])  # a superclass
    # rows that tie at the cut are on one side of it in `members`; the membership agrees
    membership = np.where(members, np.maximum(membership, 0.5), np.minimum(membership, np.nextafter(0.5, 0)))
    statistic = float(test.observed[number, measure])
    name = test.names[measure]
    return FoundCluster(
        candidate, scope, members, membership, statistic, test.threshold, None, False, name, where | rule
    )


def _unadjusted_statistic(scores: F64, members: Bool, rows: I64, groups: I64 | None) -> float:
    """The statistic of (n,) members among the rows of their scope."""
    rest = rows[~members[rows]]
    excess, error = difference_of(
        scores[members], scores[rest], None if groups is None else (groups[members], groups[rest])
    )
    return excess / error


def _slice(proposals: Proposals, candidate: Candidate, scores: F64) -> tuple[Bool, F64, dict[str, Any]]:
    """(n,) members and (n,) membership of a slice, and how new rows are given one."""
    family = proposals.family
    membership = np.zeros(proposals.family.n)
    rows = family.scopes[candidate.scope].rows
    predicted, members = family.slice_of(candidate, scores)
    cut, width = _cut(predicted[rows], int(members.sum()))
    membership[rows] = logistic((predicted[rows] - cut) / width)
    rule = {"weights": family.smoothers[candidate.smoother][0].weights(scores), "cut": cut, "width": width}
    inner = [smoother for smoother, where in family.smoothers if 0 not in where][:N_ORDERING]
    if not inner:
        return members, membership, rule
    order = np.zeros(len(rows))
    weights = np.zeros_like(rule["weights"])
    for smoother in inner:
        own = smoother.predict(scores[:, None].astype(np.float32))[rows, 0].astype(np.float64)
        spread = max(float(own.std()), 1e-12)
        order = order + own / spread
        weights = weights + smoother.weights(scores) / np.float32(spread)
    chosen = order[members[rows]]
    middle = float(chosen.mean())
    spread = max(float(chosen.std()), 1e-12)
    membership[rows[members[rows]]] = ordered(chosen, middle, spread)
    return members, membership, rule | {"order": weights, "order_middle": middle, "order_spread": spread}


def _region(proposals: Proposals, candidate: Candidate, scores: F64) -> tuple[Bool, F64, dict[str, Any]]:
    """The same of a k-means part, whatever the scores are."""
    part = proposals.parts[candidate.tag]
    membership = np.zeros(proposals.family.n)
    rows = proposals.family.scopes[candidate.scope].rows
    margins = margin(proposals.features.rows[rows], part)
    width = float(np.std(margins)) / 2 or 1.0
    membership[rows] = logistic(margins / width)
    return membership >= 0.5, membership, {"centres": part.centres, "which": part.which, "width": width}


def _cut(scores: F64, size: int) -> tuple[float, float]:
    """The score half-way between the last member and the first non-member, and the width of the soft edge."""
    ordered = np.sort(scores)[::-1]
    return float((ordered[size - 1] + ordered[size]) / 2), max(float(np.std(scores)) / 2, 1e-9)


def ordered(scores: F64, middle: float, spread: float) -> F64:
    """Memberships above 0.5 of members that another score puts in order."""
    return 0.5 + 0.5 * logistic((scores - middle) / spread)


def logistic(x: F64) -> F64:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def _stratify_by(strata: I64, found: FoundCluster, rows: I64) -> I64:
    """Strata split by the finding: its members, as many rows again just below its cut, and the rest of the scope.

    The shoulder is there because a slice's edge is soft: without it, the remainder of one failure comes back as the
    next.
    """
    level = np.zeros(len(strata), dtype=np.int64)
    order = rows[np.argsort(-found.membership[rows], kind="stable")]
    size = int(found.members.sum())
    level[order[:size]] = 1
    level[order[size : 2 * size]] = 2
    split = np.unique(3 * strata + level, return_inverse=True)[1].astype(np.int64)
    counts = np.bincount(split)
    tiny = counts[split] < 4  # too few rows to permute: members and shoulder of such a stratum share one
    return np.unique(np.where(tiny, strata + split.max() + 1, split), return_inverse=True)[1].astype(np.int64)
