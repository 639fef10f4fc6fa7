"""The errors of two models on common rows, counted and tested over all, by class and by failure cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from core.checks.prediction_powered import newcombe
from core.records import F64, I64, Bool, Diagnosis, Estimate, FailureCluster, FourWay
from core.statistics.intervals import UNDEFINED, bootstrap, effective_rows, paired_limits, telling_groups, wilson_limits
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

    def four_way(self, scope: str, kind: Literal["all", "class", "cluster"], inside: Bool) -> FourWay:
        """The four counts inside, the paired difference and its unadjusted p."""
        a, b = self.wrong_a[inside], self.wrong_b[inside]
        groups = None if self.groups is None else self.groups[inside]
        fixed, broken, both, neither = (int(x.sum()) for x in (a & ~b, ~a & b, a & b, ~a & ~b))
        tested = self.testable and len(a) >= MIN_SCOPE_ROWS
        difference = paired_difference(a, b, groups) if len(a) else UNDEFINED
        p = paired_p(a, b, groups, seed=self.seed) if tested else None
        return FourWay(scope, kind, len(a), fixed, broken, both, neither, difference, p)

    def classes(self) -> tuple[FourWay, ...]:
        """One for each class with rows."""
        labels, names = self.diagnosis.samples.labels, self.diagnosis.samples.class_names
        if labels is None:
            return ()
        own = labels[self.rows]
        return _adjusted([self.four_way(names[c], "class", own == c) for c in np.unique(own).tolist()])

    def clusters(self) -> tuple[FourWay, ...]:
        """One for each confirmed cluster, in rank order."""
        found = [self._cluster(cluster) for cluster in self.diagnosis.clusters]
        return _adjusted([replace(f, shares_p=p) for f, p in zip(found, _holm([f.shares_p for f in found]))])

    def _cluster(self, cluster: FailureCluster) -> FourWay:
        inside = cluster.membership[self.rows] >= 0.5
        found = self.four_way(cluster.name, "cluster", inside)
        bias = _selection(cluster) * (float(self.a == MODEL) - float(self.b == MODEL))
        if bias and found.p is not None:
            plain = found.difference
            moved = Estimate(*(float(np.clip(v - bias, -1, 1)) for v in (plain.value, plain.low, plain.high)))
            error = (plain.high - plain.low) / (2 * 1.96)
            p = float(2 * stats.norm.sf(abs(moved.value) / error)) if error > 0 else found.p
            found = replace(found, difference=moved, p=p)
        found = replace(found, cluster=cluster.id)
        return self._shared(found, cluster, inside, bias) if self.a == MODEL and found.p is not None else found

    def _shared(self, found: FourWay, cluster: FailureCluster, inside: Bool, bias: float) -> FourWay:
        """With how much more B errs inside than outside, class by class within the cluster's scope, its one-sided p,
        and the same beside A's."""
        samples = self.diagnosis.samples
        blocks = np.zeros(len(self.rows), np.int64) if samples.labels is None else samples.labels[self.rows]
        within = self._in_scope(cluster, blocks)
        classes, member, other = range(blocks.max() + 1), inside & within, ~inside & within
        both = np.array([bool((member & (blocks == c)).any() and (other & (blocks == c)).any()) for c in classes])
        used = np.flatnonzero(within & both[blocks])
        if len(used) < 2 * MIN_SCOPE_ROWS:
            return found
        member, block, error = inside[used], blocks[used], self.wrong_b[used].astype(np.float64)
        beyond = self.wrong_a[used] - error
        groups = None if self.groups is None else self.groups[used]
        confidence = 1 - ALPHA / len(self.diagnosis.clusters)

        value, gap = (gap_of(y, member, block, groups, confidence, seed=self.seed) for y in (error, beyond))
        rng, weights = np.random.default_rng(self.seed), _weights(member, block)
        ways = Permuter(block, groups, error).ways
        p = max(permutation_p(float(weights @ error), weights @ error[way.draw(PERMUTATIONS, rng)]) for way in ways)
        beside = Estimate(*(float(np.clip(v - bias, -2, 2)) for v in (gap.value, gap.low, gap.high)))
        room = float(error[member].mean()) + beside.value <= 1  # B's rate inside, had it risen as much as A's
        return replace(found, shares=value, shares_p=p, excess_gap=beside, room=room)

    def _in_scope(self, cluster: FailureCluster, blocks: I64) -> Bool:
        names = self.diagnosis.samples.class_names
        if cluster.scope in names:
            return blocks == names.index(cluster.scope)
        return np.ones(len(self.rows), bool)


def gap_of(y: F64, member: Bool, block: I64, groups: I64 | None, level: float, *, seed: int = 0) -> Estimate:
    """Mean inside minus outside of (n,) errors, or of differences of two models' errors, class by class, with its
    interval.

    The percentile bootstrap over rows or groups; where fewer than `FEW` of them on either side have another value than
    most, the limits of both means, squared and added (Zou & Donner 2008, Stat. Med. 27(10)), since resampling cannot
    show what it has not met: without a disagreement it gives an interval of no width. The means' own limits are
    Wilson's, and Bonett & Price's (2012) of differences; the rest of a class counts as its members do, for as many rows
    as its weights are worth (Kish 1965). Coverage: python -m tests.benchmarks.gap_coverage.
    """
    value, weights = _gap(member, block, y), np.abs(_weights(member, block))
    of = np.arange(len(y)) if groups is None else groups
    sides = [np.flatnonzero(part & (weights > 0)) for part in (member, ~member)]
    if min(telling_groups(y[at], of[at]) for at in sides) >= FEW:
        rng = np.random.default_rng(seed)
        return bootstrap(lambda at: _gap(member[at], block[at], y[at]), len(y), groups, rng, level=level)
    one, other = (_mean_of(y[at], weights[at], of[at], level, signed=bool((y < 0).any())) for at in sides)
    both = newcombe(one, other)
    return Estimate(value, float(max(both.low, one.low - other.high)), float(min(both.high, one.high - other.low)))


def _mean_of(y: F64, weights: F64, groups: I64, level: float, *, signed: bool) -> Estimate:
    """The weighted mean of errors, or of signed differences of errors, with its limits."""
    share, n = weights / weights.sum(), float(weights.sum() ** 2 / (weights**2).sum())
    more, less = float(share @ (y > 0)), float(share @ (y < 0))
    quantile, variance = float(stats.norm.ppf((1 + level) / 2)), more + less - (more - less) ** 2
    if len(np.unique(groups)) < len(groups):
        worth, wider = effective_rows(y, groups, variance)
        n, quantile = n * worth / len(y), quantile * wider / float(stats.norm.ppf(0.975))
    if not signed:
        return Estimate(more, *wilson_limits(more, n, quantile))
    return Estimate(more - less, *paired_limits(more, less, n, quantile))


def _selection(cluster: FailureCluster) -> float:
    """What the choice of the cluster is reckoned to have added to its error rate: the plain difference minus the
    corrected one."""
    rate, outside, corrected = cluster.error_rate, cluster.error_outside, cluster.error_difference
    if rate is None or outside is None or corrected is None:
        return 0.0
    added = rate.value - outside - corrected.value
    return max(0.0, added) if np.isfinite(added) else 0.0


def _weights(member: Bool, block: I64) -> F64:
    """(n,) weights w such that w @ error is `_gap`: 1 over members for members, and the like with the opposite sign for
    the rest of their class."""
    k = int(block.max()) + 1
    inside, outside = np.bincount(block[member], minlength=k), np.bincount(block[~member], minlength=k)
    total = max(1, int(inside.sum()))
    return np.where(member, 1.0 / total, -inside[block] / np.maximum(outside[block], 1) / total)


def _gap(member: Bool, block: I64, error: F64) -> float:
    """Mean error inside minus outside, by class, weighted by the members of each class that also has rows outside."""
    k = int(block.max()) + 1
    inside, outside = np.bincount(block[member], minlength=k), np.bincount(block[~member], minlength=k)
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
    return tuple(judged(replace(f, p=p)) for f, p in zip(found, _holm([f.p for f in found])))


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
    if better:
        return replace(found, verdict="partly" if shared else "fixed")
    return replace(found, verdict="shared" if shared else "own" if own else "broken" if differs else "open")
