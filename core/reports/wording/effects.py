"""How much worse a finding is, in words: in the measure that was tested."""

from __future__ import annotations

from core.numbers import bracketed, interval, number, points, signed
from core.records import FailureCluster, Insight, Outcomes
from core.statistics.measures import in_shares, tested_effect


def effect_figure(found: FailureCluster | Insight, unit: str) -> tuple[str, str]:
    """Such as ("+28 points", "(+9 to +47)") of the error rate, or ("+0.41 nats", "(0.10 to 0.72)") of the loss."""
    effect = tested_effect(found)
    if in_shares(found):
        return points(effect.value, sign=True), bracketed(effect, points=True)
    return f"{signed(effect.value)} {unit}".strip(), bracketed(effect)


def loss_phrase(found: FailureCluster, digits: int, unit: str) -> str:
    """Such as "loss 0.41 nats above the rest (95% 0.10 to 0.72)"."""
    excess = found.excess_loss
    return f"loss {number(excess.value, digits)}{unit} above the rest (95% {interval(excess, digits=digits)})"


def other_measure(found: FailureCluster) -> str:
    """What a small p does not say where the interval of the other measure holds 0: "of the error rate; whether the mean
    loss is higher too is open". "" where both are sure, or nothing is."""
    of = "error rate"
    other = "mean loss"
    beside = found.excess_loss
    if not in_shares(found):
        of = "mean loss"
        other = "error rate"
        beside = found.error_difference
    sure = found.measure is not None and found.confirmed and tested_effect(found).low > 0
    if not sure or beside is None or not beside.low <= 0:
        return ""
    return f"of the {of}; whether the {other} is higher too is open"


def coverage_is(outcomes: Outcomes, confirmed: bool) -> str:
    """How a share of all failures was come by: by the corrected error rate of a confirmed set, else by counting."""
    return "corrected for the search" if confirmed and outcomes.errors is not None else "as observed"


def clipped_at(outcomes: Outcomes) -> str:
    """Such as ", losses above 3.41 counted as 3.41": a mean of clipped losses says so. "" where none is clipped."""
    clip = outcomes.clip
    return (
        "" if clip is None or not (outcomes.loss > clip).any() else f", losses above {clip:.3g} counted as {clip:.3g}"
    )
