"""The result in plain sentences: one wording for the command line, the report and the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from core.data.tables.roles import columns_read
from core.discovery.settings import PREDICTABILITY_SHARE_OF_ALPHA, share_of_alpha
from core.numbers import (
    count,
    digits_for,
    either,
    held_to,
    interval,
    listed,
    number,
    p_value,
    percent,
    with_interval,
    with_unit,
)
from core.records import EVERYTHING, Diagnosis, FailureCluster
from core.reports.wording.candidates import WORTH_A_LOOK, candidate_phrase, candidates_sentence
from core.reports.wording.classes import class_lines
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.competence import competence_in_brief
from core.reports.wording.effects import clipped_at, coverage_is, loss_phrase, other_measure
from core.reports.wording.findings import best_phrase, cluster_title, in_brief, overlap
from core.reports.wording.predictions import (
    WHICH_COUNTS,
    fresh_source,
    prediction_rows,
    prediction_sentence,
    replication_sentence,
)
from core.reports.wording.sensitivity import beyond_sentence, confirmed_counts, sensitivity_sentence, what_else
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood, taken_as_is
from core.statistics.measures import in_shares, insights_of, tested_effect

LITTLE = 0.05
"""A share of the variance below it is called a little."""
LEAST_SHARE = 0.0005
"""A smaller share would be rounded to 0.0%."""
LEAST_R2 = -1.0
BELOW_R2 = "R² below −1, far worse than the mean of all"
"""Of few groups the mean of the others may be far off: how far says nothing."""
PAIR_TESTED = (
    "Of a pair it is whether the errors of the class go to that prediction more often than the errors of other classes "
    "do; a pair says nothing of how often the class is wrong."
)

PROXY = (
    "No truth was found: what follows is where the model is unsure, not where it is wrong. "
    "Name the label to change that."
)
"""Said first of a run whose loss is the entropy of the prediction."""


def verdict(diagnosis: Diagnosis) -> str:
    """The result in one sentence."""
    n = len(diagnosis.clusters)
    if n == 0:
        return f"No failure cluster was confirmed{_instead(diagnosis)}."
    share = percent(share_of_failures(diagnosis))
    return (
        f"{count(n, 'failure cluster')} confirmed, holding {share} of "
        f"{'all failures' if _errors_known(diagnosis) else 'the loss above the mean'} "
        f"({coverage_is(diagnosis.outcomes, True)})."
    )


def _instead(diagnosis: Diagnosis) -> str:
    """What no cluster means: that nothing was tested, or nothing found; or what else was confirmed."""
    predictability = diagnosis.estimate.predictability
    if predictability.p is None:
        return ": there are too few groups to test anything"
    if _any_confirmed(diagnosis):
        return f", but {_confirmed(diagnosis)}"
    return "" if _is_predictable(diagnosis) else ": nothing beyond what chance gives"


def share_of_failures(diagnosis: Diagnosis) -> float:
    """Share of all failures that lie in any confirmed cluster, each counted at the cluster's corrected error rate; of
    all loss above the mean where errors are unknown."""
    cluster_of = diagnosis.cluster_of()[0]
    loss = diagnosis.outcomes.loss
    errors = diagnosis.outcomes.errors
    weight = errors.astype(np.float64) if errors is not None else np.maximum(loss - loss.mean(), 0)
    for cluster in diagnosis.clusters:
        seen = float(weight[cluster.membership >= 0.5].mean())
        if errors is not None and cluster.error_rate is not None and seen > 0:
            weight[cluster_of == cluster.id] *= cluster.error_rate.value / seen
    total = float(weight.sum())
    return float(weight[cluster_of >= 0].sum()) / total if total > 0 else math.nan


def predictability_sentence(diagnosis: Diagnosis) -> str:
    """How much of the loss the embedding predicts on rows the fit did not see."""
    found = diagnosis.estimate.predictability
    r2 = found.r2
    name = f"the {diagnosis.outcomes.name} proxy" if diagnosis.outcomes.is_proxy else f"the {diagnosis.outcomes.name}"
    figures = f"R² {number(r2.value, 2)}, 95% {interval(r2, digits=2)}"
    figures = figures if r2.value >= LEAST_R2 else BELOW_R2
    if found.p is not None and not _is_predictable(diagnosis) and _any_confirmed(diagnosis):
        return (
            f"Over all samples the embedding predicts no more of {name} than chance allows ({figures}, "
            f"{_held_to(diagnosis)}); {_confirmed(diagnosis)} confirmed in a part of them."
        )
    if found.p is not None and _is_predictable(diagnosis) and 0 < r2.value < LITTLE:
        return (
            f"The embedding predicts a little of the variance of {name} on samples the fit did not see, "
            f"{_share_of_variance(r2.value)} ({figures}), more than chance allows ({p_value(found.p)})."
        )
    if found.p is None:
        ground = "too few groups to test whether that is more than chance"
    elif _is_predictable(diagnosis):
        ground = f"more than chance allows ({p_value(found.p)})"
        if r2.value <= 0:  # on unseen samples a fit to shuffled losses does worse than their mean
            return (
                f"The embedding has to do with {name} ({p_value(found.p)} against shuffled losses), but too weakly to "
                f"say of a single sample how large it is: on samples the fit did not see it explains none of the "
                f"variance ({figures})."
            )
    else:
        ground = f"no more than chance allows ({_held_to(diagnosis)})"
    return (
        f"The embedding predicts {percent(max(r2.value, 0.0))} of the variance of {name} on samples the fit did not "
        f"see ({figures}): {ground}."
    )


def _share_of_variance(r2: float) -> str:
    """A share above 0 that would be rounded to it says so."""
    return percent(r2) if r2 >= LEAST_SHARE else f"less than {percent(0.001)}"


def _confirmed(diagnosis: Diagnosis) -> str:
    """Such as "1 failure cluster and 2 conditions or phrases were"."""
    counts = confirmed_counts(diagnosis).values()
    return f"{either([said for _, said in counts], 'and')} {'was' if sum(n for n, _ in counts) == 1 else 'were'}"


def _any_confirmed(diagnosis: Diagnosis) -> bool:
    """Whether a cluster, a class, a pair, a condition or a phrase is confirmed."""
    return bool(confirmed_counts(diagnosis))


def _is_predictable(diagnosis: Diagnosis) -> bool:
    """Whether that is more than chance allows, at the share of alpha that is kept for saying so."""
    found = diagnosis.estimate.predictability
    if found.confirmed is not None or found.p is None:
        return bool(found.confirmed)
    return found.p <= _level(diagnosis)


def _level(diagnosis: Diagnosis) -> float:
    """What the p of the prediction is held to: all of alpha in a run from before a share was kept."""
    kept = diagnosis.estimate.predictability.confirmed is not None
    return share_of_alpha(diagnosis.settings, PREDICTABILITY_SHARE_OF_ALPHA if kept else 1.0)


def _held_to(diagnosis: Diagnosis) -> str:
    return held_to(diagnosis.estimate.predictability.p, _level(diagnosis))


def predictability_in_brief(diagnosis: Diagnosis) -> str:
    """The same in a line's room: the share with its interval where the embedding predicts more than chance allows
    (without a p, where the interval lies above zero) and better than the mean loss does, else that it does not."""
    found = diagnosis.estimate.predictability
    name = diagnosis.outcomes.name
    r2 = found.r2
    p = "" if found.p is None else ", " + p_value(found.p).replace(" ", "\u00a0")
    tested = r2.low > 0 if found.p is None else _is_predictable(diagnosis)
    if tested and r2.value > 0:
        little = "a little, " if r2.value < LITTLE else ""
        share = with_interval(r2, share=True) if r2.value >= LEAST_SHARE else _share_of_variance(r2.value)
        return f"The embedding predicts {little}{share} of the differences in {name}{p}."
    held = "" if found.p is None or tested else f", held\u00a0to\u00a0{_level(diagnosis):.2g}"
    figures = f"({f'R² {with_interval(r2)}' if r2.value >= LEAST_R2 else BELOW_R2}{p}{held})"
    if found.p is not None and tested:
        return f"The embedding has to do with the {name}, too weakly to explain any of its variance {figures}."
    if found.p is not None and not tested and _any_confirmed(diagnosis):
        unseen = f"Over all samples the {name} cannot be predicted from this embedding {figures}"
        return f"{unseen}; {_confirmed(diagnosis)} confirmed in a part of them."
    if found.p is None:
        return f"Too few groups to test whether the embedding predicts the {name} {figures}."
    return f"The {name} cannot be predicted from this embedding {figures}."


def cluster_sentence(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """One cluster in one sentence: size, excess, errors, coverage."""
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
    where = count(cluster.size, "sample") + ("" if cluster.scope == EVERYTHING else f" of {cluster.scope}")
    parts = [loss_phrase(cluster, digits, unit) + clipped_at(diagnosis.outcomes)]
    if cluster.error_rate is not None:
        outside = "" if cluster.error_outside is None else f" against {percent(cluster.error_outside)} outside"
        wrong = f"{percent(cluster.error_rate.value)} wrong{outside}"
        if in_shares(cluster):
            gap = interval(cluster.error_difference, points=True)
            parts.insert(0, f"{wrong} (difference in points, 95% {gap})")
        else:
            parts.append(wrong)
    parts.insert(0, where)
    kind = "of all failures" if _errors_known(diagnosis) else "of the loss above the mean"
    parts.append(f"{percent(cluster.coverage.value)} {kind} ({coverage_is(diagnosis.outcomes, cluster.confirmed)})")
    if cluster.confirmed:
        parts.append(p_value(cluster.p) + (f" ({of})" if (of := other_measure(cluster)) else ""))
        if tested_effect(cluster).low <= 0:  # of a run from before the interval was that of the test
            parts.append("how much worse is open")
    return ", ".join(parts)


def explanation(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """The two strongest confirmed phrases and conditions, with the share of members that meet them, or "" if there is
    none."""
    members = cluster.membership >= 0.5
    best = [i for i in insights_of(diagnosis, cluster.id) if i.confirmed][:2]
    return "; ".join(f"{in_brief(i)} ({percent(float(i.mask[members].mean()))} of members)" for i in best)


def in_words(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """The phrase that describes the cluster and how well it finds it, or "" if none does better than chance."""
    phrase = best_phrase(diagnosis, cluster)
    if phrase is None or phrase.held_out is None:
        return ""
    known = competence_in_brief(diagnosis.words, phrase.number)
    return (
        f'"{phrase.text}" (AUROC {number(phrase.held_out.value, 2)} on unseen rows, 95% '
        f"{interval(phrase.held_out)}{'; ' if known else ''}{known})"
    )


def words_sentence(diagnosis: Diagnosis) -> str:
    """What was tested in words; empty without words."""
    words = diagnosis.words
    if words is None:
        return ""
    said = f"{count(len(words.phrases), 'phrase')} in {count(len(set(words.families)), 'family')} were tested"
    said += f", spoken by the encoder {words.encoder.split(' ')[0]}." if words.encoder else "."
    if words.encoder in ("embedded", "clips"):
        said += (
            " It is small: in a blind test its words fitted composed scenes and not stylized images. "
            "Look at the images, or click through thirty."
        )
    return said


def text_summary(diagnosis: Diagnosis) -> str:
    """The result as a few lines of plain text, for the end of a command."""
    lines = [PROXY] if diagnosis.outcomes.is_proxy else []
    lines += [*taken_as_is(diagnosis), verdict(diagnosis), predictability_sentence(diagnosis)]
    rows = rows_as_understood(diagnosis.samples, diagnosis.outcomes, columns_read(diagnosis.extras))
    lines += [f"{AS_UNDERSTOOD}:", *(f"  {row}" for row in rows)]
    for cluster in diagnosis.clusters:
        lines.append(
            f"  {cluster.id + 1}. {cluster_title(diagnosis, cluster)} – {cluster_sentence(diagnosis, cluster)}"
        )
        said = {
            "more often": explanation(diagnosis, cluster),
            "in words": in_words(diagnosis, cluster),
            "overlap": overlap(diagnosis, cluster),
        }
        if any(said.values()):
            lines.append("     " + "; ".join(f"{key}: {value}" for key, value in said.items() if value))
        lines += [f"     {said}" for said in part_sentences(diagnosis, cluster)]
    lines += [*own_words(diagnosis), *class_lines(diagnosis)]
    lines.append(f"{WORTH_A_LOOK}. {candidates_sentence(diagnosis)}")
    lines += [f"  {cluster_title(diagnosis, c)} – {candidate_phrase(diagnosis, c)}" for c in diagnosis.candidates]
    if not diagnosis.clusters:
        lines += [*filter(None, [_beyond(diagnosis)])]
    lines += prediction_lines(diagnosis)
    if diagnosis.excluded:
        lines.append(f"{count(len(diagnosis.excluded), 'row')} left out: {_reasons(diagnosis.excluded)}.")
    return "\n".join([*lines, *(f"Note: {note}" for note in diagnosis.notes)])


def _beyond(diagnosis: Diagnosis) -> str:
    """Without clusters: what would have been found, beside what is confirmed if anything is."""
    sentence = sensitivity_sentence(diagnosis)
    told = beyond_sentence(diagnosis, "“Failing as a whole”", "“Confused more than other pairs”", "“Also failing”")
    return f"{told} {what_else(sentence)}".rstrip() if told else sentence


def own_words(diagnosis: Diagnosis) -> list[str]:
    """One line on the confirmed conditions and phrases that describe no one cluster; none if there are none."""
    told = {(i.text, i.scope) for i in diagnosis.insights if i.cluster is not None}
    own = [i for i in insights_of(diagnosis, None) if i.confirmed and (i.text, i.scope) not in told]
    within = ["" if i.scope == EVERYTHING else f"{i.scope}, " for i in own]
    named = [f"{i.text} ({scope}n = {i.size:,}, {p_value(i.p)})" for i, scope in zip(own, within)]
    return [f"Also failing: {listed(named, 5)}."] if named else []


def prediction_lines(diagnosis: Diagnosis) -> list[str]:
    """What became of the findings on fresh samples: a line of counts, then one line for each; none if that was not
    tried."""
    prediction = diagnosis.prediction
    if prediction is None:
        return []
    digits = digits_for(diagnosis.outcomes.loss)
    lines = [f"On {fresh_source(prediction)}: {replication_sentence(prediction)}"]
    if prediction.excluded:
        lines.append(f"  {count(len(prediction.excluded), 'fresh row')} left out: {_reasons(prediction.excluded)}.")
    lines += [f"  Note: {note}" for note in prediction.notes]
    told = [f"  {prediction_sentence(row, digits)}" for row in prediction_rows(diagnosis)]
    return [*lines, *told, f"  {WHICH_COUNTS}"]


def _reasons(excluded: Sequence[tuple[str, str]]) -> str:
    """The commonest reasons for leaving rows out, with their counts."""
    common = Counter(reason for _, reason in excluded).most_common()
    return listed([f"{reason} ({n:,})" for reason, n in common], noun="more reasons")


def _errors_known(diagnosis: Diagnosis) -> bool:
    return diagnosis.outcomes.errors is not None
