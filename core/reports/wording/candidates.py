"""The second list: what is worth a look and no finding. One wording for the command line, the report and the page."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import count, digits_for, number, percent, with_unit
from core.records import EVERYTHING, Diagnosis, FailureCluster

WORTH_A_LOOK = "Worth a look"
NONE_LISTED = "Nothing else stands out enough to be worth a look."


def is_rated(diagnosis: Diagnosis) -> bool:
    """Whether it is known how likely each candidate is to be nothing."""
    return all(candidate.local_fdr is not None for candidate in diagnosis.candidates)


def candidates_sentence(diagnosis: Diagnosis) -> str:
    """What the list is and how much of it is nothing, such as "No findings: each of these 5 may be chance, and of five
    such lists ..."; `NONE_LISTED` for an empty list."""
    listed = diagnosis.candidates
    if not listed:
        return NONE_LISTED
    if not is_rated(diagnosis):
        return "No findings: each may be chance. Not tested, order only: what stands out most comes first."
    rates = [c.local_fdr for c in listed if c.local_fdr is not None]
    if len(listed) == 1:
        start = f"No finding: this one may be chance. Of ten such sets about {_tenths(10 * rates[0])}"
    else:
        start = f"No findings: each may be chance. Of these {len(listed)} about {_tenths(sum(rates))}"
    return f"{start} are nothing: {_why(rates)}."


def _tenths(expected: float) -> str:
    """A count with one decimal, without it where that is 0."""
    return number(expected, 0 if abs(expected - round(expected)) < 0.05 else 1)


def _why(rates: Sequence[float]) -> str:
    """Where the share that is nothing comes from: a set may be rare among shuffles and likely to be nothing still."""
    if sum(rates) > len(rates) / 2:
        return "most sets that stand out so little turned out to be nothing on planted data"
    return "so many of the sets that stand out as much turned out to be nothing on planted data"


def candidate_phrase(diagnosis: Diagnosis, candidate: FailureCluster) -> str:
    """One candidate, such as "38 samples of dog, 41% wrong as seen against 12% outside; 34 of 100 shuffles show one
    as strong; 70% likely to be nothing"."""
    where = count(candidate.size, "sample") + ("" if candidate.scope == EVERYTHING else f" of {candidate.scope}")
    seen = members_seen(diagnosis, candidate)
    return "; ".join(part for part in (f"{where}, {seen}", chance_phrase(candidate)) if part)


def members_seen(diagnosis: Diagnosis, candidate: FailureCluster) -> str:
    """Such as "41% wrong as seen against 12% outside": a count of the members, which flatters what was picked."""
    if candidate.error_rate is not None and candidate.error_outside is not None:
        return f"{percent(candidate.error_rate.value)} wrong as seen against {percent(candidate.error_outside)} outside"
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
    outside = candidate.mean_loss - candidate.excess_loss.value
    return f"mean loss {number(candidate.mean_loss, digits)}{unit} as seen against {number(outside, digits)} outside"


def chance_phrase(candidate: FailureCluster) -> str:
    """Such as "34 of 100 shuffles show one as strong; 70% likely to be nothing"; "" where that is not known."""
    if candidate.chance is None or candidate.local_fdr is None:
        return ""
    often = "fewer than 1" if candidate.chance < 0.005 else number(100 * candidate.chance, 0)
    return f"{often} of 100 shuffles show one as strong; {percent(candidate.local_fdr)} likely to be nothing"
