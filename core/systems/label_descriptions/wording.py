"""Tags in plain sentences and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import bracketed, count, number, p_value, percent, points, signed, with_interval
from core.records import Diagnosis
from core.reports.wording.predictions import tried_sentence

if TYPE_CHECKING:
    from core.systems.label_descriptions.tagging import TagFinding, TagReport

SHOWN = 12
"""Tags that are listed, unless all are asked for."""


def headline(report: TagReport) -> str:
    """What the list of tags comes to: the strongest that is confirmed and the names of the others, or that none is."""
    first, *others = [tag for tag in report.tags if report.is_confirmed(tag)] or [None]
    if first is None:
        untested = all(tag.p is None for tag in report.tags)
        return "No tag could be tested." if untested else "No tag is confirmed."
    assert first.p is not None
    times = f"{number(first.lift.value)} times"
    loss = first.loss_difference
    expected = f"as often as expected by class ({number(first.lift.low)} to {number(first.lift.high)})"
    if first.measure == "mean loss" and loss is not None:  # the p is of this
        said = f"Samples with “{first.name}” have a mean loss {with_interval(loss)} above the others"
        said += f", and failures carry it {times} {expected}"
    else:
        said = f"Failures carry “{first.name}” {times} {expected}"
    said += f"; {adjusted(first)}; {wordings_clause(first)}."
    if others:
        said += f" Confirmed too: {', '.join(tag.name for tag in others if tag is not None)}."
    return said


def adjusted(tag: TagFinding) -> str:
    """Such as "adjusted p = 0.003 of the mean loss": the lift beside it is of failures, and may be open where the loss
    is not."""
    of = f" of the {tag.measure}" if tag.measure else ""
    return f"adjusted {p_value(tag.p)}{of}"


def wordings_clause(tag: TagFinding) -> str:
    """ "holds in 13 of 14 other wordings": the lift lies on the same side of 1; or that the tag is counted."""
    if tag.counted:
        return "counted, so no wording changes it"
    return f"holds in {tag.agreeing} of {count(len(tag.wordings), 'other wording')}"


def tag_sentence(report: TagReport, tag: TagFinding) -> str:
    """What one tag shows: its share among the failures and the others, lift, p, and what the wording does to it."""
    lift, share, overlap = (tag.spread(of) for of in ("lift", "share", "overlap"))
    said = (
        f"{tag.name}: {percent(tag.share)} of all carry it ({tag.size:,}), {percent(tag.among_failures)} of the "
        f"failures against {percent(tag.among_others)} of the others; lift {with_interval(tag.lift)}"
    )
    if tag.measure == "mean loss" and tag.loss_difference is not None:  # what was the stronger is what is told
        said += f", mean loss {signed(tag.loss_difference.value)} {bracketed(tag.loss_difference)} over the others"
    elif tag.error_difference is not None:
        worse = tag.error_difference
        said += f", error rate {points(worse.value, sign=True)} {bracketed(worse, points=True)} over the others"
    tested = "not tested" if tag.p is None else adjusted(tag)
    wording = (
        f"In {len(tag.wordings)} other wordings: lift {number(lift[0])} ({number(lift[1])} to {number(lift[2])}), "
        f"share {percent(share[1])} to {percent(share[2])}, {percent(overlap[0])} of its samples carry it there too"
    )
    if tag.counted:
        wording = "Counted, so no wording changes it"
    return f"{said}; {tested}{'' if report.is_confirmed(tag) else ' (exploratory)'}. {wording}."


def tag_lines(diagnosis: Diagnosis, report: TagReport, most: int = SHOWN) -> list[str]:
    """What was found, the strongest tags, and what is to be known of them."""
    noun = diagnosis.samples.modality
    head = (
        f"{count(len(report.tags), 'tag')} on {count(len(report.carried), noun)}, of which {report.n_failures:,} are "
        f"failures ({report.failures})."
    )
    lines = [headline(report), head, *(f"  {tag_sentence(report, tag)}" for tag in report.tags[:most])]
    if len(report.tags) > most:
        lines.append(f"  {len(report.tags) - most:,} weaker tags are in the file that --out names.")
    return [*lines, *(f"Note: {note}" for note in (*report.notes, tried_sentence(diagnosis.prediction)) if note)]
