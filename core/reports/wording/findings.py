"""One plain sentence for each finding, and what a group is called: the wording of the command line, the report and the
page."""

from __future__ import annotations

import math

from core.discovery.called import cluster_name
from core.language.titles import NO_CAUSE, Subject, capital
from core.numbers import digits_for, interval, listed, number, percent, plural, points, with_unit
from core.records import EVERYTHING, Diagnosis, FailureCluster, Insight
from core.reports.wording.competence import competence_sentence
from core.reports.wording.effects import CI, class_noun, coverage_text, loss_against, rate_against, status
from core.statistics.counts import mean_losses, n_wrong
from core.statistics.measures import default_measure, has_wrong, in_shares

THESE = "these patches"
"""Title of samples that only a visual word describes."""
MAX_PROXIES = 4
"""Equivalent conditions that a sentence names; the rest are counted."""
MAX_NAMED_ROWS = 500
"""Rows by which it is judged whether each sample has an image of its own."""


def sentence(diagnosis: Diagnosis, insight: Insight, *, proxies: bool = True) -> str:
    """Everything that is known of one finding: rates, how sure, the share of errors, how well the words fit.

    Args:
        diagnosis: the run that it is of.
        insight: one of `diagnosis.insights`.
        proxies: False leaves out equivalent phrases and conditions.
    """
    brief = f"{subject(diagnosis, insight)}: {figures(diagnosis, insight)}."
    return " ".join([brief, *details(diagnosis, insight, proxies=proxies)])


def subject(diagnosis: Diagnosis, insight: Insight) -> str:
    """The samples that a finding is about, such as 'Images like "far away"' or "Birds with light = dark"."""
    what = name_of(insight)
    if insight.kind == "condition":
        what = f"with {what}"
    who = f"{sample_noun(diagnosis)}s" if insight.scope == EVERYTHING else class_noun(diagnosis, insight.scope)
    return f"{capital(who)} {what}"


def name_of(insight: Insight) -> str:
    """The phrase or condition, such as 'like "in the dark"' or "weather = fog"."""
    if insight.kind == "phrase":
        return f'like "{insight.text}"'
    return insight.text


def figures(diagnosis: Diagnosis, insight: Insight) -> str:
    """Rate or loss of a finding's samples beside the others', and how sure: "91 of 336 wrong (27%), 8% of the others;
    adjusted p < 0.001 (mean loss)"."""
    inside = insight.error_inside
    outside = insight.error_outside
    if inside is None or outside is None:
        mean, mean_others = mean_losses(diagnosis, insight.mask, insight.scope)
        loss = loss_against(diagnosis, mean, insight.size, mean_others, insight.scope)
        return f"{loss}; {status(insight.confirmed, insight.p, insight.measure, has_errors=False)}"
    rate = rate_against(diagnosis, insight.mask, outside, insight.scope)
    sure = status(insight.confirmed, insight.p, insight.measure, has_errors=True)
    if insight.confirmed and insight.measure == "mean loss" and inside <= outside:
        # a finding of the loss may be wrong less often than the others: then the loss comes first
        mean, mean_others = mean_losses(diagnosis, insight.mask, insight.scope)
        rate = f"{loss_against(diagnosis, mean, insight.size, mean_others, insight.scope)}; {rate}"
    return f"{rate}; {sure}"


def details(diagnosis: Diagnosis, insight: Insight, *, proxies: bool = True) -> list[str]:
    """What else is known of a finding, a sentence each: the gap that the search leaves, the share of errors, how well
    the words fit, and with `proxies` equivalent phrases and conditions."""
    parts = [
        _gap(diagnosis, insight),
        _coverage(diagnosis, insight),
        _retrieval(diagnosis, insight),
        competence_sentence(diagnosis.words, insight.number),
        _measured(insight),
        _equivalent(insight) if proxies else "",
        _source(diagnosis, insight),
    ]
    return [part for part in parts if part]


def sample_noun(diagnosis: Diagnosis) -> str:
    """The modality, such as "image"; "sample" without items, or where several rows share one, as with several labels or
    masks by class."""
    images = diagnosis.samples.items
    if images is None:
        return "sample"
    first = [images.name(row) for row in range(min(len(images), MAX_NAMED_ROWS))]
    if len(set(first)) < len(first):
        return "sample"
    return diagnosis.samples.modality


def _source(diagnosis: Diagnosis, insight: Insight) -> str:
    """Who proposed a phrase, and what it was tested on."""
    if not insight.source:
        return ""
    return f"Proposed by {insight.source}, and tested on {sample_noun(diagnosis)}s that the proposer was not shown."


def _gap(diagnosis: Diagnosis, insight: Insight) -> str:
    """Such as "The gap is 45 points, corrected for the search (95% CI 21 to 70)."; of a confirmed finding alone, the
    others' gap is what is counted."""
    has_errors = insight.error_inside is not None and insight.error_outside is not None
    shares = has_errors and not (insight.confirmed and insight.measure == "mean loss")
    difference = insight.effect
    if shares:
        difference = insight.error_difference
    if not insight.confirmed or difference is None or not math.isfinite(difference.value):
        return ""
    if shares:
        value = points(difference.value)
        ends = interval(difference, points=True)
    else:
        digits = digits_for(diagnosis.outcomes.loss)
        value = f"{number(difference.value, digits)}{with_unit(diagnosis)}"
        ends = interval(difference, digits=digits)
    text = f"The gap is {value}, corrected for the {'proposals' if insight.source else 'search'}"
    if not math.isfinite(difference.low):
        return f"{text}."
    # the interval holds for every finding at once, the p for the best of all
    if difference.low <= 0:
        return f"{text} ({CI} {ends}; its size is open)."
    return f"{text} ({CI} {ends})."


def _coverage(diagnosis: Diagnosis, insight: Insight) -> str:
    if insight.coverage is None:
        return ""
    return coverage_text(diagnosis, insight.coverage, insight.scope, confirmed=insight.confirmed)


def _retrieval(diagnosis: Diagnosis, insight: Insight) -> str:
    if insight.held_out is not None:
        return (
            f"{_inside(diagnosis, insight)}; held-out AUROC {number(insight.held_out.value, 2)} "
            f"({CI} {interval(insight.held_out)})."
        )
    if insight.retrieval is None:
        return ""
    what = "the selection" if insight.cluster is None else "the group"
    return f"Finds {what} with AUROC {number(insight.retrieval, 2)} on the rows it was chosen on."


def _inside(diagnosis: Diagnosis, insight: Insight) -> str:
    """How many of a phrase's samples lie in the group that it describes: the two are not one set."""
    cluster = next((c for c in diagnosis.clusters if c.id == insight.cluster), None)
    if cluster is None:
        return "No confirmed group is described"
    inside = int((insight.mask & (cluster.membership >= 0.5)).sum())
    return f"{inside:,} of these {insight.size:,} are in the group of {cluster.size:,}"


def overlap(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Such as "16 of these 42 are also in group 1.", for the higher-ranked group that shares most; "" where none
    does."""
    members = cluster.membership >= 0.5
    shared = [(int((members & (c.membership >= 0.5)).sum()), -c.id) for c in diagnosis.clusters if c.id < cluster.id]
    most, negative_id = max(shared, default=(0, 0))
    if not most:
        return ""
    return f"{most:,} of these {cluster.size:,} are also in group {1 - negative_id}."


def _measured(insight: Insight) -> str:
    """Such as "Better matches have lower brightness (rank correlation −0.81)."."""
    if not insight.measured:
        return ""
    parts = list[str]()
    measure = "rank correlation "  # the first figure says what it is
    for name, rho in insight.measured:
        direction = "higher" if rho > 0 else "lower"
        parts.append(f"{direction} {name} ({measure}{number(rho, 2)})")
        measure = ""
    return f"Better matches have {' and '.join(parts)}."


def _equivalent(insight: Insight) -> str:
    names = list[str]()
    for text in insight.proxies:
        if insight.kind == "phrase" and "(" not in text:
            text = f'"{text}"'
        names.append(text)
    if not names:
        return ""
    kind = plural(len(names), insight.kind, f"{insight.kind}s")
    return f"Equivalent {kind}: {listed(names, MAX_PROXIES)}."


def cluster_title(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Title of a group or a hint, such as "Dogs in the snow" or "Perhaps: dogs on ice"."""
    return cluster_name(diagnosis, cluster).text


def patches_title(cluster: FailureCluster) -> str:
    """Title of a group that only a visual word describes, such as "Dogs with these patches"."""
    group = Subject(cluster.scope, "image")
    return capital(f"{group.who or group.samples} with {THESE}")


def how_sure(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """How sure the title is: "Likely title: right for about 93 of 100 groups titled this way."; of a guess also the
    other guesses, and where nothing fits what differs most. "" where the title itself says that nothing does."""
    name = cluster_name(diagnosis, cluster)
    if name.kind == "confusion":
        return f"{percent(name.chance or 0.0)} of their errors are this mistake."
    guesses = listed(name.might_be, MAX_PROXIES)
    if name.grade == "mixed":
        parts = list[str]()
        if not name.text.endswith(NO_CAUSE):
            parts.append(f"{capital(NO_CAUSE)}.")
        if guesses:
            parts.append(f"What differs most: {guesses}.")
        return " ".join(parts)
    chance = name.chance or 0.0
    often = f"about {100 * chance:.0f}"
    if chance >= 0.995:
        often = "more than 99"
    kind = "groups"
    if not cluster.confirmed:
        kind = "real groups"  # the title of a hint says nothing of whether it is real
    if name.grade == "likely":
        return f"Likely title: right for {often} of 100 {kind} titled this way."
    text = f"A guess: right for {often} of 100 {kind} titled this way."
    if name.grade == "perhaps" and guesses:
        return f"{text} Other guesses: {guesses}."
    return text


def best_phrase(diagnosis: Diagnosis, cluster: FailureCluster) -> Insight | None:
    """The phrase that says what the title says; else the first that describes the cluster."""
    insights = [i for i in diagnosis.insights if i.cluster == cluster.id and i.kind == "phrase"]
    phrases = [i for i in insights if i.held_out is not None]
    if not cluster.confirmed or not phrases:
        return None
    for text in cluster_name(diagnosis, cluster).words:
        for phrase in phrases:
            if phrase.text == text:
                return phrase
    return phrases[0]


def cluster_figures(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """A group's counted rate or mean loss beside the others', and how sure: "wrong on 65 of 192 (34%), 10% of the
    others; adjusted p < 0.001 (mean loss)"."""
    members = cluster.membership >= 0.5
    has_errors = cluster.error_rate is not None
    if cluster.error_rate is not None and (in_shares(cluster) or not _is_wrong_less_often(diagnosis, cluster)):
        text = rate_against(diagnosis, members, cluster.error_outside, cluster.scope)
    else:
        mean, mean_others = mean_losses(diagnosis, members, cluster.scope)
        if mean_others is None:  # of a superclass
            mean_others = cluster.mean_loss - cluster.excess_loss.value
        text = loss_against(diagnosis, mean, cluster.size, mean_others, cluster.scope)
        if has_errors and has_wrong(diagnosis.outcomes):
            text = f"{text}; {rate_against(diagnosis, members, cluster.error_outside, cluster.scope)}"
    if not cluster.confirmed:
        return text
    return f"{text}; {status(True, cluster.p, cluster.measure, has_errors=has_errors)}"


def groups_lead(diagnosis: Diagnosis) -> str:
    """What is concentrated in the groups, by the measures that were tested: "Errors concentrate here, beyond
    chance."."""
    default = default_measure(diagnosis.outcomes)
    measures = {cluster.measure or default for cluster in diagnosis.clusters}
    what = "Errors"
    if measures == {"mean loss"}:
        what = "High losses"
    elif len(measures) > 1:
        what = "Errors or high losses"
    if any(in_shares(c) and _is_wrong_less_often(diagnosis, c) for c in diagnosis.clusters):
        # errors are tested against those of the same classes: beside other classes a group may look right
        return f"Given the classes, {what.lower()} concentrate here, beyond chance. A counted rate can still be lower."
    return f"{what} concentrate here, beyond chance."


def _is_wrong_less_often(diagnosis: Diagnosis, cluster: FailureCluster) -> bool:
    """Whether the errors counted among the members are no more than the others' rate."""
    if diagnosis.outcomes.errors is None or cluster.error_outside is None:
        return False
    return n_wrong(diagnosis, cluster.membership >= 0.5) <= cluster.error_outside * cluster.size
