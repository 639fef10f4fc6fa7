"""Tags in plain sentences and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import count, interval, number, p_value, percent, points, signed
from core.records import Diagnosis
from core.reports.wording.effects import CI, with_ci
from core.reports.wording.predictions import tried_sentence

if TYPE_CHECKING:
    from core.systems.label_descriptions.tagging import TagFinding, TagReport

SHOWN_TAGS = 12
"""Tags that the terminal lists without --all."""


def headline(report: TagReport) -> str:
    """The strongest confirmed tag and the names of the others; or that no tag is confirmed."""
    confirmed = [tag for tag in report.tags if report.is_confirmed(tag)]
    if not confirmed:
        untested = all(tag.p is None for tag in report.tags)
        return "No tag could be tested." if untested else "No tag is confirmed."
    first = confirmed[0]
    text = (
        f"Failures carry “{first.name}” {number(first.lift.value)} times as often as their classes explain "
        f"{with_ci(first.lift)}"
    )
    if _is_of_loss_alone(first):
        text = (
            f"Failures are not shown to carry “{first.name}” more often than their classes explain: "
            f"{number(first.lift.value)} times {with_ci(first.lift)}"
        )
    loss = first.loss_difference
    if first.measure == "mean loss" and loss is not None:  # the p-value is of the loss, not of the lift
        text += f". Its samples have a mean loss {number(loss.value)} above the others {with_ci(loss)}"
    text += f"; {adjusted(first)}. {wordings_sentence(first)}"
    more_often = [tag.name for tag in confirmed[1:] if not _is_of_loss_alone(tag)]
    if more_often:
        text += f" Also confirmed: {', '.join(more_often)}."
    of_loss = [tag.name for tag in confirmed[1:] if _is_of_loss_alone(tag)]
    if of_loss:
        text += f" Confirmed for mean loss only: {', '.join(of_loss)}."
    return text


def _is_of_loss_alone(tag: TagFinding) -> bool:
    """Whether the test was of the mean loss, and a lift above 1 is not shown."""
    return tag.measure == "mean loss" and not tag.lift.low > 1


def adjusted(tag: TagFinding) -> str:
    """The p-value with its measure, "adjusted p = 0.003 (mean loss)": the lift beside it is of failures, and its
    interval may hold 1 where the loss is surely higher."""
    if tag.p is None:
        return "not tested"
    measure = f" ({tag.measure})" if tag.measure else ""
    return f"adjusted {p_value(tag.p)}{measure}"


def wordings_sentence(tag: TagFinding) -> str:
    """How many wordings have a lift on the same side of 1; or that the tag is counted."""
    if tag.counted:
        return "It is counted, so wordings do not change it."
    return f"{tag.agreeing} of {count(len(tag.wordings), 'other wording')} agree."


def tag_sentence(report: TagReport, tag: TagFinding) -> str:
    """One tag: its share of all samples, of failures and of the others; lift, p-value, and range over wordings."""
    test = adjusted(tag)
    if tag.p is not None and not report.is_confirmed(tag):
        test = f"not confirmed, {test}"
    text = (
        f"{tag.name}: {tag.size:,} of {len(report.carried):,} ({percent(tag.share)}), {percent(tag.among_failures)} "
        f"of failures, {percent(tag.among_others)} of the others. Lift {number(tag.lift.value)} {with_ci(tag.lift)}"
    )
    loss = tag.loss_difference
    worse = tag.error_difference
    if tag.measure == "mean loss" and loss is not None:  # only the measure that the p-value is of
        text += f", mean loss {signed(loss.value)} {with_ci(loss)}"
    elif worse is not None:
        text += f", error rate {points(worse.value, sign=True)} ({CI} {interval(worse, points=True)})"
    text += f"; {test}. "
    if tag.counted:
        return text + wordings_sentence(tag)
    mean_lift, min_lift, max_lift = tag.spread("lift")
    _, min_share, max_share = tag.spread("share")
    mean_overlap = tag.spread("overlap")[0]
    return text + (
        f"In {len(tag.wordings)} other wordings: lift {number(mean_lift)} ({number(min_lift)} to {number(max_lift)}), "
        f"share {percent(min_share)} to {percent(max_share)}, {percent(mean_overlap)} of its samples in common."
    )


def tag_lines(diagnosis: Diagnosis, report: TagReport, most: int = SHOWN_TAGS) -> list[str]:
    """The headline, the strongest tags, and the notes.

    Args:
        most: tags to list.
    """
    noun = diagnosis.samples.modality
    lines = [
        headline(report),
        f"Errata tagged {count(len(report.carried), noun)} with {count(len(report.tags), 'tag')}; "
        f"{report.n_failures:,} are failures ({report.failures}).",
    ]
    lines += [f"  {tag_sentence(report, tag)}" for tag in report.tags[:most]]
    if len(report.tags) > most:
        lines.append(f"  {count(len(report.tags) - most, 'weaker tag')} not shown. Use --all.")
    notes = (*report.notes, tried_sentence(diagnosis.prediction))
    return [*lines, *(f"Note: {note}" for note in notes if note)]
