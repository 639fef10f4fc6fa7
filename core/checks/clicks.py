"""Thirty clicks: a random strip of a cluster and of its controls, a person's yes or no to one sentence, and how much of
the cluster it describes.

The strip is drawn at random and shown in random order, so the person cannot see which pictures belong to the cluster.
From the answers alone comes a Wilson interval; with the phrase score of every member as a predictor comes a
prediction-powered one, which is narrower where the score tells yes from no (Angelopoulos et al. 2023, Science 382;
PPI++, arXiv 2311.01453).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from core.errors import InvalidInput
from core.records import F64, I64, Bool, Estimate
from core.statistics.intervals import UNDEFINED

LEVEL = 0.95
MIN_CLICKS = 15
"""Answers from the cluster below which the predictor's help cannot be judged."""
MIN_OF_EACH = 3
"""Yes answers, and no answers, from the cluster below which it cannot be judged either."""
_CAUTION = 2.0
"""The score's help is judged as if this many more clicks had shown none."""
_SLOPE_SPREAD = 2.0
"""Standard deviation of the slope's prior, in log odds for one standard deviation of the score."""
_INTERCEPT_SPREAD = 4.0
_NEWTON_STEPS = 12

Method = Literal["whole cluster", "clicks", "prediction-powered", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Rows to show, in this order; the person must not see `is_member`."""

    rows: I64
    is_member: Bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the answers say. A share that no answer speaks of is nan."""

    share: Estimate
    """Share of the cluster that matches the sentence: the one to show."""
    method: Method
    reason: str
    """Why this one, in a sentence."""
    clicks: Estimate
    """The same share from the cluster's answers alone: Wilson, with the correction for a finite population."""
    predicted: Estimate | None
    """The same share with the phrase score's help; None where there are too few answers of either kind."""
    weight: float | None
    """The tuned lambda of PPI++: 0 ignores the score, 1 trusts it."""
    control: Estimate
    """Share of the rest of the scope that matches."""
    difference: Estimate
    """Cluster minus control, from the answers alone (Newcombe)."""
    balanced_accuracy: Estimate
    """How far the answers tell the cluster from the rest: 0.5 is chance, 1 is a sentence that holds for the cluster and
    nowhere else."""
    n_cluster: int
    n_control: int
    """Answers counted."""
    n_skipped: int
    notes: tuple[str, ...] = ()


def draw_strip(
    members: Bool, scope: Bool, n_cluster: int = 20, n_control: int = 10, *, seed: int = 0, groups: I64 | None = None
) -> Strip:
    """Random members and random others of the scope, shuffled together.

    Args:
        members: (n,) the cluster; only its rows within the scope are drawn.
        scope: (n,) the rows that the cluster was found among.
        groups: (n,) group numbers; a group gives a second row only once every group has given one. Large groups are
            then a little less often seen than their size asks.

    Returns:
        The strip; where there are fewer rows than asked, all there are, and a note.

    Raises:
        InvalidInput: arrays of different lengths, counts out of range, or no member within the scope.
    """
    if members.shape != scope.shape or members.ndim != 1 or (groups is not None and groups.shape != members.shape):
        raise InvalidInput(
            f"members, scope and groups must be (n,) arrays of one length: got {members.shape} and {scope.shape}. "
            "Pass one mask a row."
        )
    if n_cluster < 1 or n_control < 0:
        raise InvalidInput(
            f"A strip shows at least 1 picture of the cluster and 0 of the rest: got {n_cluster} and "
            f"{n_control}. Ask for more."
        )
    inside, outside = np.flatnonzero(members & scope), np.flatnonzero(scope & ~members)
    if not len(inside):
        raise InvalidInput("A strip needs a member of the cluster within its scope: got none. Pick another cluster.")
    rng = np.random.default_rng(seed)
    drawn = [_draw(pool, wanted, groups, rng) for pool, wanted in ((inside, n_cluster), (outside, n_control))]
    notes = tuple(
        f"{len(rows)} pictures of {who} instead of {wanted}: there are no more."
        for rows, wanted, who in zip(drawn, (n_cluster, n_control), ("the cluster", "the rest of its scope"))
        if len(rows) < wanted
    )
    rows = np.concatenate(drawn)
    order = rng.permutation(len(rows))
    return Strip(rows[order], np.arange(len(rows))[order] < len(drawn[0]), notes)


def _draw(pool: I64, wanted: int, groups: I64 | None, rng: np.random.Generator) -> I64:
    rows = rng.permutation(pool)
    if groups is not None:
        first = np.zeros(len(rows), bool)
        first[np.unique(groups[rows], return_index=True)[1]] = True
        rows = np.concatenate([rows[first], rows[~first]])
    return rows[:wanted]


def judge(strip: Strip, answers: Sequence[bool | None], score: F64, members: Bool, scope: Bool) -> Judgement:
    """What a person's answers say of the cluster.

    Args:
        strip: as `draw_strip` gave it.
        answers: one for each row of the strip, in its order: yes, no, or None for skipped. Skipped rows are left out,
            as if never drawn.
        score: (n,) finite phrase score of every row, made without the answers.
        members, scope: (n,) as given to `draw_strip`.

    Returns:
        The share of the cluster that matches, with a 95 % interval. The prediction-powered interval is shown only where
        there are at least 15 answers from the cluster, 3 of each kind, and it is no wider than Wilson's; where every
        member was answered the share is known.

    Raises:
        InvalidInput: lengths that do not match, or a score that is not finite within the scope.

    Source: Wilson 1927; Newcombe 1998 (Stat. Med. 17, method 10); PPI++ (Angelopoulos, Duchi, Zrnic 2023). Ours: the
    population is the finite
        cluster, so the estimate is the regression estimator of survey sampling (Cochran 1977, ch. 7); the map from
        score to answer is fitted without the row that it is used on (as in cross-prediction, Zrnic and Candès 2024);
        and the interval is Wilson's for the effective number of clicks, which keeps its coverage near 0 and 1.
    """
    _check(strip, answers, score, members, scope)
    given = np.array([a is not None for a in answers], bool)
    yes = np.array([a is True for a in answers], bool)[given]
    rows, is_member = strip.rows[given], strip.is_member[given]
    inside, outside = np.flatnonzero(members & scope), np.flatnonzero(scope & ~members)
    clicks = finite_share(yes[is_member], len(inside))
    control = finite_share(yes[~is_member], len(outside))
    difference = _newcombe(clicks, control)
    predicted, weight = _prediction_powered(score, rows, yes, is_member, inside)
    share, method, reason = _shown(clicks, predicted, int(is_member.sum()), len(inside), yes[is_member])
    skipped = len(given) - int(given.sum())
    notes = (*strip.notes, f"{skipped} skipped and left out.") if skipped else strip.notes
    accuracy = Estimate(*((1 + x) / 2 for x in (difference.value, difference.low, difference.high)))
    return Judgement(
        share,
        method,
        reason,
        clicks,
        predicted,
        weight,
        control,
        difference,
        accuracy,
        int(is_member.sum()),
        int((~is_member).sum()),
        skipped,
        notes,
    )


def _check(strip: Strip, answers: Sequence[bool | None], score: F64, members: Bool, scope: Bool) -> None:
    if len(answers) != len(strip):
        raise InvalidInput(
            f"A strip of {len(strip)} pictures needs as many answers (None for skipped): got {len(answers)}. "
            "Answer or skip each."
        )
    if not score.shape == members.shape == scope.shape:
        raise InvalidInput(
            f"score, members and scope must be (n,) arrays of one length: got {score.shape}, "
            f"{members.shape} and {scope.shape}."
        )
    if len(strip) and (strip.rows.max() >= len(score) or (members[strip.rows] != strip.is_member).any()):
        raise InvalidInput("The strip was drawn from another cluster than `members` says. Draw a new strip.")
    if not np.isfinite(score[scope]).all():
        raise InvalidInput(
            "The phrase score must be finite for every row of the scope. "
            "Score the rows that lack it, or leave them out of the scope."
        )


def _shown(
    clicks: Estimate, predicted: Estimate | None, n: int, n_members: int, yes: Bool
) -> tuple[Estimate, Method, str]:
    if not n:
        return UNDEFINED, "none", "No picture of the cluster was answered."
    if n == n_members:
        return clicks, "whole cluster", f"All {n} pictures of the cluster were answered, so the share is known."
    if predicted is None:
        why = f"{n} answers with {int(yes.sum())} yes"
        return (
            clicks,
            "clicks",
            f"From the answers alone: {why} are too few of one kind to judge what the phrase score adds.",
        )
    if predicted.high - predicted.low > clicks.high - clicks.low:
        return (
            clicks,
            "clicks",
            "From the answers alone: the phrase score does not tell yes from no well enough to help.",
        )
    narrower = 1 - (predicted.high - predicted.low) / (clicks.high - clicks.low)
    return (
        predicted,
        "prediction-powered",
        f"With the phrase score of all {n_members:,} members: {narrower:.0%} narrower than from the answers alone.",
    )


# ---- intervals


def finite_share(yes: Bool, n_population: int) -> Estimate:
    """The share of a finite population that a random part of it, `yes` (n,), speaks for; nan without answers.

    Wilson's interval for n (N - 1) / (N - n) clicks, and never beyond what the answers already settle (k yes among N is
    at least k / N).
    """
    n, k = len(yes), int(yes.sum())
    if not n:
        return UNDEFINED
    share = k / n
    if n >= n_population:
        return Estimate(share, share, share)
    low, high = _wilson(share, n * (n_population - 1) / (n_population - n))
    return Estimate(share, max(low, k / n_population), min(high, 1 - (n - k) / n_population))


def _wilson(share: float, n: float, quantile: float | None = None) -> tuple[float, float]:
    """Wilson's limits for a number of clicks that need not be whole; `quantile` in the place of the normal one."""
    z2 = (float(stats.norm.ppf((1 + LEVEL) / 2)) if quantile is None else quantile) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = float(np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2)))) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def _newcombe(one: Estimate, other: Estimate) -> Estimate:
    below = np.hypot(one.value - one.low, other.high - other.value)
    above = np.hypot(one.high - one.value, other.value - other.low)
    value = one.value - other.value
    return Estimate(value, float(value - below), float(value + above))


# ---- prediction-powered


def _prediction_powered(
    score: F64, rows: I64, yes: Bool, is_member: Bool, inside: I64
) -> tuple[Estimate | None, float | None]:
    """The share with the score's help and the tuned weight.

    Each of the n answered members has an excess: what the map fitted without it says of it, minus the mean of that map
    over all members.
    """
    y = yes[is_member].astype(np.float64)
    n, population, k = len(y), len(inside), int(y.sum())
    if n < MIN_CLICKS or min(k, n - k) < MIN_OF_EACH or n >= population:
        return None, None
    spread = float(score[inside].std())
    scaled = (score - score[inside].mean()) / (spread if spread > 0 else 1.0)
    intercepts, slopes = _maps_without_each(scaled[rows], yes.astype(np.float64), np.flatnonzero(is_member))
    own = _sigmoid(intercepts + slopes * scaled[rows[is_member]])
    excess = own - _sigmoid(intercepts[:, None] + slopes[:, None] * scaled[inside]).mean(1)  # (n,)
    variance = float(excess.var())
    weight = (
        float(np.clip(np.mean((y - y.mean()) * (excess - excess.mean())) / variance, 0.0, 1.0))
        if variance > 1e-12
        else 0.0
    )
    value = float(np.clip((y - weight * excess).mean(), k / population, 1 - (n - k) / population))
    residual = float((y - weight * excess).var()) * n / (n - 2)  # two degrees go to the mean and the weight
    plain = float(y.var()) * n / (n - 1)
    gain = (n + _CAUTION) * plain / (n * residual + _CAUTION * plain)
    low, high = _wilson(
        value, n * gain * (population - 1) / (population - n), float(stats.t.ppf((1 + LEVEL) / 2, n - 2))
    )
    return Estimate(
        value, min(value, max(low, k / population)), max(value, min(high, 1 - (n - k) / population))
    ), weight


def _maps_without_each(x: F64, y: F64, left_out: I64) -> tuple[F64, F64]:
    """Intercepts and slopes of logistic maps from x to y, one for each row left out; Newton's method with a normal
    prior, all fits at once."""
    weights = np.ones((len(left_out), len(x)))
    weights[np.arange(len(left_out)), left_out] = 0.0
    a, b = np.zeros((2, len(left_out)))
    for _ in range(_NEWTON_STEPS):
        p = _sigmoid(a[:, None] + b[:, None] * x)
        slack, curve = weights * (y - p), weights * p * (1 - p)
        gradient_a = slack.sum(1) - a / _INTERCEPT_SPREAD**2
        gradient_b = slack @ x - b / _SLOPE_SPREAD**2
        aa, ab, bb = curve.sum(1) + _INTERCEPT_SPREAD**-2, curve @ x, curve @ x**2 + _SLOPE_SPREAD**-2
        determinant = aa * bb - ab**2
        a = a + np.clip((bb * gradient_a - ab * gradient_b) / determinant, -2, 2)
        b = b + np.clip((aa * gradient_b - ab * gradient_a) / determinant, -2, 2)
    return a, b


def _sigmoid(x: F64) -> F64:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))
