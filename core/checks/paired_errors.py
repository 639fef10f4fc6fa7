"""The errors of two models on common rows, counted and tested over all, by class and by failure cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from core.checks.prediction_powered import newcombe
from core.records import F64, I64, UNDEFINED, Bool, Diagnosis, Estimate, FailureCluster, FourWay
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
FEW = 20
"""Rows, or groups, of another value than most, below which a bootstrap is not believed: with 6 to 12 groups of members
0.90 of its intervals held, and the other way's, of single rows no wider, 0.97 and more."""
MIN_SCOPE_ROWS = 5
"""Scopes with fewer rows are counted and not tested."""
PERMUTATIONS = 4999
MARGIN = 0.1
"""Two models are the same in a cluster if they are shown to differ by less than this share of its rows, and by less
than half of what the cluster adds to A's error, so that a model that mends half of it is not."""
NEAR_CHANCE = 0.1
"""Of the way from chance to always right: a model that is not shown to have gone so far says nothing of a cluster."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownSet:
    """Samples that a finding of the run speaks of."""

    title: str
    kind: Literal["cluster", "condition", "phrase"]
    scope: str
    """The class that it lies in, or all samples."""
    members: Bool
    """(n,) of the diagnosed samples."""
    error_rate: float | None
    """Of A, corrected for the search; None where errors are unknown."""
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
    """Whether both are judged by the same truth; nothing is tested otherwise."""
    named: bool = False
    """Whether B names one of the classes for each row, so that chance is known."""

    def four_way(
        self,
        scope: str,
        kind: Literal["all", "class", "cluster", "condition", "phrase"],
        inside: Bool,
        level: float = 1 - ALPHA,
    ) -> FourWay:
        """The four counts inside, the paired difference with an interval of that level, and its unadjusted p."""
        a = self.wrong_a[inside]
        b = self.wrong_b[inside]
        groups = None if self.groups is None else self.groups[inside]
        fixed, broken, both, neither = (int(x.sum()) for x in (a & ~b, ~a & b, a & b, ~a & ~b))
        tested = self.testable and len(a) >= MIN_SCOPE_ROWS
        difference = paired_difference(a, b, groups, level=level) if len(a) else UNDEFINED
        p = paired_p(a, b, groups, seed=self.seed) if tested else None
        return FourWay(scope, kind, len(a), fixed, broken, both, neither, difference, p)

    def classes(self) -> tuple[FourWay, ...]:
        """One for each class with rows."""
        labels = self.diagnosis.samples.labels
        names = self.diagnosis.samples.class_names
        if labels is None:
            return ()
        own = labels[self.rows]
        at, counts = np.unique(own, return_counts=True)
        level = simultaneous_level(int((counts >= MIN_SCOPE_ROWS).sum()), 1 - ALPHA)
        return _adjusted([self.four_way(names[c], "class", own == c, level) for c in at.tolist()])

    def clusters(self) -> tuple[FourWay, ...]:
        """One for each confirmed cluster, in rank order."""
        return self.among([known_cluster(cluster) for cluster in self.diagnosis.clusters])

    def among(self, known: Sequence[KnownSet]) -> tuple[FourWay, ...]:
        """One for each set that the run found, in their order: intervals and p hold for all of them together."""
        members = [one.members[self.rows] for one in known]
        level = simultaneous_level(sum(bool(m.sum() >= MIN_SCOPE_ROWS) for m in members), 1 - ALPHA)
        blind = self._blind()
        found = [self._of(one, inside, level, blind) for one, inside in zip(known, members)]
        shared = zip(found, _holm([f.shares_p for f in found]))
        return _adjusted([replace(f, shares_p=p, shares=f.shares and _ended(f.shares, p)) for f, p in shared])

    def _of(self, known: KnownSet, inside: Bool, level: float, blind: bool) -> FourWay:
        found = replace(self.four_way(known.title, known.kind, inside, level), cluster=known.cluster, blind=blind)
        if found.p is None:
            return found
        bias = self._selection(known, inside)
        plain = found.difference
        moved = _moved(plain, bias, 1)
        if bias and moved.value * plain.value <= 0:  # between the plain and the corrected one nothing is told
            found = replace(found, p=1.0)
        elif bias and moved.value * bias > 0:  # else the plain one is the nearer to 0
            error = (plain.high - plain.low) / (2 * float(stats.norm.ppf((1 + level) / 2)))
            found = replace(found, p=float(2 * stats.norm.sf(abs(moved.value) / error))) if error > 0 else found
        found = replace(found, difference=moved)
        return self._shared(found, inside, self._in_scope(known), bias, level) if self.a == MODEL else found

    def _selection(self, known: KnownSet, inside: Bool) -> float:
        """What the choice of the set is reckoned to have added to the difference: to the error rate of the model
        under diagnosis, as far as the other one does not fail on the same rows."""
        errors = self.diagnosis.outcomes.errors
        corrected = known.error_rate
        sign = float(self.a == MODEL) - float(self.b == MODEL)
        if not sign or errors is None or corrected is None:
            return 0.0
        added = float(errors[known.members].mean()) - corrected
        mine, other = (self.wrong_a, self.wrong_b) if sign > 0 else (self.wrong_b, self.wrong_a)
        if np.array_equal(mine, other):  # in a cluster that is wrong throughout the slope below would not see it
            return 0.0
        block = self._blocks()[inside]
        rates = np.bincount(block, mine[inside]) / np.maximum(np.bincount(block), 1)
        apart = mine[inside] - rates[block]
        alike = float(apart @ other[inside]) / max(float(apart @ apart), 1e-12)
        return sign * max(0.0, added) * (1 - float(np.clip(alike, 0, 1))) if np.isfinite(added) else 0.0

    def _blocks(self) -> I64:
        labels = self.diagnosis.samples.labels
        return np.zeros(len(self.rows), np.int64) if labels is None else labels[self.rows]

    def _chance(self) -> float | None:
        """The mean over classes of the share right of whatever names a class without a look at the sample; None where B
        names none."""
        blocks = self._blocks()
        k = len(np.unique(blocks))
        return 1 / k if self.named and self.testable and k > 1 and blocks.min() >= 0 else None

    def _blind(self) -> bool:
        """Whether B is not shown to be much better than chance in the mean over classes, whose interval adds the
        squares of each class's (Zou & Donner 2008)."""
        chance = self._chance()
        blocks = self._blocks()
        if chance is None:
            return False
        parts = [blocks == c for c in np.unique(blocks)]
        each = [accuracy_of(self.wrong_b[part], None if self.groups is None else self.groups[part]) for part in parts]
        reach = float(np.sqrt(sum((e.value - e.low) ** 2 for e in each))) / len(each)
        return float(np.mean([e.value for e in each])) - reach <= chance + NEAR_CHANCE * (1 - chance)

    def _shared(self, found: FourWay, inside: Bool, within: Bool, bias: float, level: float) -> FourWay:
        """With how much more B errs inside than outside, class by class within the cluster's scope, its one-sided p,
        and the same beside A's."""
        blocks = self._blocks()
        classes = range(blocks.max() + 1)
        member = inside & within
        other = ~inside & within
        both = np.array([bool((member & (blocks == c)).any() and (other & (blocks == c)).any()) for c in classes])
        used = np.flatnonzero(within & both[blocks])
        if len(used) < 2 * MIN_SCOPE_ROWS:
            return found
        member = inside[used]
        block = blocks[used]
        error = self.wrong_b[used].astype(np.float64)
        beyond = self.wrong_a[used] - error
        groups = None if self.groups is None else self.groups[used]
        value, gap = (gap_of(y, member, block, groups, level, seed=self.seed) for y in (error, beyond))
        rng = np.random.default_rng(self.seed)
        weights = _weights(member, block)
        permuter = Permuter(block, groups, error)
        null = max_t(lambda way, n, rng: weights @ error[way.draw(n, rng)], permuter, rng, [PERMUTATIONS])
        p = permutation_p(float(weights @ error), null)
        beside = _moved(gap, bias, 2)
        most = 1 - (self._chance() or 0.0)  # what is left to lose elsewhere, of the way from chance to always right
        left = most - error[member].mean() + value.value, most - self.wrong_a[used][member].mean()
        left = left[0], left[1] + value.value + gap.value
        expected = (value.value + beside.value) * float(np.clip(left[0] / max(left[1], 1e-12), 0, 1))
        return replace(found, shares=value, shares_p=p, excess_gap=beside, room=value.high < expected > 0)

    def _in_scope(self, known: KnownSet) -> Bool:
        names = self.diagnosis.samples.class_names
        if known.scope in names:
            return self._blocks() == names.index(known.scope)
        return np.ones(len(self.rows), bool)


def known_cluster(cluster: FailureCluster) -> KnownSet:
    """The cluster's members, with its corrected error rate."""
    rate = None if cluster.error_rate is None else cluster.error_rate.value
    return KnownSet(cluster.name, "cluster", cluster.scope, cluster.membership >= 0.5, rate, cluster.id)


def gap_of(y: F64, member: Bool, block: I64, groups: I64 | None, level: float, *, seed: int = 0) -> Estimate:
    """Mean inside minus outside of (n,) errors, or of differences of two models' errors, class by class, with its
    interval.

    The percentile bootstrap over rows or groups; where fewer than `FEW` of them on either side have another value than
    most, the limits of both means, squared and added (Zou & Donner 2008, Stat. Med. 27(10)), since resampling cannot
    show what it has not met: without a disagreement it gives an interval of no width. The means' own limits are
    Wilson's, and Bonett & Price's (2012) of differences; the rest of a class counts as its members do, for as many rows
    as its weights are worth (Kish 1965). Coverage: python -m research.evidence.gap_coverage.
    """
    value = _gap(member, block, y)
    weights = np.abs(_weights(member, block))
    of = np.arange(len(y)) if groups is None else groups
    sides = [np.flatnonzero(part & (weights > 0)) for part in (member, ~member)]
    if min(groups_with_minority_value(y[at], of[at]) for at in sides) >= FEW:
        rng = np.random.default_rng(seed)
        return bootstrap(lambda at: _gap(member[at], block[at], y[at]), len(y), groups, rng, level=level)
    one, other = (_mean_of(y[at], weights[at], of[at], level, signed=bool((y < 0).any())) for at in sides)
    both = newcombe(one, other)
    return Estimate(value, float(max(both.low, one.low - other.high)), float(min(both.high, one.high - other.low)))


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
    """An estimate less the bias, within +-most. The bias is itself reckoned, so the interval holds what would be so
    with it and without it."""
    ends = (plain.value - bias, plain.low - max(bias, 0), plain.high - min(bias, 0))
    return Estimate(*(float(np.clip(v, -most, most)) for v in ends))


def _weights(member: Bool, block: I64) -> F64:
    """(n,) weights w such that w @ error is `_gap`: 1 over members for members, and the like with the opposite sign for
    the rest of their class."""
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
    means = [
        np.bincount(block[m], error[m], minlength=k) / np.maximum(c, 1)
        for m, c in ((member, inside), (~member, outside))
    ]
    return float(((means[0] - means[1]) * inside)[both].sum() / inside[both].sum())


def _adjusted(found: list[FourWay]) -> tuple[FourWay, ...]:
    """The same with p adjusted by Holm over those that are tested, and the verdict that follows."""
    adjusted = zip(found, _holm([f.p for f in found]))
    return tuple(judged(replace(f, p=p, difference=_ended(f.difference, p))) for f, p in adjusted)


def _ended(estimate: Estimate, p: float | None) -> Estimate:
    """With an interval that ends at 0 where Holm's p passes and Bonferroni's interval does not (Guilbaud 2008, Biom. J.
    50(5))."""
    value = estimate.value
    low = estimate.low
    high = estimate.high
    if p is None or p > ALPHA or not low < 0 < high:
        return estimate
    return Estimate(value, *((0.0, high) if value > 0 else (low, 0.0)))


def _holm(p: list[float | None]) -> list[float | None]:
    """Holm's adjustment over those that were tested; None stays None."""
    adjusted = iter(holm([value for value in p if value is not None]).tolist())
    return [None if value is None else next(adjusted) for value in p]


def judged(found: FourWay) -> FourWay:
    """With its verdict; see `FourWay.verdict`."""
    differs = found.p is not None and found.p <= ALPHA
    better = differs and found.difference.value > 0
    shared = found.shares_p is not None and found.shares_p <= ALPHA
    own = found.excess_gap is not None and found.excess_gap.low > 0 and found.room
    if found.blind:
        return replace(found, verdict="broken") if differs and not better else found
    if better:
        return replace(found, verdict="partly" if shared else "fixed")
    if not differs and _equivalent(found):
        return replace(found, verdict="same")
    return replace(found, verdict="shared" if shared else "own" if own else "broken" if differs else "open")


def _equivalent(found: FourWay) -> bool:
    """Whether both intervals, of the difference inside and of what the cluster adds to A's errors more than to B's, lie
    within the margin (two one-sided tests of Schuirmann 1987, J. Pharmacokinet. Biopharm. 15, at half of alpha
    each)."""
    if found.shares is None or found.excess_gap is None:
        return False
    margin = min(MARGIN, (found.shares.value + found.excess_gap.value) / 2)
    return all(-margin < e.low and e.high < margin for e in (found.difference, found.excess_gap))
