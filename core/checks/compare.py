"""Two models on the same samples: what one fixes and breaks of the other, over all, by class and by failure cluster.

A failure cluster was chosen because model A does badly in it, so A will look worse there than it is, and any other
model better. Hence the difference inside a cluster is corrected by what the selection is reckoned to have added to A's
error, and beside it stands a
comparison in which A has no part: does B fail more inside the cluster than outside, class by class? Where it does, the
    images are
hard for both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from core.errors import InvalidInput
from core.records import (
    F64,
    I64,
    OWN,
    Bool,
    Comparison,
    Diagnosis,
    Estimate,
    FailureCluster,
    FourWay,
    Outcomes,
    ProbeResult,
)
from core.statistics.intervals import UNDEFINED, accuracy_of, bootstrap
from core.statistics.paired import kappa, paired_difference, paired_p
from core.statistics.permutation import Permuter, holm, permutation_p

MODEL = "model"
"""Name of the model under diagnosis."""
ALPHA = 0.05
MIN_SCOPE_ROWS = 5
"""Scopes with fewer rows are counted and not tested."""
PERMUTATIONS = 4999


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One model's errors on the samples."""

    name: str
    rows: I64
    errors: Bool


def compare(diagnosis: Diagnosis, a: str = MODEL, b: str | None = None, *, seed: int = 0) -> Comparison:
    """Models A and B of a run on the rows that both scored.

    Args:
        a, b: "model" for the one under diagnosis, or the name of a probe's result; b is by default the latest probe.

    Raises:
        InvalidInput: there is no such result, both are one, the errors of one are unknown, or they share no row.
    """
    if b is None:
        if not diagnosis.probes:
            raise InvalidInput(
                "No probe was run on these samples yet, so there is nothing to compare with. Run one first."
            )
        b = diagnosis.probes[-1].name
    if a == b:
        raise InvalidInput(
            f"Two different models are needed to compare: got {a!r} twice. There are: {', '.join(names_of(diagnosis))}."
        )
    return _compared(diagnosis, _side(diagnosis, a), _side(diagnosis, b), seed)


def compare_outcomes(diagnosis: Diagnosis, other: Outcomes, name: str = "other model", *, seed: int = 0) -> Comparison:
    """The model under diagnosis beside any other outcomes on the same rows, such as those of a second checkpoint.

    Raises:
        InvalidInput: the number of rows differs, or errors are unknown.
    """
    n = len(diagnosis.samples)
    if len(other.loss) != n or other.errors is None:
        raise InvalidInput(
            f"The other model needs an outcome with known errors for each of the {n:,} samples: "
            f"got {len(other.loss):,} rows."
        )
    return _compared(diagnosis, _side(diagnosis, MODEL), _Side(name, np.arange(n, dtype=np.int64), other.errors), seed)


def names_of(diagnosis: Diagnosis) -> tuple[str, ...]:
    """What can be compared: "model", where its errors are known, and the probes' names."""
    return (*((MODEL,) if diagnosis.outcomes.errors is not None else ()), *(p.name for p in diagnosis.probes))


def probe_of(diagnosis: Diagnosis, name: str) -> ProbeResult:
    """The probe's result of that name.

    Raises:
        InvalidInput: there is none.
    """
    found = next((p for p in diagnosis.probes if p.name == name), None)
    if found is None:
        raise InvalidInput(
            f"This run has no result called {name!r}. It has: {', '.join(names_of(diagnosis)) or 'none'}."
        )
    return found


def _side(diagnosis: Diagnosis, name: str) -> _Side:
    if name != MODEL:
        found = probe_of(diagnosis, name)
        assert found.outcomes.errors is not None
        return _Side(name, found.rows, found.outcomes.errors)
    errors = diagnosis.outcomes.errors
    if errors is None:
        raise InvalidInput(
            "Of the model only losses are known, not which answers were wrong, and losses of two models have no "
            "common scale. Bring a label "
            "with predictions or probabilities, or compare two probes."
        )
    return _Side(MODEL, np.arange(len(errors), dtype=np.int64), errors)


def _compared(diagnosis: Diagnosis, a: _Side, b: _Side, seed: int) -> Comparison:
    rows, at_a, at_b = np.intersect1d(a.rows, b.rows, return_indices=True)
    if not len(rows):
        raise InvalidInput(f"{a.name!r} and {b.name!r} scored no row in common. Run the probe on all samples.")
    wrong_a, wrong_b = a.errors[at_a], b.errors[at_b]
    groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[rows]
    pair = _Pair(diagnosis, rows.astype(np.int64), wrong_a, wrong_b, groups, a.name, b.name, seed)
    missing = len(diagnosis.samples) - len(rows)
    notes = (
        (f"{missing:,} of {len(diagnosis.samples):,} samples were not scored by both and are left out.",)
        if missing
        else ()
    )
    return Comparison(
        a.name,
        b.name,
        pair.rows,
        accuracy_of(wrong_a, groups, seed),
        accuracy_of(wrong_b, groups, seed),
        _judged(pair.four_way("all samples", "all", np.ones(len(rows), bool))),
        pair.classes(),
        pair.clusters(),
        kappa(wrong_a, wrong_b),
        notes,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Both models' errors on m common rows."""

    diagnosis: Diagnosis
    rows: I64
    wrong_a: Bool
    wrong_b: Bool
    groups: I64 | None
    a: str
    b: str
    seed: int

    def four_way(self, scope: str, kind: Literal["all", "class", "cluster"], inside: Bool) -> FourWay:
        """The four counts inside, the paired difference and its unadjusted p."""
        a, b = self.wrong_a[inside], self.wrong_b[inside]
        groups = None if self.groups is None else self.groups[inside]
        fixed, broken, both, neither = (int(x.sum()) for x in (a & ~b, ~a & b, a & b, ~a & ~b))
        tested = len(a) >= MIN_SCOPE_ROWS
        difference = paired_difference(a, b, groups, seed=self.seed) if len(a) else UNDEFINED
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
            moved = Estimate(
                *(
                    float(np.clip(v - bias, -1, 1))
                    for v in (found.difference.value, found.difference.low, found.difference.high)
                )
            )
            error = (found.difference.high - found.difference.low) / (2 * 1.96)
            found = replace(
                found, difference=moved, p=float(2 * stats.norm.sf(abs(moved.value) / error)) if error > 0 else found.p
            )
        found = replace(found, cluster=cluster.id)
        return self._shared(found, cluster, inside, bias) if self.a == MODEL and found.n >= MIN_SCOPE_ROWS else found

    def _shared(self, found: FourWay, cluster: FailureCluster, inside: Bool, bias: float) -> FourWay:
        """With how much more B errs inside than outside, class by class within the cluster's scope, its one-sided p,
        and the same beside A's."""
        samples = self.diagnosis.samples
        blocks = np.zeros(len(self.rows), np.int64) if samples.labels is None else samples.labels[self.rows]
        within = self._in_scope(cluster, blocks)
        both = np.array(
            [
                bool((inside & within & (blocks == c)).any() and (~inside & within & (blocks == c)).any())
                for c in range(blocks.max() + 1)
            ]
        )
        used = np.flatnonzero(within & both[blocks])
        if len(used) < 2 * MIN_SCOPE_ROWS:
            return found
        member, block, error = inside[used], blocks[used], self.wrong_b[used].astype(np.float64)
        beyond = self.wrong_a[used] - error
        groups = None if self.groups is None else self.groups[used]
        confidence = 1 - ALPHA / len(self.diagnosis.clusters)
        value, gap = (
            bootstrap(
                lambda at, y=y: _gap(member[at], block[at], y[at]),
                len(used),
                groups,
                np.random.default_rng(self.seed),
                level=confidence,
            )
            for y in (error, beyond)
        )
        draws = Permuter(block, groups).draw(PERMUTATIONS, np.random.default_rng(self.seed))
        weights = _weights(member, block)
        p = permutation_p(float(weights @ error), weights @ error[draws])
        beside = Estimate(gap.value - bias, gap.low - bias, gap.high - bias)
        room = float(error[member].mean()) + beside.value <= 1  # B's rate inside, had it risen as much as A's
        return replace(found, shares=value, shares_p=p, excess_gap=beside, room=room)

    def _in_scope(self, cluster: FailureCluster, blocks: I64) -> Bool:
        names = self.diagnosis.samples.class_names
        if cluster.scope in names:
            return blocks == names.index(cluster.scope)
        return np.ones(len(self.rows), bool)


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
    return tuple(_judged(replace(f, p=p)) for f, p in zip(found, _holm([f.p for f in found])))


def _holm(p: list[float | None]) -> list[float | None]:
    """Holm's adjustment over those that were tested; None stays None."""
    adjusted = iter(holm([value for value in p if value is not None]).tolist())
    return [None if value is None else next(adjusted) for value in p]


def _judged(found: FourWay) -> FourWay:
    """With its verdict; see `FourWay.verdict`."""
    differs = found.p is not None and found.p <= ALPHA
    better = differs and found.difference.value > 0
    shared = found.shares_p is not None and found.shares_p <= ALPHA
    own = found.excess_gap is not None and found.excess_gap.low > 0 and found.room
    if better:
        return replace(found, verdict="partly" if shared else "fixed")
    return replace(found, verdict="shared" if shared else "own" if own else "broken" if differs else "open")


if TYPE_CHECKING:
    pass


@lru_cache(maxsize=1)
def comparisons(diagnosis: Diagnosis) -> tuple[Comparison, ...]:
    """Each probe beside the model under diagnosis; where the model's errors are unknown, beside the first probe.

    The last diagnosis is kept: the tables, the report and the command line ask for the same comparisons one after the
    other.
    """
    if diagnosis.outcomes.errors is not None:
        return tuple(compare(diagnosis, MODEL, p.name) for p in diagnosis.probes if p.name != diagnosis.extras.get(OWN))
    return tuple(compare(diagnosis, diagnosis.probes[0].name, p.name) for p in diagnosis.probes[1:])


def comparison_with(diagnosis: Diagnosis, name: str) -> Comparison | None:
    """The comparison whose second side is the probe of that name, if there is one."""
    return next((c for c in comparisons(diagnosis) if c.b == name), None)
