"""How much worse a finding is: counts, rates and losses as every view writes them."""

from __future__ import annotations

import math

from core.language.titles import Subject
from core.numbers import bracketed, digits_for, interval, number, p_value, percent, points, signed, with_unit
from core.records import EVERYTHING, Bool, Diagnosis, Estimate, FailureCluster, Insight, Outcomes
from core.statistics.counts import n_wrong
from core.statistics.measures import in_shares, tested_effect

CI = "95% CI"


def class_noun(diagnosis: Diagnosis, name: str) -> str:
    """Samples of a class: of images in the plural, such as "birds", else the class's name; of several classes that are
    searched as one "samples of bus, car and 2 more"."""
    if name not in diagnosis.samples.class_names:
        return f"samples of {name}"
    return Subject(name, diagnosis.samples.modality).who


def others_of(diagnosis: Diagnosis, scope: str) -> str:
    """What a finding is compared with: "the others", or "other birds" within the class bird."""
    if scope == EVERYTHING:
        return "the others"
    if scope not in diagnosis.samples.class_names:
        return f"the others of {scope}"
    who = class_noun(diagnosis, scope)
    if diagnosis.samples.modality == "image":
        return f"other {who}"
    return f"the others in {who}"


def rate_against(diagnosis: Diagnosis, members: Bool, rate_others: float | None, scope: str) -> str:
    """Errors counted among the members beside the rate of the others: "wrong on 65 of 192 (34%), 10% of the others".

    Args:
        diagnosis: a run whose errors are known.
        members: (n,) rows that are counted.
        rate_others: error rate of the rest of the scope.
        scope: "all samples" or a class.
    """
    wrong = n_wrong(diagnosis, members)
    n = int(members.sum())
    counted = f"wrong on {wrong:,} of {n:,} ({percent(wrong / n if n else None)})"
    if rate_others is None:
        return counted
    return f"{counted}, {percent(rate_others)} of {others_of(diagnosis, scope)}"


def loss_against(diagnosis: Diagnosis, mean: float, n: int, mean_others: float | None, scope: str) -> str:
    """Mean losses, such as "mean loss 0.65 nats on 192, 0.30 for the others"."""
    digits = digits_for(diagnosis.outcomes.loss)
    text = f"mean loss {number(mean, digits)}{with_unit(diagnosis)} on {n:,}"
    if mean_others is None:
        return text
    return f"{text}, {number(mean_others, digits)} for {others_of(diagnosis, scope)}"


def status(confirmed: bool, p: float | None, measure: str | None, *, has_errors: bool) -> str:
    """How sure a finding is: "adjusted p = 0.002 (mean loss)", "could be chance" or "not tested".

    Args:
        confirmed: whether the finding passed its test.
        p: adjusted for everything that was searched; None where nothing was tested.
        measure: what was tested; named where errors are known and the test was of the loss.
        has_errors: whether errors are known.
    """
    if p is None and not confirmed:
        return "not tested"
    text = f"adjusted {p_value(p)}"
    if has_errors and measure == "mean loss":
        text = f"{text} (mean loss)"
    if confirmed:
        return text
    return f"not confirmed, could be chance; {text}"


def with_ci(estimate: Estimate, *, share: bool = False, digits: int | None = None) -> str:
    """The interval in brackets, such as "(95% CI 31 to 40%)"."""
    return f"({CI} {interval(estimate, share=share, digits=digits)})"


def effect_figure(finding: FailureCluster | Insight, unit: str) -> tuple[str, str]:
    """The tested difference and its interval, such as ("+28 points", "(+9 to +47)") or ("+0.41 nats", "(0.10 to
    0.72)")."""
    effect = tested_effect(finding)
    if in_shares(finding):
        return points(effect.value, sign=True), bracketed(effect, points=True)
    return f"{signed(effect.value)} {unit}".strip(), bracketed(effect)


def loss_phrase(cluster: FailureCluster, digits: int, unit: str) -> str:
    """Such as "mean loss 0.41 nats above the others (95% CI 0.10 to 0.72)"; of a loss that is the 0/1 error, "error
    rate 41 points above the others (95% CI +10 to +72)"."""
    excess = cluster.excess_loss
    side = "below" if excess.value < 0 else "above"
    if cluster.error_difference == excess:
        ends = f"({CI} {interval(excess, points=True)})"
        return f"error rate {points(abs(excess.value))} {side} the others {ends}"
    amount = f"{number(abs(excess.value), digits)}{unit}"
    return f"mean loss {amount} {side} the others {with_ci(excess, digits=digits)}"


def other_measure(cluster: FailureCluster) -> str:
    """What the p-value leaves open where the interval of the other measure holds 0; "" where both are sure, or
    nothing is."""
    tested = "error rate"
    untested = "mean loss"
    beside: Estimate | None = cluster.excess_loss
    if not in_shares(cluster):
        tested, untested = untested, tested
        beside = cluster.error_difference
    is_sure = cluster.measure is not None and cluster.confirmed and tested_effect(cluster).low > 0
    if not is_sure or beside is None or not beside.low <= 0:
        return ""
    return f"The test is of the {tested}; a higher {untested} is not shown."


def coverage_is(outcomes: Outcomes, confirmed: bool) -> str:
    """Where a share of all errors comes from: the corrected error rate of a confirmed group, else a count."""
    if confirmed and outcomes.errors is not None:
        return "corrected for the search"
    return "counted"


def coverage_text(diagnosis: Diagnosis, share: Estimate, scope: str, *, confirmed: bool) -> str:
    """Such as "About 47% of all errors (corrected for the search)."; "" where there are none to take a share of."""
    if not math.isfinite(share.value):
        return ""
    kind = "errors" if diagnosis.outcomes.errors is not None else "loss above the mean"
    of = f"all {kind}" if scope == EVERYTHING else f"the {kind} in {scope}"
    return f"About {percent(share.value)} of {of} ({coverage_is(diagnosis.outcomes, confirmed)})."
