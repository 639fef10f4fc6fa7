"""Tags in plain sentences and lines."""

from __future__ import annotations

from core.checks.tags import TagFinding, TagReport
from core.numbers import count, number, p_value, percent, points, signed, with_interval
from core.records import Diagnosis

SHOWN = 12
"""Tags that are listed, unless all are asked for."""


def tag_sentence(report: TagReport, tag: TagFinding) -> str:
    """What one tag shows: its share among the failures and the others, lift, p, and what the wording does to it."""
    lift, share, overlap = (tag.spread(of) for of in ("lift", "share", "overlap"))
    said = (
        f"{tag.name}: {percent(tag.share)} of all carry it ({tag.size:,}), {percent(tag.among_failures)} of the "
        f"failures against {percent(tag.among_others)} of the rest; lift {with_interval(tag.lift)}"
    )
    if tag.measure == "mean loss" and tag.loss_difference is not None:  # what was the stronger is what is told
        said += f", mean loss {signed(tag.loss_difference.value)} over the others"
    elif tag.error_difference is not None:
        said += f", error rate {points(tag.error_difference.value, sign=True)} over the others"
    tested = "not tested" if tag.p is None else f"adjusted {p_value(tag.p)}"
    wording = (
        f"In {len(tag.wordings)} other wordings: lift {number(lift[0])} ({number(lift[1])} to {number(lift[2])}), "
        f"share {percent(share[1])} to {percent(share[2])}, {percent(overlap[0])} of its samples carry it there too"
    )
    return f"{said}; {tested}{'' if report.is_confirmed(tag) else ' (exploratory)'}. {wording}."


def tag_lines(diagnosis: Diagnosis, report: TagReport, most: int = SHOWN) -> list[str]:
    """What was found, the strongest tags, and what is to be known of them."""
    confirmed = [tag for tag in report.tags if report.is_confirmed(tag)]
    noun = diagnosis.samples.modality
    head = (
        f"{count(len(report.tags), 'tag')} on {count(len(report.carried), noun)}, of which {report.n_failures:,} are "
        f"failures ({report.failures}). "
    )
    if confirmed:
        head += f"More often among the failures than chance allows: {', '.join(tag.name for tag in confirmed)}."
    else:
        head += "No tag is more often among the failures than chance allows."
    lines = [head, *(f"  {tag_sentence(report, tag)}" for tag in report.tags[:most])]
    if len(report.tags) > most:
        lines.append(f"  {len(report.tags) - most:,} weaker tags are in the file that --out names.")
    return [*lines, *(f"Note: {note}" for note in report.notes)]
