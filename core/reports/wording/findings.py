"""One plain sentence for each finding, and what a cluster is called: the wording of the command line, the report and
the page."""

from __future__ import annotations

import math

import numpy as np

from core.discovery.called import cluster_name
from core.language.titles import NO_CAUSE, Subject, capital
from core.numbers import count, digits_for, interval, listed, number, p_value, percent, points, with_unit
from core.records import EVERYTHING, Bool, Diagnosis, Estimate, FailureCluster, Insight
from core.reports.wording.competence import competence_sentence
from core.reports.wording.effects import clipped_at, coverage_is
from core.statistics.measures import in_shares

THESE = "these patches"
"""Of one that only a visual word tells."""
PROXIES = 4
"""Conditions that say the same, named in a sentence; the rest are counted."""
LOOKED_AT = 500
"""Rows by which it is told whether each has an image of its own."""


def sentence(diagnosis: Diagnosis, insight: Insight, *, proxies: bool = True) -> str:
    """What is known of one finding: how much worse, how sure, how much of the failures, how well the words fit, what
    says the same.

    A finding that was not confirmed begins with "Exploratory".

    Args:
        diagnosis: the run that it is of.
        insight: one of `diagnosis.insights`.
        proxies: False leaves out what says the same.
    """
    parts = [
        _rates(diagnosis, insight),
        _retrieval(diagnosis, insight),
        competence_sentence(diagnosis.words, insight.number),
        _measured(insight),
        _same(insight) if proxies else "",
    ]
    return " ".join(part for part in parts if part)


def in_brief(insight: Insight) -> str:
    """Such as 'like "in the dark"', or a condition as it stands."""
    return f'like "{insight.text}"' if insight.kind == "phrase" else insight.text


def _rates(diagnosis: Diagnosis, insight: Insight) -> str:
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
    one = insight.size == 1
    wrong = ""
    if insight.error_inside is not None and insight.error_outside is not None:
        wrong = (
            f"{'is' if one else 'are'} wrong {percent(insight.error_inside)} of the time against "
            f"{percent(insight.error_outside)} elsewhere"
        )
    # the p of a finding of the loss is none of its error rate, which may be lower than elsewhere
    if wrong and not (insight.confirmed and insight.measure == "mean loss"):
        worse = wrong
        also = ""
        difference = insight.error_difference
        shares = True
    else:
        inside, outside = _means(diagnosis, insight)
        against = "" if outside is None else f" against {number(outside, digits)} elsewhere"
        worse = f"{'has' if one else 'have'} a mean loss of {number(inside, digits)}{unit}{against}"
        worse += clipped_at(diagnosis.outcomes)
        also = wrong and f"; {'it' if one else 'they'} {wrong}"
        difference = insight.effect
        shares = False
    text = (
        f"{_whole(diagnosis, insight)} "
        f"{worse}{_gap(difference, insight, shares, digits, unit)}{also}{_coverage(diagnosis, insight)}."
    )
    return text if insight.confirmed else f"Exploratory: {text[0].lower()}{text[1:]}"


def _whole(diagnosis: Diagnosis, insight: Insight) -> str:
    """Such as 'Within dog, the 33 images most like "in the dark"'."""
    noun = sample_noun(diagnosis)
    many = f"one {noun}" if insight.size == 1 else f"{insight.size:,} {noun}s"
    what = f"{'most' if insight.kind == 'phrase' else 'with'} {in_brief(insight)}"
    return f"{'The' if insight.scope == EVERYTHING else f'Within {insight.scope}, the'} {many} {what}"


def sample_noun(diagnosis: Diagnosis) -> str:
    """ "image" or "text", or "sample" where there are none or where several rows show one, as with several labels or
    masks by class."""
    images = diagnosis.samples.items
    if images is None:
        return "sample"
    first = [images.name(row) for row in range(min(len(images), LOOKED_AT))]
    return diagnosis.samples.modality if len(set(first)) == len(first) else "sample"


def _means(diagnosis: Diagnosis, insight: Insight) -> tuple[float, float | None]:
    """Mean loss of the rows of a finding and of the rest of its scope, None where the rows of that scope cannot be
    told."""
    losses = diagnosis.outcomes.fitted
    scope = _scope(diagnosis, insight.scope)
    inside = float(losses[insight.mask].mean()) if insight.mask.any() else math.nan
    rest = None if scope is None else scope & ~insight.mask
    return inside, float(losses[rest].mean()) if rest is not None and rest.any() else None


def _scope(diagnosis: Diagnosis, name: str) -> Bool | None:
    samples = diagnosis.samples
    if name == EVERYTHING:
        return np.ones(len(samples), dtype=np.bool_)
    if samples.labels is not None and name in samples.class_names:
        return samples.labels == samples.class_names.index(name)
    return None


def _gap(difference: Estimate | None, insight: Insight, shares: bool, digits: int, unit: str) -> str:
    """Such as " (difference 45 points, 95% 21 to 70, adjusted p = 0.001)"; of a confirmed finding the difference pays
    for the search."""
    parts: list[str] = []
    if difference is not None and math.isfinite(difference.value):
        value = points(difference.value) if shares else f"{number(difference.value, digits)}{unit}"
        parts.append(f"difference corrected for the search: {value}" if insight.confirmed else f"difference {value}")
        if math.isfinite(difference.low):
            scaled = (
                Estimate(*(100 * v for v in (difference.value, difference.low, difference.high)))
                if shares
                else difference
            )
            parts.append(f"95% {interval(scaled, digits=0 if shares else digits)}")
    if insight.confirmed:
        parts.append(f"adjusted {p_value(insight.p)}")
        # the interval holds for every finding at once, the p for the best of all
        if difference is not None and difference.low <= 0:
            parts.append("how much worse is open")
    return f" ({', '.join(parts)})" if parts else ""


def _coverage(diagnosis: Diagnosis, insight: Insight) -> str:
    if insight.coverage is None or not math.isfinite(insight.coverage.value):
        return ""
    failures = diagnosis.outcomes.errors is not None
    if insight.scope == EVERYTHING:
        of = "all failures" if failures else "all loss above the mean"
    else:
        of = f"the {'failures' if failures else 'loss above the mean'} in {insight.scope}"
    holds = "it holds" if insight.size == 1 else "they hold"
    how = coverage_is(diagnosis.outcomes, insight.confirmed)
    return f"; {holds} {percent(insight.coverage.value)} of {of} ({how})"


def _retrieval(diagnosis: Diagnosis, insight: Insight) -> str:
    if insight.held_out is not None:
        found = (
            f"The phrase alone finds the cluster on unseen rows with AUROC {number(insight.held_out.value, 2)} "
            f"({interval(insight.held_out)})"
        )
        return f"{found}; {_inside(diagnosis, insight)}."
    if insight.retrieval is None:
        return ""
    what = "the selection" if insight.cluster is None else "the cluster"
    return (
        f"The {insight.kind} alone finds {what} with AUROC {number(insight.retrieval, 2)}, "
        "on the rows that it was chosen on."
    )


def _inside(diagnosis: Diagnosis, insight: Insight) -> str:
    """How many of a phrase's samples lie in the cluster that it describes: the two are not one set."""
    cluster = next((c for c in diagnosis.clusters if c.id == insight.cluster), None)
    inside = 0 if cluster is None else int((insight.mask & (cluster.membership >= 0.5)).sum())
    size = 0 if cluster is None else cluster.size
    return f"{inside:,} of its {insight.size:,} are among the cluster's {size:,}"


def plain_sentence(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """What a set is, without intervals and in the measure that was tested: "About 90% of images like these 50 are
    wrong, against 18% of the rest: more than chance allows." Figures of a confirmed set are corrected for the search,
    so they speak of samples like its own; those of a candidate are its own."""
    n = int((cluster.membership >= 0.5).sum())
    scope = cluster.scope
    noun = sample_noun(diagnosis)
    these = f"these {count(n, noun)}"
    about = ""
    if cluster.confirmed:
        these = f"{noun}s like these {n:,}"
        about = "about "
    rest = "the rest" if scope == EVERYTHING else f"the rest of {scope}"
    sure = "more than chance allows" if cluster.confirmed else "it may be chance"
    rate = cluster.error_rate
    outside = cluster.error_outside
    if in_shares(cluster) and rate is not None and outside is not None:
        return (
            f"{about.title()}{percent(rate.value)} of {these} are wrong, against {percent(outside)} of {rest}: {sure}."
        )
    excess = cluster.excess_loss.value
    losses = diagnosis.outcomes
    more = f"{about}{number(abs(excess), digits_for(losses.loss))}{with_unit(diagnosis)}"
    side = "above" if excess >= 0 else "below"
    aside = clipped_at(losses)
    if scope == EVERYTHING and diagnosis.samples.labels is not None:
        aside = f", classes aside{aside}"
    return f"The mean loss of {these} is {more} {side} that of {rest}{aside}: {sure}."


def overlap(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Such as "12 of its 12 are also in cluster 1", for the higher-ranked cluster that shares most; "" where none
    does."""
    members = cluster.membership >= 0.5
    shared = [(int((members & (c.membership >= 0.5)).sum()), -c.id) for c in diagnosis.clusters if c.id < cluster.id]
    most, number = max(shared, default=(0, 0))
    return f"{most:,} of its {cluster.size:,} are also in cluster {1 - number}" if most else ""


def _measured(insight: Insight) -> str:
    """Such as "By measurement, the more like it, the lower the brightness (rank correlation −0.81)."."""
    if not insight.measured:
        return ""
    parts = [
        f"the {'higher' if rho > 0 else 'lower'} the {name} ({'' if i else 'rank correlation '}{number(rho, 2)})"
        for i, (name, rho) in enumerate(insight.measured)
    ]
    return f"By measurement, the more like it, {' and '.join(parts)}."


def _same(insight: Insight) -> str:
    quoted = [f'"{p}"' if insight.kind == "phrase" and "(" not in p else p for p in insight.proxies]
    return f"Says the same: {listed(quoted, PROXIES)}." if quoted else ""


def cluster_title(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """What the cluster or the candidate is called, such as "Dogs in the snow" or "Perhaps: dogs on ice"."""
    return cluster_name(diagnosis, cluster).text


def patches_title(cluster: FailureCluster) -> str:
    """Of a cluster that only a visual word tells, such as "Dogs with these patches"."""
    subject = Subject(cluster.scope, "image")
    who = subject.who or subject.pictures
    return capital(f"{who} with {THESE}")


def how_sure(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """How sure the title is, in a sentence: "A likely title: right for about 93 of 100 such clusters."; of a guess
    what else it may be, and where nothing fits what differs most. "" where the title itself says that nothing does, and
    no more is known."""
    name = cluster_name(diagnosis, cluster)
    which = "What differs most" if name.grade == "mixed" else "Other guesses"
    differs = f"{which}: {listed(name.might_be, PROXIES)}." if name.might_be else ""
    if name.kind == "confusion":
        return f"{percent(name.chance or 0.0)} of their errors go there."
    if name.grade == "mixed":
        said = "" if name.text.endswith(NO_CAUSE) else f"{capital(NO_CAUSE)}."
    else:
        likely = name.grade == "likely"
        sort = "A likely title" if likely else "A guess"
        such = "clusters"
        if not cluster.confirmed:  # of the words, and not of whether there is anything
            sort = f"The words {'likely fit' if likely else 'are a guess'}"
            such = "sets that are no chance"
        chance = name.chance or 0.0
        often = "more than 99" if chance >= 0.995 else f"about {100 * chance:.0f}"
        said = f"{sort}: right for {often} of 100 such {such}."
        differs = differs if name.grade == "perhaps" else ""
    return " ".join(filter(None, (said, differs)))


def best_phrase(diagnosis: Diagnosis, cluster: FailureCluster) -> Insight | None:
    """The phrase that says what the title says; else the first that describes the cluster."""
    own = [i for i in diagnosis.insights if i.cluster == cluster.id and i.kind == "phrase" and i.held_out is not None]
    said = cluster_name(diagnosis, cluster).words if cluster.confirmed else ()
    return next((i for text in said for i in own if i.text == text), own[0] if own and cluster.confirmed else None)
