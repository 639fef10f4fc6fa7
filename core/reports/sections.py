"""The sections of a run: what a diagnosis has to say, in the order in which it is read. Terminal, report and JSON draw
these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.data.tables.roles import columns_read
from core.language.titles import capital
from core.numbers import count, digits_for, listed, number, percent, with_unit
from core.records import EVERYTHING, ClassFinding, Diagnosis, Estimate, FailureCluster, Insight, Row, Section, Verdict
from core.reports.wording.candidates import HINTS, candidate_phrase, candidates_sentence
from core.reports.wording.classes import (
    PAIR_TESTED,
    class_figures,
    class_level,
    class_name,
    through_sentence,
    untested_sentence,
)
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.dependence import dependence_sentences
from core.reports.wording.effects import coverage_text, loss_phrase, other_measure, with_ci
from core.reports.wording.findings import (
    best_phrase,
    cluster_figures,
    cluster_title,
    details,
    figures,
    groups_lead,
    how_sure,
    name_of,
    overlap,
    sample_noun,
    subject,
)
from core.reports.wording.predictions import (
    WHICH_COUNTS,
    fresh_source,
    picks_sentence,
    prediction_figures,
    prediction_name,
    prediction_rows,
    replication_sentence,
    row_verdict,
)
from core.reports.wording.reasons import faithfulness_sentence, kinds_table
from core.reports.wording.sensitivity import classes_sentence, sensitivity_sentence
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood, taken_as_is
from core.reports.wording.verdict import PROXY, predictability_sentence, verdict
from core.statistics.counts import mean_losses, n_wrong, share_inside, top_members
from core.statistics.measures import default_measure, has_wrong, in_shares, insights_of, tested_effect
from core.yours import yours_of

N_SAMPLES = 24
"""Samples that a row names."""
MAX_CORRECTION = 0.05
"""The rate expected on new data stands beside the counted one where they differ by more: a convention."""


def run_sections(diagnosis: Diagnosis) -> list[Section]:
    """Everything that a diagnosis says, without its systems; sections with nothing to say are left out."""
    sections = [
        overview(diagnosis),
        groups(diagnosis),
        outside_groups(diagnosis),
        classes(diagnosis),
        hints(diagnosis),
        on_new_data(diagnosis),
        detection_limits(diagnosis),
        causes(diagnosis),
        notes(diagnosis),
    ]
    return [section for section in sections if section.lead or section.rows or section.notes]


def overview(diagnosis: Diagnosis) -> Section:
    """The verdict, how much the encoder predicts, and how the table was read."""
    rows = rows_as_understood(diagnosis.samples, diagnosis.outcomes, columns_read(diagnosis.extras))
    warnings = [*dependence_sentences(diagnosis), *taken_as_is(diagnosis)]
    if diagnosis.outcomes.is_proxy:
        warnings = [PROXY, *warnings]
    return Section(
        verdict(diagnosis),
        predictability_sentence(diagnosis),
        warnings,
        notes=[f"{AS_UNDERSTOOD}:", *(f"  {row}" for row in rows)],
        key="overview",
    )


def groups(diagnosis: Diagnosis) -> Section:
    """The confirmed groups, ranked by the least that fixing them is worth."""
    if not diagnosis.clusters:
        return Section("Groups", key="groups")
    method = [
        "Ranked by the lower bound of the gap, times the size. Intervals hold for everything that was searched at once."
    ]
    rows = [group_row(diagnosis, cluster) for cluster in diagnosis.clusters]
    return Section("Groups", groups_lead(diagnosis), rows=rows, method=method, key="groups")


def group_row(diagnosis: Diagnosis, cluster: FailureCluster) -> Row:
    """A confirmed group with its figures, its descriptions and its samples."""
    estimate, against = _level(cluster)
    return Row(
        cluster_title(diagnosis, cluster),
        f"{capital(cluster_figures(diagnosis, cluster))}.",
        cluster.size,
        estimate,
        against,
        "error rate" if in_shares(cluster) else "mean loss",
        cluster.p,
        "confirmed",
        cluster.id + 1,
        tuple(filter(None, _group_details(diagnosis, cluster))),
        tuple(filter(None, _how_sure(diagnosis, cluster))),
        tuple(insight_row(diagnosis, insight) for insight in insights_of(diagnosis, cluster.id)),
        top_members(diagnosis, cluster, N_SAMPLES),
        cluster.counterexamples,
    )


def _level(cluster: FailureCluster) -> tuple[Estimate | None, float | None]:
    """Error rate or mean loss of the group with its interval, in the measure that was tested, and of the others."""
    if in_shares(cluster) and cluster.error_rate is not None:
        return cluster.error_rate, cluster.error_outside
    excess = cluster.excess_loss
    others = cluster.mean_loss - excess.value
    return Estimate(cluster.mean_loss, others + excess.low, others + excess.high), others


def _group_details(diagnosis: Diagnosis, cluster: FailureCluster) -> list[str]:
    lines = [expected_rate(diagnosis, cluster)]
    conditions = [i for i in insights_of(diagnosis, cluster.id, "condition") if i.confirmed][:2]
    for condition in conditions:
        share = percent(share_inside(cluster, condition))
        lines.append(f"{share} of the group have {name_of(condition)}.")
    phrase = best_phrase(diagnosis, cluster)
    if phrase is not None and phrase.held_out is not None:
        lines.append(f'Best phrase: "{phrase.text}" (held-out AUROC {number(phrase.held_out.value, 2)}).')
    lines += [overlap(diagnosis, cluster), *part_sentences(diagnosis, cluster)]
    mark = yours_of(diagnosis).mark_of("cluster", cluster.id)
    if mark.title:
        lines.append(f'Named "{mark.title}" by a person (not tested).')
    if mark.dismissed:
        lines.append(f"Marked as not a failure by a person: {mark.dismissed}")
    return lines


def expected_rate(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """The rate to expect on new data, corrected for the search; "" where it is close to the counted one."""
    rate = cluster.error_rate
    if rate is None:
        return ""
    members = cluster.membership >= 0.5
    counted = n_wrong(diagnosis, members) / members.sum()
    if abs(counted - rate.value) <= MAX_CORRECTION:
        return ""
    noun = sample_noun(diagnosis)
    return f"About {percent(rate.value)} of {noun}s like these are wrong {with_ci(rate, share=True)}."


def _how_sure(diagnosis: Diagnosis, cluster: FailureCluster) -> list[str]:
    rate = cluster.error_rate
    noun = sample_noun(diagnosis)
    lines = list[str]()
    if rate is not None and has_wrong(diagnosis.outcomes) and not expected_rate(diagnosis, cluster):
        lines.append(
            f"Corrected for the search, about {percent(rate.value)} of {noun}s like these are wrong "
            f"{with_ci(rate, share=True)}."
        )
    loss = loss_phrase(cluster, digits_for(diagnosis.outcomes.loss), with_unit(diagnosis))
    return [
        how_sure(diagnosis, cluster),
        *lines,
        f"{capital(loss)}.",
        other_measure(cluster),
        "The size of the gap is open." if tested_effect(cluster).low <= 0 else "",
        coverage_text(diagnosis, cluster.coverage, EVERYTHING, confirmed=True),
        f"Cause: {cluster.cause}",
    ]


def insight_row(diagnosis: Diagnosis, insight: Insight) -> Row:
    """A condition or phrase with its figures."""
    measure = insight.measure or default_measure(diagnosis.outcomes)
    against = insight.error_outside
    if measure == "mean loss":
        against = mean_losses(diagnosis, insight.mask, insight.scope)[1]
    return Row(
        subject(diagnosis, insight),
        f"{capital(figures(diagnosis, insight))}.",
        insight.size,
        against=against,
        measure=measure,
        p=insight.p,
        verdict=_verdict(insight),
        sure=tuple(details(diagnosis, insight)),
    )


def _verdict(finding: ClassFinding | Insight) -> Verdict:
    if finding.confirmed:
        return "confirmed"
    if finding.p is None:
        return "not tested"
    return "not confirmed"


def outside_groups(diagnosis: Diagnosis) -> Section:
    """Confirmed conditions and phrases that describe no single group."""
    described = {(i.text, i.scope) for i in diagnosis.insights if i.cluster is not None}
    insights = [i for i in insights_of(diagnosis, None) if (i.text, i.scope) not in described]
    rows = [insight_row(diagnosis, insight) for insight in insights]
    return Section("Outside groups", rows=rows, key="outside_groups")


def classes(diagnosis: Diagnosis) -> Section:
    """Whole classes and confused pairs, the confirmed ones first."""
    if not diagnosis.classes:
        return Section("Classes", key="classes")
    order = sorted(diagnosis.classes, key=lambda c: (not c.confirmed, c.kind == "confusion"))
    lines = [through_sentence(diagnosis, finding) for finding in diagnosis.classes]
    n_classes = sum(c.kind == "class" for c in diagnosis.classes)
    if n_classes > 1 and not any(c.confirmed and c.kind == "class" for c in diagnosis.classes):
        lines.append(f"No class is worse than the others beyond chance. {classes_sentence(diagnosis)}".strip())
    lines.append(untested_sentence(diagnosis))
    method = list[str]()
    if any(c.kind == "confusion" for c in diagnosis.classes):
        method.append(PAIR_TESTED)
    level = class_level(diagnosis)
    if level is not None:
        method.append(
            f"Each p-value is one-sided (worse than the others) and adjusted for all classes; "
            f"the threshold is {level:.2g}."
        )
    rows = [class_row(diagnosis, finding) for finding in order]
    return Section("Classes", rows=rows, notes=[*filter(None, lines)], method=method, key="classes")


def class_row(diagnosis: Diagnosis, finding: ClassFinding) -> Row:
    """A class or a confused pair with its figures."""
    measure = "mean loss"
    if finding.kind == "confusion":
        measure = "share of the class"
    elif finding.error_rate is not None:
        measure = "error rate"
    return Row(
        class_name(diagnosis, finding),
        f"{capital(class_figures(diagnosis, finding))}.",
        finding.size,
        finding.error_rate or finding.mean_loss,
        measure=measure,
        p=finding.p,
        verdict=_verdict(finding),
    )


def hints(diagnosis: Diagnosis) -> Section:
    """Groups that stand out and are not findings."""
    rows = [_hint(diagnosis, candidate) for candidate in diagnosis.candidates]
    return Section(HINTS, candidates_sentence(diagnosis), rows=rows, key="hints")


def _hint(diagnosis: Diagnosis, candidate: FailureCluster) -> Row:
    return Row(
        cluster_title(diagnosis, candidate),
        f"{capital(candidate_phrase(diagnosis, candidate))}.",
        candidate.size,
        measure=candidate.measure or default_measure(diagnosis.outcomes),
        verdict="hint",
        sure=tuple(filter(None, [how_sure(diagnosis, candidate)])),
        samples=top_members(diagnosis, candidate, N_SAMPLES),
    )


def on_new_data(diagnosis: Diagnosis) -> Section:
    """What became of the frozen findings on new data."""
    prediction = diagnosis.prediction
    if prediction is None:
        return Section("New data", key="new_data")
    digits = digits_for(diagnosis.outcomes.loss)
    rows = list[Row]()
    for row in prediction_rows(diagnosis):
        text = prediction_figures(row, digits)
        figures = (row.n, row.observed, row.rest, row.measure, row.p, row_verdict(row))
        rows.append(Row(prediction_name(row), text, *figures))
    left_out = _left_out(prediction.excluded, "new row")
    lead = f"Tested on {fresh_source(prediction)}: {replication_sentence(prediction)}"
    if any(row.verdict in ("confirmed", "not confirmed") for row in rows):
        lead = f"{lead} {WHICH_COUNTS}"
    picks = list(filter(None, [picks_sentence(diagnosis)]))
    return Section("New data", lead, rows=rows, notes=[*picks, *left_out, *prediction.notes], key="new_data")


def detection_limits(diagnosis: Diagnosis) -> Section:
    """Which groups would have been found."""
    return Section("Detection limits", sensitivity_sentence(diagnosis), key="detection_limits")


def causes(diagnosis: Diagnosis) -> Section:
    """What naming a cause is worth, where that was measured."""
    faithfulness = diagnosis.faithfulness
    if faithfulness is None:
        return Section("Named causes", key="causes")
    rows = [Row(name, f"AUROC {area}, named for {n}.") for name, area, n in kinds_table(faithfulness)]
    return Section("Named causes", faithfulness_sentence(diagnosis, faithfulness), rows=rows, key="causes")


def notes(diagnosis: Diagnosis) -> Section:
    """What was left out and assumed."""
    return Section("Notes", notes=[*_left_out(diagnosis.excluded, "row"), *diagnosis.notes], key="notes")


def _left_out(excluded: Sequence[tuple[str, str]], noun: str) -> list[str]:
    """The commonest reasons for leaving rows out, with their counts; [] where none was."""
    if not excluded:
        return []
    common = Counter(reason for _, reason in excluded).most_common()
    reasons = listed([f"{reason} ({n:,})" for reason, n in common])
    return [f"{count(len(excluded), noun)} left out: {reasons}."]
