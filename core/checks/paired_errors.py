"""The errors of two models on common rows, counted and tested overall, by class and by failure cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from core.checks.prediction_powered import newcombe
from core.records import F64, I64, UNDEFINED, Bool, Diagnosis, Estimate, FailureCluster, FourWay
from core.statistics.groups import groups_at
from core.statistics.intervals import (
    accuracy_of,
    bootstrap,
    effective_sample_size,
    groups_with_minority_value,
    paired_limits,
    simultaneous_level,
    wilson_limits,
)
from core.statistics.max_t import max_t
from core.statistics.paired import paired_difference, paired_p
from core.statistics.permutation import holm, permutation_p
from core.statistics.permuter import Permuter

MODEL = "model"
"""Name of the model under diagnosis."""
ALPHA = 0.05
MIN_MINORITY = 20
"""Rows, or groups, with another value than the majority, below which a bootstrap is not trusted: with 6 to 12 groups of
members 0.90 of its intervals covered the truth; those of the other method, for single rows no wider, 0.97 or more."""
MIN_SCOPE_ROWS = 5
"""Scopes with fewer rows are counted but not tested: with four rows McNemar's mid-p cannot fall below 0.0625."""
PERMUTATIONS = 4999
MARGIN = 0.1
"""Two models are the same in a cluster if they are shown to differ by less than this share of its rows, and by less
than half of what the cluster adds to A's error, so that a model that fixes half of that is not "the same". A
convention."""
NEAR_CHANCE = 0.1
"""Share of the way from chance to always right. A model not shown to have come so far says nothing about a cluster:
it fails everywhere. A convention."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownSet:
    """Samples that a finding of the run covers."""

    title: str
    kind: Literal["cluster", "condition", "phrase"]
    scope: str
    """The class that it is within, or all samples."""
    members: Bool
    """(n,) of the diagnosed samples."""
    error_rate: float | None
    """Of A, corrected for the search; None if errors are unknown."""
    cluster: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ErrorPair:
    """Both models' errors on m common rows."""

    diagnosis: Diagnosis
    rows: I64
    wrong_a: Bool
    wrong_b: Bool
    groups: I64 | None
    a: str
    b: str
    seed: int
    testable: bool = True
    """Whether both are judged by the same truth; otherwise nothing is tested."""
    named: bool = False
    """Whether B predicts one of the classes for each row, so that chance is known."""

    def four_way(
        self,
        scope: str,
        kind: Literal["all", "class", "cluster", "condition", "phrase"],
        inside: Bool,
        level: float = 1 - ALPHA,
    ) -> FourWay:
        """The four counts inside, the paired difference with an interval at that level, and its unadjusted p."""
        a = self.wrong_a[inside]
        b = self.wrong_b[inside]
        groups = groups_at(self.groups, inside)
        fixed, broken, both, neither = (int(x.sum()) for x in (a & ~b, ~a & b, a & b, ~a & ~b))
        difference = UNDEFINED
        if len(a):
            difference = paired_difference(a, b, groups, level=level)
        p = None
        if self.testable and len(a) >= MIN_SCOPE_ROWS:
            p = paired_p(a, b, groups, seed=self.seed)
        return FourWay(scope, kind, len(a), fixed, broken, both, neither, difference, p)

    def classes(self) -> tuple[FourWay, ...]:
        """One for each class with rows."""
        labels = self.diagnosis.samples.labels
        names = self.diagnosis.samples.class_names
        if labels is None:
            return ()
        row_labels = labels[self.rows]
        at, counts = np.unique(row_labels, return_counts=True)
        level = simultaneous_level(int((counts >= MIN_SCOPE_ROWS).sum()), 1 - ALPHA)
        return _adjusted([self.four_way(names[c], "class", row_labels == c, level) for c in at.tolist()])

    def clusters(self) -> tuple[FourWay, ...]:
        """One for each confirmed cluster, in rank order."""
        return self.among([known_cluster(cluster) for cluster in self.diagnosis.clusters])

    def among(self, known: Sequence[KnownSet]) -> tuple[FourWay, ...]:
        """One for each set that the run found, in their order: intervals and p hold for all of them together."""
        members = [known_set.members[self.rows] for known_set in known]
        level = simultaneous_level(sum(bool(m.sum() >= MIN_SCOPE_ROWS) for m in members), 1 - ALPHA)
        blind = self._is_blind()
        pairs = [self._within(known_set, inside, level, blind) for known_set, inside in zip(known, members)]
        shared: list[FourWay] = []
        for pair, p in zip(pairs, _holm([pair.shares_p for pair in pairs])):
            shares = pair.shares
            if shares is not None:
                shares = _ended(shares, p)
            shared.append(replace(pair, shares_p=p, shares=shares))
        return _adjusted(shared)

    def _within(self, known: KnownSet, inside: Bool, level: float, blind: bool) -> FourWay:
        """The comparison within a set, with its difference and p corrected for the set having been chosen by A."""
        pair = replace(self.four_way(known.title, known.kind, inside, level), cluster=known.cluster, blind=blind)
        if pair.p is None:
            return pair
        bias = self._selection_bias(known, inside)
        plain = pair.difference
        moved = _moved(plain, bias, 1)
        p = pair.p
        if bias and moved.value * plain.value <= 0:  # the plain and the corrected difference disagree on the better
            p = 1.0
        elif bias and moved.value * bias > 0:  # otherwise the plain difference is the nearer to 0, and its p holds
            error = (plain.high - plain.low) / (2 * float(stats.norm.ppf((1 + level) / 2)))
            if error > 0:
                p = float(2 * stats.norm.sf(abs(moved.value) / error))
        pair = replace(pair, p=p, difference=moved)
        if self.a != MODEL:
            return pair
        return self._add_shared(pair, inside, self._in_scope(known), bias, level)

    def _selection_bias(self, known: KnownSet, inside: Bool) -> float:
        """What choosing the set is estimated to have added to the difference: to the error rate of the model under
        diagnosis, as far as the other model does not fail on the same rows."""
        errors = self.diagnosis.outcomes.errors
        corrected = known.error_rate
        sign = float(self.a == MODEL) - float(self.b == MODEL)
        if not sign or errors is None or corrected is None:
            return 0.0
        added = float(errors[known.members].mean()) - corrected
        if not np.isfinite(added):
            return 0.0
        diagnosed = self.wrong_a
        second = self.wrong_b
        if sign < 0:
            diagnosed = self.wrong_b
            second = self.wrong_a
        if np.array_equal(diagnosed, second):  # in a cluster wrong throughout, the slope below would be 0
            return 0.0
        # slope of the second model's errors on the diagnosed model's, by class: the part of the bias that both share
        block = self._blocks()[inside]
        rates = np.bincount(block, diagnosed[inside]) / np.maximum(np.bincount(block), 1)
        apart = diagnosed[inside] - rates[block]
        alike = float(apart @ second[inside]) / max(float(apart @ apart), 1e-12)
        return sign * max(0.0, added) * (1 - float(np.clip(alike, 0, 1)))

    def _blocks(self) -> I64:
        labels = self.diagnosis.samples.labels
        if labels is None:
            return np.zeros(len(self.rows), np.int64)
        return labels[self.rows]

    def _chance(self) -> float | None:
        """Accuracy, averaged over classes, of naming a class without seeing the sample; None if B names none."""
        blocks = self._blocks()
        k = len(np.unique(blocks))
        if not self.named or not self.testable or k < 2 or blocks.min() < 0:
            return None
        return 1 / k

    def _is_blind(self) -> bool:
        """Whether B is not shown to be much better than chance, averaged over classes. The interval of the average adds
        the squares of each class's (Zou & Donner 2008)."""
        chance = self._chance()
        blocks = self._blocks()
        if chance is None:
            return False
        accuracies: list[Estimate] = []
        for c in np.unique(blocks):
            part = blocks == c
            accuracies.append(accuracy_of(self.wrong_b[part], groups_at(self.groups, part)))
        reach = float(np.sqrt(sum((a.value - a.low) ** 2 for a in accuracies))) / len(accuracies)
        return float(np.mean([a.value for a in accuracies])) - reach <= chance + NEAR_CHANCE * (1 - chance)

    def _add_shared(self, pair: FourWay, inside: Bool, within: Bool, bias: float, level: float) -> FourWay:
        """Add how much more B errs inside than outside, class by class within the cluster's scope, its one-sided p, and
        how much more A's excess is than B's.

        B had no part in choosing the set, so its p needs no correction: B's errors are permuted within class (whole
        groups).
        """
        blocks = self._blocks()
        classes = range(blocks.max() + 1)
        member = inside & within
        outside = ~inside & within
        both = np.array([bool((member & (blocks == c)).any() and (outside & (blocks == c)).any()) for c in classes])
        used = np.flatnonzero(within & both[blocks])
        if len(used) < 2 * MIN_SCOPE_ROWS:
            return pair
        member = inside[used]
        block = blocks[used]
        error = self.wrong_b[used].astype(np.float64)
        beyond = self.wrong_a[used] - error
        groups = groups_at(self.groups, used)
        value = gap_of(error, member, block, groups, level, seed=self.seed)
        gap = gap_of(beyond, member, block, groups, level, seed=self.seed)
        rng = np.random.default_rng(self.seed)
        weights = _weights(member, block)
        permuter = Permuter(block, groups, error)
        null = max_t(lambda way, n, rng: weights @ error[way.draw(n, rng)], permuter, rng, [PERMUTATIONS])
        p = permutation_p(float(weights @ error), null)
        beside = _moved(gap, bias, 2)
        # a model near its ceiling outside cannot show A's full excess: expect as much of the room that B has left
        most = 1 - (self._chance() or 0.0)
        room_b = most - error[member].mean() + value.value
        room_a = most - self.wrong_a[used][member].mean() + value.value + gap.value
        expected = (value.value + beside.value) * float(np.clip(room_b / max(room_a, 1e-12), 0, 1))
        return replace(pair, shares=value, shares_p=p, excess_gap=beside, room=value.high < expected > 0)

    def _in_scope(self, known: KnownSet) -> Bool:
        names = self.diagnosis.samples.class_names
        if known.scope in names:
            return self._blocks() == names.index(known.scope)
        return np.ones(len(self.rows), bool)


def known_cluster(cluster: FailureCluster) -> KnownSet:
    """The cluster's members, with its corrected error rate."""
    rate = None
    if cluster.error_rate is not None:
        rate = cluster.error_rate.value
    return KnownSet(cluster.name, "cluster", cluster.scope, cluster.membership >= 0.5, rate, cluster.id)


def gap_of(y: F64, member: Bool, block: I64, groups: I64 | None, level: float, *, seed: int = 0) -> Estimate:
    """Mean inside minus outside of (n,) errors, or of differences of two models' errors, class by class, with its
    interval.

    The percentile bootstrap over rows or groups, if at least `MIN_MINORITY` of them on either side have another value
    than the majority. Otherwise the limits of both means, squared and added (Zou & Donner 2008, Stat. Med. 27(10)),
    since resampling cannot show what it has not seen: without a disagreement its interval has no width. The limits of
    the means are Wilson's, and Bonett & Price's (2012) for differences; the others of a class count as its members do,
    for as many rows as their weights are worth (Kish 1965). Coverage: python -m research.evidence.gap_coverage.
    """
    value = _gap(member, block, y)
    weights = np.abs(_weights(member, block))
    of = np.arange(len(y))
    if groups is not None:
        of = groups
    sides = [np.flatnonzero(part & (weights > 0)) for part in (member, ~member)]
    if min(groups_with_minority_value(y[at], of[at]) for at in sides) >= MIN_MINORITY:
        rng = np.random.default_rng(seed)
        return bootstrap(lambda at: _gap(member[at], block[at], y[at]), len(y), groups, rng, level=level)
    signed = bool((y < 0).any())
    inner, outer = (_mean_of(y[at], weights[at], of[at], level, signed=signed) for at in sides)
    both = newcombe(inner, outer)
    return Estimate(value, float(max(both.low, inner.low - outer.high)), float(min(both.high, inner.high - outer.low)))


def _mean_of(y: F64, weights: F64, groups: I64, level: float, *, signed: bool) -> Estimate:
    """The weighted mean of errors, or of signed differences of errors, with its limits."""
    share = weights / weights.sum()
    n = float(weights.sum() ** 2 / (weights**2).sum())
    more = float(share @ (y > 0))
    less = float(share @ (y < 0))
    quantile = float(stats.norm.ppf((1 + level) / 2))
    variance = more + less - (more - less) ** 2
    if len(np.unique(groups)) < len(groups):
        worth, wider = effective_sample_size(y, groups, variance)
        n = n * worth / len(y)
        quantile = quantile * wider / float(stats.norm.ppf(0.975))
    if not signed:
        return Estimate(more, *wilson_limits(more, n, quantile))
    return Estimate(more - less, *paired_limits(more, less, n, quantile))


def _moved(plain: Estimate, bias: float, most: float) -> Estimate:
    """An estimate less the bias, within +-most. The bias is itself an estimate, so the interval covers the result with
    and without it."""
    ends = (plain.value - bias, plain.low - max(bias, 0), plain.high - min(bias, 0))
    return Estimate(*(float(np.clip(v, -most, most)) for v in ends))


def _weights(member: Bool, block: I64) -> F64:
    """(n,) weights w with w @ error = `_gap`: 1 over the number of members for members, negative weights that sum to
    each class's share for the others of its class."""
    k = int(block.max()) + 1
    inside = np.bincount(block[member], minlength=k)
    outside = np.bincount(block[~member], minlength=k)
    total = max(1, int(inside.sum()))
    return np.where(member, 1.0 / total, -inside[block] / np.maximum(outside[block], 1) / total)


def _gap(member: Bool, block: I64, error: F64) -> float:
    """Mean error inside minus outside, by class, weighted by the members of each class that also has rows outside."""
    k = int(block.max()) + 1
    inside = np.bincount(block[member], minlength=k)
    outside = np.bincount(block[~member], minlength=k)
    both = (inside > 0) & (outside > 0)
    if not both.any():
        return float("nan")
    inner = np.bincount(block[member], error[member], minlength=k) / np.maximum(inside, 1)
    outer = np.bincount(block[~member], error[~member], minlength=k) / np.maximum(outside, 1)
    return float(((inner - outer) * inside)[both].sum() / inside[both].sum())


def _adjusted(pairs: list[FourWay]) -> tuple[FourWay, ...]:
    """The pairs with p adjusted by Holm over those that are tested, and the verdict that follows."""
    adjusted = zip(pairs, _holm([pair.p for pair in pairs]))
    return tuple(judged(replace(pair, p=p, difference=_ended(pair.difference, p))) for pair, p in adjusted)


def _ended(estimate: Estimate, p: float | None) -> Estimate:
    """The estimate with an interval that ends at 0 if Holm's p passes and Bonferroni's interval does not: then Holm's
    test excludes only the other sign (Guilbaud 2008, Biom. J. 50(5))."""
    value = estimate.value
    low = estimate.low
    high = estimate.high
    if p is None or p > ALPHA or not low < 0 < high:
        return estimate
    if value > 0:
        return Estimate(value, 0.0, high)
    return Estimate(value, low, 0.0)


def _holm(p: list[float | None]) -> list[float | None]:
    """Holm's adjustment over those that were tested; None stays None."""
    adjusted = iter(holm([value for value in p if value is not None]).tolist())
    return [None if value is None else next(adjusted) for value in p]


def judged(pair: FourWay) -> FourWay:
    """The pair with its verdict; see `FourWay.verdict`."""
    differs = pair.p is not None and pair.p <= ALPHA
    better = differs and pair.difference.value > 0
    shared = pair.shares_p is not None and pair.shares_p <= ALPHA
    only_a = pair.excess_gap is not None and pair.excess_gap.low > 0 and pair.room
    if pair.blind:
        if differs and not better:
            return replace(pair, verdict="broken")
        return pair
    if better:
        return replace(pair, verdict="partly" if shared else "fixed")
    if not differs and _equivalent(pair):
        return replace(pair, verdict="same")
    if shared:
        return replace(pair, verdict="shared")
    if only_a:
        return replace(pair, verdict="own")
    if differs:
        return replace(pair, verdict="broken")
    return replace(pair, verdict="open")


def _equivalent(pair: FourWay) -> bool:
    """Whether both intervals, of the difference inside and of what the cluster adds to A's errors more than to B's, lie
    within the margin (two one-sided tests of Schuirmann 1987, J. Pharmacokinet. Biopharm. 15, at half of alpha
    each)."""
    if pair.shares is None or pair.excess_gap is None:
        return False
    margin = min(MARGIN, (pair.shares.value + pair.excess_gap.value) / 2)
    return all(-margin < e.low and e.high < margin for e in (pair.difference, pair.excess_gap))
