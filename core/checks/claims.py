"""What is said of fresh samples before their outcomes are looked at, and the figures that judge it: each in the
measure of its claim, error rate or mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.discovery.design import MIN_GROUPS
from core.records import F64, I64, UNDEFINED, Bool, Estimate, Measure, Outcomes, PredictionRow
from core.statistics.groups import term_sums
from core.statistics.intervals import effective_sample_size_at, wilson, wilson_limits
from core.statistics.max_t import chunks, max_t
from core.statistics.permutation import permutation_p, studentised_excess
from core.statistics.permuter import Permuter
from core.statistics.redraws import bootstrap_mean

MIN_MATCHES = 5
"""With fewer matching fresh samples a finding is shown and not judged."""
WIDEST = 0.7
"""An expected error rate that may lie anywhere in so wide an interval is not judged: hardly any observation could miss
it."""
PERMUTATIONS = 4999
FEWEST = 499
REDRAWN = 100_000_000
"""The most and fewest that are drawn; between these, rows times permutations stay below REDRAWN."""
CELLS = 2_000_000
"""Rows times permutations that are held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What is said of fresh samples before their outcomes are looked at."""

    kind: Any
    """As `PredictionRow.kind`."""
    text: str
    scope: str
    matching: Bool
    """(m,) the fresh samples that it speaks of."""
    measure: Measure
    predicted: Estimate
    """In that measure."""
    spread: float
    """Standard deviation of the diagnosed members' errors or losses."""
    likeness: float = 1.0
    """Correlation of those of one group, 0 to 1; 1 where the run could not tell."""
    not_tried: str | None = None
    """As `PredictionRow.not_tried`."""


def observed_of(values: F64, measure: Measure, groups: I64 | None) -> Estimate:
    """The mean of the values with its interval: Wilson's of single errors, else the bootstrap's, over whole groups."""
    if measure == "error rate" and (groups is None or len(np.unique(groups)) == len(groups)):
        return wilson(int(values.sum()), len(values))
    if len(values) < 2 or (groups is not None and len(np.unique(groups)) < MIN_MATCHES):
        return Estimate(float(values.mean()), UNDEFINED.low, UNDEFINED.high)
    return bootstrap_mean(values, groups, np.random.default_rng(0), repeats=400)


def expected_of(claim: Claim, n: float, diagnosed: Outcomes, quantile: float = 1.96) -> Estimate:
    """The predicted interval widened by the sampling error of n independent fresh samples, as far as it was known
    before they were opened (`core.statistics.intervals.effective_sample_size_at` of samples in groups)."""
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
    least, most = (0.0, 1.0) if claim.measure == "error rate" else (min(0.0, float(diagnosed.fitted.min())), np.inf)
    return Estimate(value, max(least, float(value - below)), min(most, float(value + above)))


def row_of(
    claim: Claim, n: int, observed: Estimate | None, rest: float | None, diagnosed: Outcomes, groups: I64 | None = None
) -> PredictionRow:
    """What the claim said of n matching fresh samples beside what they show; without a p.

    Args:
        observed: in the claim's measure; None where nothing matches.
        rest: the same of the samples of its scope that do not match.
        groups: (n,) those that the samples come in: what is expected knows that samples of one fail together, by as
            much as they did in the run.
    """
    worth, quantile = (float(n), 1.96) if groups is None or not n else effective_sample_size_at(groups, claim.likeness)
    expected = expected_of(claim, worth, diagnosed, quantile) if n else claim.predicted
    wide = claim.measure == "error rate" and expected.high - expected.low > WIDEST
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
        as_predicted=(
            expected.low <= observed.value <= expected.high if observed and n >= MIN_MATCHES and not wide else None
        ),
        measure=claim.measure,
        not_tried=claim.not_tried,
    )


def worse_p(values: F64, groups: I64 | None, matching: Bool, inside: Bool, measure: Measure) -> float:
    """One-sided p that the matching samples do no worse than the rest of the scope: Fisher's exact test of errors, and
    of losses the difference over its standard error, as the run tests it, against permutations. Of few rows beside many
    Welch's own t has another level where losses have a heavy tail: docs/evidence/predictions.md, "The test of losses".

    Where several samples share a group, whole groups are permuted instead; with fewer than MIN_GROUPS the p is 1.

    Args:
        values: (m,) in the measure. matching: (m,) within `inside`, the scope.

    Source: studentized permutations, Janssen 1997, Stat. Probab. Lett. 36(1), which also hold, of many rows, where the
    two sides vary by different amounts.
    """
    from scipy import stats

    own = values[inside].astype(np.float64)
    among = matching[inside]
    shared = None if groups is None or len(np.unique(groups[inside])) == len(own) else groups[inside]
    if shared is None and measure == "error rate":
        failing = (int(own[among].sum()), int(own[~among].sum()))
        count = (int(among.sum()), int((~among).sum()))
        table = [[failed, of - failed] for failed, of in zip(failing, count)]
        return float(stats.fisher_exact(table, alternative="greater").pvalue)  # type: ignore[union-attr]
    if np.ptp(own) <= 0 or (shared is not None and len(np.unique(shared)) < MIN_GROUPS):
        return 1.0
    own = own - own.mean()  # else little is left of small differences between large losses when squares are summed
    permuter = Permuter(np.zeros(len(own), np.int64), shared)
    rng = np.random.default_rng(0)
    count = min(PERMUTATIONS, max(FEWEST, REDRAWN // len(own)))
    sizes = chunks(count, max(1, CELLS // len(own)))
    null = max_t(lambda way, size, rng: _excess(own[way.draw(size, rng)], among, shared), permuter, rng, sizes)
    return permutation_p(float(_excess(own[:, None], among, shared)[0]), null)


def _excess(values: F64, matching: Bool, groups: I64 | None) -> F64:
    """(p,) by how much the matching rows of (n, p) values exceed the others, over its standard error."""
    sets = matching[None].astype(np.float64)
    one = np.ones((1, 1))
    sums = (sets @ values, sets @ values**2, values.sum(0)[None], (values**2).sum(0)[None])
    of_groups = () if groups is None else term_sums(sets, values, groups)
    return studentised_excess(sets.sum() * one, len(values) * one, *sums, *of_groups)[0]
