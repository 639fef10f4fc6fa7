"""One plain sentence for each finding, each answer and each prediction: the wording of the command line, the report and
the page."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.numbers import count, digits_for, interval, listed, number, p_value, percent, points, with_unit
from core.records import Bool, Diagnosis, Estimate, FailureCluster, Insight, Prediction, PredictionRow

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

ALL = "all samples"
PROXIES = 4
"""Conditions that say the same, named in a sentence; the rest are counted."""
NEGATION = re.compile(r"\b(not|no|without|never|neither|nor|cannot)\b|n't\b", re.IGNORECASE)
CONFIRMED_KINDS = ("cluster", "phrase", "condition")
"""The kinds of a prediction's rows that were confirmed before; the others are what a person would have picked."""
LOOKED_AT = 500
"""Rows by which it is told whether each has a picture of its own."""


def sentence(diagnosis: Diagnosis, insight: Insight, *, proxies: bool = True) -> str:
    """What is known of one finding: how much worse, how sure, how much of the failures, how well the words fit, what
    says the same.

    A finding that was not confirmed begins with "Exploratory". Without `proxies`, what says the same is left out.
    """
    parts = [
        _rates(diagnosis, insight),
        _retrieval(diagnosis, insight),
        _ensemble(diagnosis, insight),
        _measured(insight),
        _same(insight) if proxies else "",
    ]
    return " ".join(part for part in parts if part)


def _rates(diagnosis: Diagnosis, insight: Insight) -> str:
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    one = insight.size == 1
    if insight.error_inside is not None and insight.error_outside is not None:
        worse = (
            f"{'is' if one else 'are'} wrong {percent(insight.error_inside)} of the time against "
            f"{percent(insight.error_outside)} elsewhere"
        )
        difference, shares = insight.error_difference, True
    else:
        inside, outside = _means(diagnosis, insight)
        against = "" if outside is None else f" against {number(outside, digits)} elsewhere"
        worse = f"{'has' if one else 'have'} a mean loss of {number(inside, digits)}{unit}{against}"
        difference, shares = insight.effect, False
    text = (
        f"{_whole(diagnosis, insight)} "
        f"{worse}{_gap(difference, insight, shares, digits)}{_coverage(diagnosis, insight)}."
    )
    return text if insight.confirmed else f"Exploratory: {text[0].lower()}{text[1:]}"


def _whole(diagnosis: Diagnosis, insight: Insight) -> str:
    """Such as 'Within dog, the 33 images most like "in the dark"'."""
    noun = _noun(diagnosis)
    many = f"one {noun}" if insight.size == 1 else f"{insight.size:,} {noun}s"
    what = f'most like "{insight.text}"' if insight.kind == "phrase" else f"with {insight.text}"
    return f"{'The' if insight.scope == ALL else f'Within {insight.scope}, the'} {many} {what}"


def _noun(diagnosis: Diagnosis) -> str:
    """ "image", or "sample" where there are none or where several rows show one, as with several labels or masks by
    class."""
    images = diagnosis.samples.items
    if images is None:
        return "sample"
    first = [images.name(row) for row in range(min(len(images), LOOKED_AT))]
    return "image" if len(set(first)) == len(first) else "sample"


def _means(diagnosis: Diagnosis, insight: Insight) -> tuple[float, float | None]:
    """Mean loss of the rows of a finding and of the rest of its scope, None where the rows of that scope cannot be
    told."""
    losses, scope = diagnosis.outcomes.fitted, _scope(diagnosis, insight.scope)
    inside = float(losses[insight.mask].mean()) if insight.mask.any() else math.nan
    rest = None if scope is None else scope & ~insight.mask
    return inside, float(losses[rest].mean()) if rest is not None and rest.any() else None


def _scope(diagnosis: Diagnosis, name: str) -> Bool | None:
    samples = diagnosis.samples
    if name == ALL:
        return np.ones(len(samples), dtype=np.bool_)
    if samples.labels is not None and name in samples.class_names:
        return samples.labels == samples.class_names.index(name)
    return None


def _gap(difference: Estimate | None, insight: Insight, shares: bool, digits: int) -> str:
    """Such as " (difference 45 points, 95 % 21 to 70, adjusted p = 0.001)"; of a confirmed finding the difference pays
    for the search."""
    parts: list[str] = []
    if difference is not None and math.isfinite(difference.value):
        value = points(difference.value) if shares else number(difference.value, digits)
        parts.append(f"difference corrected for the search: {value}" if insight.confirmed else f"difference {value}")
        if math.isfinite(difference.low):
            scaled = (
                Estimate(*(100 * v for v in (difference.value, difference.low, difference.high)))
                if shares
                else difference
            )
            parts.append(f"95\u202f% {interval(scaled, digits=0 if shares else digits)}")
    if insight.confirmed:
        parts.append(f"adjusted {p_value(insight.p)}")
        if (
            difference is not None and difference.low <= 0
        ):  # the interval holds for every finding at once, the p for the best of all
            parts.append("how much worse is open")
    return f" ({', '.join(parts)})" if parts else ""


def _coverage(diagnosis: Diagnosis, insight: Insight) -> str:
    if insight.coverage is None or not math.isfinite(insight.coverage.value):
        return ""
    failures = diagnosis.outcomes.errors is not None
    if insight.scope == ALL:
        of = "all failures" if failures else "all loss above the mean"
    else:
        of = f"the {'failures' if failures else 'loss above the mean'} in {insight.scope}"
    return f"; {'it holds' if insight.size == 1 else 'they hold'} {percent(insight.coverage.value)} of {of}"


def _retrieval(diagnosis: Diagnosis, insight: Insight) -> str:
    if insight.held_out is not None:
        found = (
            f"The phrase alone finds the cluster on unseen rows with AUROC {number(insight.held_out.value)} "
            f"({interval(insight.held_out)})"
        )
        return f"{found}; {_inside(diagnosis, insight)}."
    if insight.retrieval is None:
        return ""
    what = "the selection" if insight.cluster is None else "the cluster"
    return (
        f"The {insight.kind} alone finds {what} with AUROC {number(insight.retrieval)}, "
        "on the rows that it was chosen on."
    )


def _inside(diagnosis: Diagnosis, insight: Insight) -> str:
    """How many of a phrase's samples lie in the cluster that it describes: the two are not one set."""
    cluster = next((c for c in diagnosis.clusters if c.id == insight.cluster), None)
    inside = 0 if cluster is None else int((insight.mask & (cluster.membership >= 0.5)).sum())
    size = 0 if cluster is None else cluster.size
    return f"{inside:,} of its {insight.size:,} are among the cluster's {size:,}"


def overlap(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """Such as "12 of its 12 are also in cluster 1", for the higher-ranked cluster that shares most; "" where none
    does."""
    members = cluster.membership >= 0.5
    shared = [(int((members & (c.membership >= 0.5)).sum()), -c.id) for c in diagnosis.clusters if c.id < cluster.id]
    most, number = max(shared, default=(0, 0))
    return f"{most:,} of its {cluster.size:,} are also in cluster {1 - number}" if most else ""


def ensemble_verdict(insight: Insight) -> Literal["agrees", "does not agree", "not read"]:
    """Whether the ensemble reads in a phrase's text alone what its images show: the same sign, and an interval off
    zero."""
    read = insight.read
    if (
        read is None or not math.isfinite(read.value) or read.low == read.high == 0.0
    ):  # a slope of 0: readings do not follow images here
        return "not read"
    apart = read.low > 0 or read.high < 0
    return "agrees" if apart and read.value * insight.effect.value > 0 else "does not agree"


def _ensemble(diagnosis: Diagnosis, insight: Insight) -> str:
    verdict = ensemble_verdict(insight)
    if insight.kind != "phrase":
        return ""
    if verdict == "not read" or insight.read is None:
        return "The ensemble was not read."
    digits = digits_for(diagnosis.outcomes.loss)
    change = (
        f"{number(abs(insight.read.value), digits)}{with_unit(diagnosis)} "
        f"{'less' if insight.read.value < 0 else 'more'}"
    )
    return (
        f"The ensemble {verdict}: in the words alone it reads {change} loss ({interval(insight.read, digits=digits)})."
    )


def _measured(insight: Insight) -> str:
    """Such as "By measurement, the more like it, the lower the brightness (rank correlation -0.81)."."""
    if not insight.measured:
        return ""
    parts = [f"the {'higher' if rho > 0 else 'lower'} the {name} ({number(rho)})" for name, rho in insight.measured]
    return f"By measurement, the more like it, {' and '.join(parts)}."


def _same(insight: Insight) -> str:
    return (
        f"Says the same: {listed([_quoted(insight, p) for p in insight.proxies], PROXIES)}." if insight.proxies else ""
    )


def _quoted(insight: Insight, text: str) -> str:
    return f'"{text}"' if insight.kind == "phrase" and "(" not in text else text


def cluster_title(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """What the cluster is called, such as "dog: in the dark".

    The best phrase that describes it, if that finds it on unseen rows; else the best confirmed condition; else its own
    name.
    """
    phrase, condition = best_phrase(diagnosis, cluster), best_condition(diagnosis, cluster)
    found = phrase or condition
    if phrase is not None and condition is not None and not phrase.confirmed and phrase.held_out is not None:
        found = (
            condition if (condition.retrieval or 0.0) > phrase.held_out.value else phrase
        )  # a tested condition that fits better
    if found is None:
        return cluster.name
    return found.text if cluster.scope == ALL else f"{cluster.scope}: {found.text}"


def best_phrase(diagnosis: Diagnosis, cluster: FailureCluster) -> Insight | None:
    """The first phrase of the cluster, if it retrieves the cluster on unseen rows better than chance does (95 %
    interval above 0.5)."""
    mine = [i for i in diagnosis.insights if i.cluster == cluster.id and i.kind == "phrase" and i.held_out is not None]
    return (
        mine[0] if cluster.confirmed and mine and mine[0].held_out is not None and mine[0].held_out.low > 0.5 else None
    )


def best_condition(diagnosis: Diagnosis, cluster: FailureCluster) -> Insight | None:
    """The confirmed condition that retrieves the cluster best."""
    mine = [i for i in diagnosis.insights if i.cluster == cluster.id and i.kind == "condition" and i.confirmed]
    return max(mine, key=lambda i: i.retrieval or 0.0) if cluster.confirmed and mine else None


def answer_sentence(diagnosis: Diagnosis, answer: Answer) -> str:
    """What the samples that look like a question's text show, and how sure that is."""
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    one = answer.support == 1
    matches = f"the {_noun(diagnosis)}" if one else f"the {answer.support:,} {_noun(diagnosis)}s"
    within = "" if answer.scope == ALL else f"within {answer.scope}, "
    if answer.error_rate is not None:
        span = interval(answer.error_rate, share=True)
        observed = f"{'is' if one else 'are'} wrong {percent(answer.error_rate.value)} of the time (95\u202f% {span})"
        against = f"against {percent(answer.error_rest)} of the rest"
    else:
        span = interval(answer.observed, digits=digits)
        observed = (
            f"{'has' if one else 'have'} a mean loss of "
            f"{number(answer.observed.value, digits)}{unit} (95\u202f% {span})"
        )
        against = f"against {number(answer.rest, digits)} in the rest"
    group = (
        "They form a group of their own along these words."
        if answer.stands_apart
        else "They are no group of their own, just the most similar ones."
    )
    parts = [f'"{answer.text}": {within}{matches} most like it {observed} {against}.', group, _chance(answer)]
    if answer.read is not None and answer.is_tested:  # of other texts the ensemble reads little but the mean
        span = interval(answer.read, digits=digits)
        parts.append(
            f"In the words alone the ensemble reads a mean loss of {number(answer.read.value, digits)}{unit} "
            f"({span}, the spread of its members)."
        )
    if answer.is_tested:
        parts.append(f"{percent(answer.inside)} of what the question says lies within the words that are tested.")
    if NEGATION.search(answer.text):
        parts.append('Text encoders hardly hear a "not": this was read much as the same words without it.')
    if answer.extrapolation:
        parts.append(
            "This is an extrapolation: the images hardly differ along these words, so nothing here shows what they say."
        )
    return " ".join(parts)


def _chance(answer: Answer) -> str:
    if answer.p is None:
        return "There is no p: with so few groups nothing can be permuted."
    if not answer.is_tested:
        return (
            f"Not tested: only {percent(answer.inside)} of what the question says lies within the "
            "words that are tested."
        )
    via = "" if answer.through is None else f'tested through "{answer.through}", '
    held = f"{via}{p_value(answer.p)}, adjusted for any number of questions"
    return (
        f"Confirmed: the loss goes with these words ({held})."
        if answer.confirmed
        else f"Not confirmed: with these images it cannot be told from chance ({held})."
    )


def difference_sentence(diagnosis: Diagnosis, found: Difference) -> str:
    """How the loss of the first text's matches compares with that of the second's."""
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    shared = (
        f" {count(found.shared, _noun(diagnosis))} {'matches' if found.shared == 1 else 'match'} both."
        if found.shared
        else ""
    )
    value = found.observed.value
    if not math.isfinite(value):
        return f'"{found.first}" and "{found.second}" have the same matches: there is no difference to tell.{shared}'
    side = "below" if value < 0 else "above"
    clear = found.observed.low > 0 or found.observed.high < 0
    first, second = (
        f'"{text}"' + (f" ({scope})" if found.scopes[0] != found.scopes[1] else "")
        for text, scope in zip((found.first, found.second), found.scopes)
    )
    said = (
        f"the mean loss of {first} is {number(abs(value), digits)}{unit} {side} that of {second} (difference "
        f"{number(value, digits)}, 95\u202f% {interval(found.observed, digits=digits)} for this pair alone)."
    )
    return (f"{said[0].upper()}{said[1:]}" if clear else f"No clear difference: {said}") + shared


def prediction_sentence(row: PredictionRow, prediction: Prediction | None = None, digits: int = 2) -> str:
    """What a frozen finding said of fresh samples beside what they show.

    Args:
        row: one row of a prediction.
        prediction: whose measure the row has; an error rate if not given.
        digits: decimals of a loss.
    """
    rate = prediction is None or prediction.measure == "error rate"

    def value(v: float | None) -> str:
        return percent(v) if rate else number(v, digits)

    def span(estimate: Estimate) -> str:
        return interval(estimate, share=rate, digits=digits)

    what = "wrong" if rate else "mean loss"
    start = f"{prediction_name(row)}: {count(row.n, 'fresh sample')}"
    if row.observed is None:
        return f"{start} match, so nothing can be said; {value(row.predicted.value)} {what} was predicted."
    seen = f"{value(row.observed.value)} was observed" + (
        f" ({span(row.observed)})" if math.isfinite(row.observed.low) else ""
    )
    rest = "" if row.rest is None else f" against {value(row.rest)} in the rest"
    chance = "" if row.p is None else f", adjusted {p_value(row.p)}"
    expected = (
        f" ({span(row.predicted)}; {span(row.expected)} in {count(row.n, 'sample')})"
        if math.isfinite(row.predicted.low)
        else ""
    )
    return (
        f"{start}; {value(row.predicted.value)} {what} was predicted{expected} and "
        f"{seen}{rest}{chance}{f': {prediction_verdict(row)}' if prediction_verdict(row) else ''}."
    )


def replication_sentence(prediction: Prediction) -> str:
    """How many of the findings fail more than the rest again, and how many of these at the rate that they had
    predicted."""
    found = [row for row in prediction.rows if row.kind in CONFIRMED_KINDS]
    judged = [row for row in found if row.as_predicted is not None]
    if not found:
        return "nothing was confirmed, so nothing was predicted."
    again = [row for row in judged if replicates(row)]
    held = sum(bool(row.as_predicted) for row in again)
    unsure = f"; {len(found) - len(judged):,} more had too few samples to judge" if len(judged) < len(found) else ""
    rate = f", {held:,} of them at the rate predicted" if again else ""
    return f"{len(again):,} of {count(len(judged), 'finding')} clearly fail more than the rest again{rate}{unsure}."


def replicates(row: PredictionRow) -> bool:
    """Whether the matching fresh samples do worse than the rest beyond chance (adjusted p at most 0.05)."""
    return row.p is not None and row.p <= 0.05


def prediction_verdict(row: PredictionRow) -> str:
    """What became of a finding; "" for what a person would have picked, which made no claim."""
    if row.kind not in CONFIRMED_KINDS:
        return ""
    if row.as_predicted is None:
        return "too few to judge"
    if not replicates(row):
        return "not clearly worse again"
    return "fails again as predicted" if row.as_predicted else "fails again, at another rate"


def prediction_rows(diagnosis: Diagnosis) -> tuple[PredictionRow, ...]:
    """The rows of the diagnosis' prediction, each cluster by its number and its title; empty if nothing was
    predicted."""
    if diagnosis.prediction is None:
        return ()
    titles = {c.name: cluster_title(diagnosis, c) for c in diagnosis.clusters}
    of = {name: f"Cluster {c.id + 1} ({titles[name]})" for c in diagnosis.clusters if titles[name := c.name] != name}
    return tuple(
        replace(r, text=of[r.text], scope=ALL) if r.kind == "cluster" and r.text in of else r
        for r in diagnosis.prediction.rows
    )


def prediction_name(row: PredictionRow) -> str:
    """Such as "animal: light = dark"; of what is no finding, what it is called and what it is."""
    if row.kind in CONFIRMED_KINDS:
        said = f'"{row.text}"' if row.kind == "phrase" else row.text
        return said if row.scope == ALL or row.scope in row.text else f"{row.scope}: {said}"
    return f"{row.kind[0].upper()}{row.kind[1:]} ({row.text})"
