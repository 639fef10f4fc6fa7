"""Claims about fresh samples, fixed before their outcomes are read, and the figures that judge them: each in the
measure of its claim, error rate or mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.discovery.design import MIN_GROUPS
from core.records import F64, I64, UNDEFINED, Bool, Estimate, Measure, Outcomes, PredictionRow
from core.statistics.groups import groups_at, term_sums
from core.statistics.intervals import effective_sample_size_at, wilson, wilson_limits
from core.statistics.max_t import chunks, max_t
from core.statistics.permutation import permutation_p, studentised_excess
from core.statistics.permuter import Permuter
from core.statistics.redraws import bootstrap_mean

MIN_MATCHES = 5
"""With fewer matching fresh samples a finding is shown but not judged. A convention: Wilson's interval for 5 samples is
at least 0.43 wide, so almost any rate would agree."""
MAX_EXPECTED_WIDTH = 0.7
"""An expected error rate whose interval is wider than this is not judged: hardly any observation could miss it. A
convention."""
MAX_PERMUTATIONS = 4999
MIN_PERMUTATIONS = 499
PERMUTED_VALUES = 100_000_000
"""Rows times permutations in all, which bounds the time of one p. With 499 permutations the smallest p is 0.002."""
BATCH_VALUES = 2_000_000
"""Rows times permutations in memory at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What a finding predicts of fresh samples, before their outcomes are read."""

    kind: Any
    """As `PredictionRow.kind`."""
    text: str
    scope: str
    matching: Bool
    """(m,) the fresh samples that the finding applies to."""
    measure: Measure
    predicted: Estimate
    """In that measure."""
    spread: float
    """Standard deviation of the diagnosed members' errors or losses."""
    likeness: float = 1.0
    """Correlation of those within a group, 0 to 1; 1 if the run could not estimate it."""
    not_tried: str | None = None
    """As `PredictionRow.not_tried`."""


def observed_of(values: F64, measure: Measure, groups: I64 | None) -> Estimate:
    """The mean of the values and its interval: Wilson's for independent errors, else a bootstrap over whole groups."""
    if measure == "error rate" and (groups is None or len(np.unique(groups)) == len(groups)):
        return wilson(int(values.sum()), len(values))
    if len(values) < 2 or (groups is not None and len(np.unique(groups)) < MIN_MATCHES):
        return Estimate(float(values.mean()), UNDEFINED.low, UNDEFINED.high)
    return bootstrap_mean(values, groups, np.random.default_rng(0), repeats=400)


def expected_of(claim: Claim, n: float, diagnosed: Outcomes, quantile: float = 1.96) -> Estimate:
    """The predicted interval, widened by the sampling error of n independent fresh samples, as far as that was known
    before they were opened (`core.statistics.intervals.effective_sample_size_at` for samples in groups)."""
    predicted = claim.predicted
    if not np.isfinite(predicted.low):
        return predicted
    value = predicted.value
    if claim.measure == "error rate":  # Newcombe 1998, Stat. Med. 17, method 10: Wilson's limits squared and added
        low, high = wilson_limits(value, n, quantile)
    else:
        reach = quantile * claim.spread / float(np.sqrt(n))
        low = value - reach
        high = value + reach
    below = np.hypot(value - predicted.low, value - low)
    above = np.hypot(predicted.high - value, high - value)
    floor = 0.0
    ceiling = 1.0
    if claim.measure == "mean loss":
        floor = min(0.0, float(diagnosed.fitted.min()))
        ceiling = np.inf
    return Estimate(value, max(floor, float(value - below)), min(ceiling, float(value + above)))


def row_of(
    claim: Claim, n: int, observed: Estimate | None, rest: float | None, diagnosed: Outcomes, groups: I64 | None = None
) -> PredictionRow:
    """What the claim predicts for n matching fresh samples beside what they show; without a p.

    Args:
        observed: in the claim's measure; None if nothing matches.
        rest: the same for the samples of its scope that do not match.
        groups: (n,) groups of the samples: the expected interval allows for samples of one group failing together, as
            much as they did in the run.
    """
    worth = float(n)
    quantile = 1.96
    expected = claim.predicted
    if n:
        if groups is not None:
            worth, quantile = effective_sample_size_at(groups, claim.likeness)
        expected = expected_of(claim, worth, diagnosed, quantile)
    wide = claim.measure == "error rate" and expected.high - expected.low > MAX_EXPECTED_WIDTH
    as_predicted = None
    if observed and n >= MIN_MATCHES and not wide:
        as_predicted = expected.low <= observed.value <= expected.high
    return PredictionRow(
        kind=claim.kind,
        text=claim.text,
        scope=claim.scope,
        n=n,
        predicted=claim.predicted,
        expected=expected,
        observed=observed,
        rest=rest,
        p=None,
        as_predicted=as_predicted,
        measure=claim.measure,
        not_tried=claim.not_tried,
    )


def worse_p(values: F64, groups: I64 | None, matching: Bool, inside: Bool, measure: Measure) -> float:
    """One-sided p for the matching samples failing more than the others of the scope. For errors, Fisher's exact test;
    for losses, the difference over its standard error against permutations, as the run tests it. Welch's t has the
    wrong level for few rows with heavy-tailed losses: docs/evidence/predictions.md, "The test of losses".

    If several samples share a group, whole groups are permuted instead; with fewer than MIN_GROUPS the p is 1.

    Args:
        values: (m,) in the measure. matching: (m,) within `inside`, the scope.

    Source: studentized permutations, Janssen 1997, Stat. Probab. Lett. 36(1). With many rows they also hold if the two
    sides have different variances.
    """
    from scipy import stats

    tested = values[inside].astype(np.float64)
    among = matching[inside]
    shared = groups_at(groups, inside)
    if shared is not None and len(np.unique(shared)) == len(tested):
        shared = None  # every group has one row: rows are exchangeable
    if shared is None and measure == "error rate":
        failing = (int(tested[among].sum()), int(tested[~among].sum()))
        count = (int(among.sum()), int((~among).sum()))
        table = [[failed, of - failed] for failed, of in zip(failing, count)]
        return float(stats.fisher_exact(table, alternative="greater").pvalue)  # type: ignore[union-attr]
    if np.ptp(tested) <= 0 or (shared is not None and len(np.unique(shared)) < MIN_GROUPS):
        return 1.0
    # centered first: summing squares of large losses would lose the small differences between them
    tested = tested - tested.mean()
    permuter = Permuter(np.zeros(len(tested), np.int64), shared)
    rng = np.random.default_rng(0)
    count = min(MAX_PERMUTATIONS, max(MIN_PERMUTATIONS, PERMUTED_VALUES // len(tested)))
    sizes = chunks(count, max(1, BATCH_VALUES // len(tested)))
    null = max_t(lambda way, size, rng: _excess(tested[way.draw(size, rng)], among, shared), permuter, rng, sizes)
    return permutation_p(float(_excess(tested[:, None], among, shared)[0]), null)


def _excess(values: F64, matching: Bool, groups: I64 | None) -> F64:
    """(p,) how much the matching rows of (n, p) values exceed the others, over its standard error."""
    sets = matching[None].astype(np.float64)
    ones = np.ones((1, 1))
    sums = (sets @ values, sets @ values**2, values.sum(0)[None], (values**2).sum(0)[None])
    terms = ()
    if groups is not None:
        terms = term_sums(sets, values, groups)
    return studentised_excess(sets.sum() * ones, len(values) * ones, *sums, *terms)[0]
