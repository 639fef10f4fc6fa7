"""Failure clusters, confirmed one after another with the search inside the null; then untested candidates.

The best candidate of the family is confirmed if at most a share alpha of permutations has a better one. The measures
are then stratified by it (its rows, and the rows just below its cut, become strata of their own) and the whole search
runs again, until nothing passes. So a second cluster must be a failure that the first does not explain.

The candidates listed beside them are not tested: in each class (in all samples without classes) the slice
that stands out most from what the clusters leave, the strongest first (docs/decisions/two-lists.md).
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

MAX_JACCARD = 0.8
"""Two findings whose rows overlap more (Jaccard index) are the same finding. A convention."""
MIN_LISTED_STATISTIC = 1.0
"""A candidate with a smaller statistic is not listed: it lies within one standard error of no difference."""
N_RANKING_PENALTIES = 2
"""The head that cut a slice decides its members; the class heads of this many penalties together rank them. Of slices
of the failing class the first ten ranked so held 0.74 of what was planted, ranked by the cutting head 0.72 (60 planted
slices, tuning seeds 10-14; 800 rows of two classes, 2,000 of ten)."""
MIN_EXCEEDANCES = 25
"""A test after the first stops once this many permutations beat its best candidate, or as many as rule out a p of at
most alpha, whichever is more: with all permutations nothing else would be confirmed. What is listed has its chance from
the drawn ones, with a relative error of about a fifth (1 / sqrt(25))."""
MAX_CANDIDATES = 5
"""Candidates listed beside the confirmed clusters. A convention: a list that one person can look through."""
MIN_STRATUM_ROWS = 4
"""Members and shoulder of a confirmed cluster share a stratum where fewer rows would be left to permute; a
convention."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundCluster:
    """A confirmed cluster or a candidate of the search, before it is described."""

    candidate: Candidate
    scope: Scope
    members: Bool
    membership: F64
    """(n,) out of fold, in [0, 1], at least 0.5 for members, 0 outside the scope."""
    statistic: float
    threshold: float
    """The statistic at alpha in this step; nan for an untested candidate."""
    p: float | None
    confirmed: bool
    measure: Measure = "mean loss"
    rule: dict[str, Any] = field(default_factory=dict[str, Any])
    """Gives new rows a membership (`core.discovery.assigner`)."""
    chance: float | None = None
    """For a candidate: share of permutations in which the strongest listable set is as strong."""


def find_clusters(
    proposals: Proposals,
    measured: FailureMeasures,
    *,
    alpha: float,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress = no_progress,
) -> tuple[list[FoundCluster], FamilyTest]:
    """Confirmed clusters in the order of the search, then up to five untested candidates; and the first family test.

    Clusters are confirmed one at a time: each becomes strata of its own, and the family is tested again on what is
    left, so that one failure does not return under other names. Where the design has too few groups to permute, nothing
    is confirmed and no p is given.

    A share of `alpha` is reserved for "the loss is predictable". Where that passes, its share goes to the clusters,
    which need not pay for a rejected hypothesis (Bretz et al. 2009, Stat. Med. 28(4)).

    Args:
        measured: class-centered measures of failure, which are tested and which the heads are fitted to.
        alpha: the part of the run's level spent inside classes.
    """
    family = proposals.family
    design = proposals.design
    n_permutations = settings.permutations(family.n)
    strata = design.centring_stratum
    permuter = design.permuter(measured.standardised_residuals)
    n_later = later_permutations(n_permutations, family.n)
    clusters = list[FoundCluster]()
    tests = list[FamilyTest]()
    inside = alpha - settings.predictability_alpha
    while True:
        residual = measured
        if clusters:
            residual = replace(measured, standardised_residuals=centre(measured.standardised_residuals, strata))
        if design.testable:
            # the first null gives the p of every condition and all thresholds, so the first test never stops early
            count = n_permutations
            give_up = 0
            if tests:
                count = n_later
                give_up = max(MIN_EXCEEDANCES, int(alpha * (n_later + 1)) + 1)
            test = read_family(
                family, residual, permuter, rng, n_permutations=count, alpha=inside, give_up=give_up,
                progress=progress, step=f"Testing group {len(clusters) + 1}",
            )  # fmt: skip
        else:
            scores = residual.standardised_residuals
            observed = family.statistics(scores.astype(np.float32))
            test = FamilyTest(scores, residual.names, inside, observed, np.empty(0, np.float32))
        if not tests and test.is_predictable(settings.predictability_alpha):
            inside = alpha
            test = replace(test, alpha=alpha)
        tests.append(test)
        if len(clusters) == settings.max_clusters:
            break  # this test rates the candidates
        cluster = _confirmed_cluster(proposals, test, measured.standardised_residuals)
        if cluster is None or any(_overlap(cluster.members, c.members) > MAX_JACCARD for c in clusters):
            break  # a cluster that comes back left too few rows to stratify by
        clusters.append(cluster)
        strata = _stratify_by(strata, cluster, family.scopes[cluster.candidate.scope].rows)
        permuter = design.permuter(measured.standardised_residuals, strata)
    return clusters + _unconfirmed_candidates(proposals, measured, strata, tests[-1], clusters), tests[0]


def _unconfirmed_candidates(
    proposals: Proposals, measured: FailureMeasures, strata: I64, test: FamilyTest, clusters: Sequence[FoundCluster]
) -> list[FoundCluster]:
    """Up to MAX_CANDIDATES candidates in what the clusters leave, the strongest first: the strongest slice of each
    narrow scope, and while there are fewer, the next one of each after stratifying by those.

    Only the first measure is searched: errors, where they are known. Slices of the mean loss beside those of errors
    held what was planted less often (tuning seeds, docs/decisions/two-lists.md). A candidate that does no worse than
    the others of its scope before stratifying is dropped at the end and not replaced, so that a chance still holds.

    Args:
        strata: the strata after the last cluster.
        test: the last test, on these strata; its permutations give each candidate its chance.
    """
    family = proposals.family
    listed = list[FoundCluster]()
    while len(listed) < MAX_CANDIDATES:
        observed = np.where(family.is_listed, test.observed[:, 0], -np.inf)
        best = {int(np.where(family.scope_of == s, observed, -np.inf).argmax()) for s in range(len(family.scopes))}
        new = list[FoundCluster]()
        for number in sorted(best):
            if observed[number] < MIN_LISTED_STATISTIC:
                continue
            candidate = _as_found(proposals, test, number, 0)
            if all(_overlap(candidate.members, c.members) <= MAX_JACCARD for c in (*clusters, *listed)):
                new.append(replace(candidate, chance=test.chance(candidate.statistic)))
        if not new:
            break
        listed += new
        for candidate in new:
            strata = _stratify_by(strata, candidate, family.scopes[candidate.candidate.scope].rows)
        scores = centre(measured.standardised_residuals[:, :1], strata)
        test = replace(test, scores=scores, observed=family.statistics(scores.astype(np.float32)))
    strongest = sorted(listed, key=lambda candidate: -candidate.statistic)[:MAX_CANDIDATES]
    return [candidate for candidate in strongest if is_worse(measured.standardised_residuals[:, 0], candidate)]


def is_worse(scores: F64, cluster: FoundCluster) -> bool:
    """Whether the members do worse than the others of the scope before stratifying by the clusters; after it they may
    seem to."""
    return _unadjusted_statistic(scores, cluster.members, cluster.scope.rows, None) > 0


def _overlap(a: Bool, b: Bool) -> float:
    """Jaccard index."""
    return float((a & b).sum() / max((a | b).sum(), 1))


def _best(family: Family, test: FamilyTest) -> tuple[int, int] | None:
    """Choose among the candidates that pass: (candidate, measure), or None where none passes.

    All candidates that reach the max-T threshold are confirmed at once, so the choice among them costs nothing. The
    highest lower bound of the excess chooses the scope, so that a failure of one class is not lost in one broad cluster
    of everything that is hard. Inside the scope the lower bound would choose the tip of a failure. There the split that
    explains most of the variance is taken, as in a regression tree: where s rows fail at one rate and the others at
    another, that is the split at s. Measured alternatives: docs/decisions/search-inside-the-null.md.
    """
    observed = np.where(family.is_condition[:, None], -np.inf, test.observed)
    threshold = test.threshold
    if not test.is_permuted or observed.max() < threshold:
        return None
    best = best_passing(family, observed, family.excess(test.scores), threshold)
    candidate, measure = divmod(best, observed.shape[1])
    return candidate, measure


def best_passing(family: Family, observed: F32 | F64, excess: F32 | F64, threshold: float) -> int:
    """The chosen candidate among those that pass (see `_best`), as the flat index of candidate and measure.

    Args:
        observed: (candidates, m) statistics, at least one of which reaches the threshold. excess: (candidates, m).
    """
    bound = excess * (1 - threshold / np.maximum(observed, 1e-6))
    bound = np.where(observed >= threshold, bound, -np.inf)
    same_scope = family.scope_of == family.scope_of[int(bound.max(1).argmax())]
    explained = (
        excess * np.sqrt(family.sizes * (family.scope_sizes - family.sizes))[:, None]
    )  # square root of the variance
    return int(np.where(same_scope[:, None] & (observed >= threshold), explained, -np.inf).argmax())


def _confirmed_cluster(proposals: Proposals, test: FamilyTest, unadjusted: F64) -> FoundCluster | None:
    """The chosen cluster with its members and rule; None where none is confirmed.

    It must pass on what the earlier clusters leave, and also before stratifying by them, since the figures shown are
    not adjusted for them.

    Args:
        unadjusted: (n, m) the measures before stratifying by any cluster.
    """
    best = _best(proposals.family, test)
    if best is None:
        return None
    number, measure = best
    cluster = _as_found(proposals, test, number, measure)
    scores = unadjusted[:, measure]
    groups = proposals.design.groups
    passes = _unadjusted_statistic(scores, cluster.members, cluster.scope.rows, groups) >= test.threshold
    p = test.p(cluster.statistic)
    if not passes or p > test.alpha or cluster.statistic <= 0:
        return None
    return replace(cluster, p=p, confirmed=True)


def _as_found(proposals: Proposals, test: FamilyTest, number: int, measure: int) -> FoundCluster:
    """A candidate of the family with its members and rule, not yet confirmed."""
    candidate = proposals.family.candidates[number]
    scores = test.scores[:, measure]
    scope = proposals.design.scopes[candidate.scope]
    rule: dict[str, Any] = {"kind": "region", "block": scope.block}
    if scope.block is None and candidate.scope:
        rule["blocks"] = np.unique(proposals.design.blocks[scope.rows])  # a superclass
    if candidate.kind == "slice":
        rule["kind"] = "slice"
        members, membership, membership_rule = _slice(proposals, candidate, scores)
    else:
        members, membership, membership_rule = _region(proposals, candidate)
    # rows that tie at the cut are on one side of the cut in `members`; the membership agrees
    membership = np.where(members, np.maximum(membership, 0.5), np.minimum(membership, np.nextafter(0.5, 0)))
    return FoundCluster(
        candidate,
        scope,
        members,
        membership,
        statistic=float(test.observed[number, measure]),
        threshold=test.threshold,
        p=None,
        confirmed=False,
        measure=test.names[measure],
        rule=rule | membership_rule,
    )


def _unadjusted_statistic(scores: F64, members: Bool, rows: I64, groups: I64 | None) -> float:
    """The test statistic of (n,) members among the rows of their scope, on (n,) scores."""
    others = rows[~members[rows]]
    of_groups = None if groups is None else (groups[members], groups[others])
    excess, error = difference_of(scores[members], scores[others], of_groups)
    return excess / error


def _slice(proposals: Proposals, candidate: Candidate, scores: F64) -> tuple[Bool, F64, dict[str, Any]]:
    """(n,) members and (n,) memberships of a slice, and the rule for new rows."""
    family = proposals.family
    membership = np.zeros(proposals.family.n)
    rows = family.scopes[candidate.scope].rows
    predicted, members = family.slice_of(candidate, scores)
    cut, width = _cut(predicted[rows], int(members.sum()))
    membership[rows] = logistic((predicted[rows] - cut) / width)
    rule = {"weights": family.smoothers[candidate.smoother][0].weights(scores), "cut": cut, "width": width}
    class_heads = [smoother for smoother, scopes in family.smoothers if 0 not in scopes][:N_RANKING_PENALTIES]
    if not class_heads:
        return members, membership, rule
    order = np.zeros(len(rows))
    weights = np.zeros_like(rule["weights"])
    for smoother in class_heads:
        predictions = smoother.predict(scores[:, None].astype(np.float32))[rows, 0].astype(np.float64)
        spread = max(float(predictions.std()), 1e-12)
        order = order + predictions / spread
        weights = weights + smoother.weights(scores) / np.float32(spread)
    chosen = order[members[rows]]
    middle = float(chosen.mean())
    spread = max(float(chosen.std()), 1e-12)
    membership[rows[members[rows]]] = ordered(chosen, middle, spread)
    return members, membership, rule | {"order": weights, "order_middle": middle, "order_spread": spread}


def _region(proposals: Proposals, candidate: Candidate) -> tuple[Bool, F64, dict[str, Any]]:
    """(n,) members and (n,) memberships of a k-means part, and the rule for new rows."""
    part = proposals.parts[candidate.tag]
    membership = np.zeros(proposals.family.n)
    rows = proposals.family.scopes[candidate.scope].rows
    margins = margin(proposals.features.rows[rows], part)
    width = float(np.std(margins)) / 2 or 1.0
    membership[rows] = logistic(margins / width)
    return membership >= 0.5, membership, {"centres": part.centres, "which": part.which, "width": width}


def _cut(scores: F64, size: int) -> tuple[float, float]:
    """The score halfway between the last member and the first non-member, and the width of the soft edge."""
    ordered = np.sort(scores)[::-1]
    return float((ordered[size - 1] + ordered[size]) / 2), max(float(np.std(scores)) / 2, 1e-9)


def ordered(scores: F64, middle: float, spread: float) -> F64:
    """Memberships above 0.5 for members ranked by another score."""
    return 0.5 + 0.5 * logistic((scores - middle) / spread)


def logistic(x: F64) -> F64:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def _stratify_by(strata: I64, cluster: FoundCluster, rows: I64) -> I64:
    """Split the strata by a cluster: its members, a shoulder of as many rows just below its cut, and the others.

    Centering on these strata residualizes the measures on the cluster (Freedman & Lane 1983). The shoulder is there
    because the edge of a slice is soft: without it, the remainder of one failure comes back as the next cluster.
    """
    level = np.zeros(len(strata), dtype=np.int64)
    order = rows[np.argsort(-cluster.membership[rows], kind="stable")]
    size = int(cluster.members.sum())
    level[order[:size]] = 1
    level[order[size : 2 * size]] = 2
    split = np.unique(3 * strata + level, return_inverse=True)[1].astype(np.int64)
    counts = np.bincount(split)
    tiny = counts[split] < MIN_STRATUM_ROWS  # members and shoulder share a stratum there
    return np.unique(np.where(tiny, strata + split.max() + 1, split), return_inverse=True)[1].astype(np.int64)
