"""The verdicts of the place Compare: a sentence and images for each group, and the figures in a fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from core.errors import DiagnosisError
from core.numbers import count, digits_for
from core.records import Diagnosis, FourWay, MatchedSample, Prediction, PredictionRow
from core.reports.figures.template import PAGE
from core.reports.sections import on_new_data
from core.reports.wording.findings import cluster_title
from core.reports.wording.predictions import (
    CONFIRMED_KINDS,
    expected_sentence,
    plain_prediction,
    prediction_name,
    prediction_verdict,
    replicates,
    replication_sentence,
)
from core.reports.wording.sensitivity import sensitivity_sentence
from webapp.compare.verdict import NEW_DATA, TITLES, GroupVerdict, Parts, SecondModel, Strip, Verdict
from webapp.markup.components import plotly_chart
from webapp.markup.html import Tile, tile_of
from webapp.markup.render import empty, render, section_view
from webapp.markup.shares import rows_of_kind
from webapp.markup.two_models import STATES

if TYPE_CHECKING:
    from gradio.components.plot import PlotData

    from core.checks.checkpoints.follow import FollowedRun
    from core.checks.freeze import Frozen
    from core.checks.which_comparison import ComparisonKind

MAX_OTHERS = 6
"""Findings outside groups that are shown with images where there is no group; the fold lists all."""
STRIP = 3
"""Images beside a group's sentence that a new model fixed, and that it broke."""


def verdict_view(
    diagnosis: Diagnosis, verdict: Verdict | None, picked: int | None, kinds: Sequence[ComparisonKind]
) -> str:
    """Render a finished comparison; without one, what the findings predict for new data.

    Args:
        picked: id of the group that is open in Findings, which is shown first.
        kinds: what else can be shown for the run.
    """
    kind = NEW_DATA
    reason = ""
    if verdict is None:
        from core.checks.freeze import freeze  # scipy: not needed for the first view

        try:
            parts = frozen_parts(diagnosis, freeze(diagnosis))
        except DiagnosisError as error:
            return empty(str(error))
    else:
        kind = verdict.kind
        reason = verdict.reason
        if isinstance(verdict.result, SecondModel):
            parts = _new_model(diagnosis, verdict.result)
        elif isinstance(verdict.result, Prediction):
            parts = new_data_parts(diagnosis, verdict.result)
        else:
            parts = _checkpoints(diagnosis, verdict.result)
    return render(
        "compare/verdict.html.j2",
        parts=parts,
        reason=reason,
        groups=sorted(parts.groups, key=lambda group: picked is None or group.cluster != picked),
        picked=picked,
        noun=diagnosis.samples.modality,
        kind=kind,
        kinds=[(kind, TITLES[kind]) for kind in kinds],
    )


def chart_of(diagnosis: Diagnosis, verdict: Verdict | None) -> PlotData | None:
    """Draw what a second model gains in each group, or the groups over checkpoints; None for new data."""
    from core.reports.figures.models import checkpoints_drawing, comparison_drawing  # scipy

    if verdict is None or isinstance(verdict.result, Prediction):
        return None
    if isinstance(verdict.result, SecondModel):
        return plotly_chart(comparison_drawing(diagnosis, verdict.result.comparison, PAGE))
    return plotly_chart(checkpoints_drawing(diagnosis, verdict.result, PAGE))


def _new_model(diagnosis: Diagnosis, second: SecondModel) -> Parts:
    """Return the groups, and both models' figures in each group and class."""
    from core.reports.comparison import comparison_section  # scipy: not needed to start the page
    from core.reports.wording.second_model import plain_headline, second_lines

    comparison = second.comparison
    scopes = comparison.clusters or (comparison.overall,)
    groups = [_group_of_two(diagnosis, second, scope) for scope in scopes]
    lines = [f"{second.result.name}, {count(len(comparison.rows), diagnosis.samples.modality)}."]
    lines += second_lines(diagnosis, comparison, second.costs)
    lines += second.notes
    section = replace(comparison_section(diagnosis, comparison, in_full=True), figure=None)
    table = section_view(diagnosis, section)
    headline, lead = plain_headline(diagnosis, comparison, second.called)
    return Parts(headline, lead, groups, render("compare/figures.html.j2", lines=lines, table=table))


def _group_of_two(diagnosis: Diagnosis, second: SecondModel, scope: FourWay) -> GroupVerdict:
    """Return the group's sentence with images that the second model fixed and broke."""
    from core.reports.wording.comparison import scope_sentence, verdict_words  # scipy

    cluster = next((c for c in diagnosis.clusters if c.id == scope.cluster), None)
    name = f"All {diagnosis.samples.modality}s"
    within = "all"
    if cluster is not None:
        name = cluster_title(diagnosis, cluster)
        within = str(cluster.id)
    strips = list[Strip]()
    for kind, title in (("fixed", "Fixed"), ("broken", "Broken")):
        places = rows_of_kind(diagnosis, second.result, kind, within)
        tiles = [_answered(diagnosis, second, place) for place in places[:STRIP].tolist()]
        strips.append(Strip(title, tiles, len(places), kind))
    words = verdict_words(second.comparison, scope, diagnosis, figures=False)
    outcome, _, why = words.partition(": ")
    sentence = scope_sentence(second.comparison, scope, diagnosis)
    if why:
        sentence = f"{sentence} {why[0].upper()}{why[1:]}."
    return GroupVerdict(name, sentence, outcome, STATES[scope.verdict], scope.cluster, strips)


def _answered(diagnosis: Diagnosis, second: SecondModel, place: int) -> Tile:
    """Return the image of one answer, with its class and what the second model, or else the first, took it for."""
    result = second.result
    row = int(result.rows[place])
    true = result.class_names[int(result.labels[place])]
    line = ""
    predictions = result.outcomes.predictions
    first = diagnosis.outcomes.predictions
    if predictions is not None and predictions[place] != result.labels[place]:
        line = f"new: {result.class_names[int(predictions[place])]}"
    elif first is not None:
        line = f"was: {diagnosis.samples.class_names[int(first[row])]}"
    return tile_of(diagnosis, row, foot=(true, line))


def _checkpoints(diagnosis: Diagnosis, followed: FollowedRun) -> Parts:
    """Return the groups, and the intervals."""
    from core.reports.wording.second_model import FOLLOWED, change_sentence, plain_change

    groups = list[GroupVerdict]()
    lines = list[str]()
    for scope in (*followed.clusters, followed.everything):
        cluster = None
        name = f"All {diagnosis.samples.modality}s"
        if scope.cluster is not None:
            cluster = scope.cluster.id
            name = cluster_title(diagnosis, scope.cluster)
        groups.append(GroupVerdict(name, plain_change(followed.names, scope), "", "", cluster))
        lines.append(f"{name}: {change_sentence(followed.names, scope)}")
    figures = render("compare/figures.html.j2", lines=[*lines, *followed.notes, FOLLOWED])
    headline = f"{count(len(followed.clusters), 'group')} over {count(len(followed.names), 'checkpoint')}"
    return Parts(headline, "", groups, figures)


def new_data_parts(diagnosis: Diagnosis, prediction: Prediction) -> Parts:
    """Return the groups, and all findings with predicted and observed intervals; without a group, other findings."""
    clusters = {cluster.name: cluster for cluster in diagnosis.clusters}
    digits = digits_for(diagnosis.outcomes.loss)
    groups = list[GroupVerdict]()
    others = list[GroupVerdict]()
    for row in prediction.rows:
        if row.kind not in CONFIRMED_KINDS:
            continue
        strips = list[Strip]()
        if row.samples:
            title = f"New {diagnosis.samples.modality}s that it covers"
            strips.append(Strip(title, [_tile(sample) for sample in row.samples], row.n))
        sentence = plain_prediction(row, digits)
        shown = GroupVerdict(prediction_name(row), sentence, prediction_verdict(row), _colour(row), strips=strips)
        cluster = clusters.get(row.text)
        if row.kind == "cluster" and cluster is not None:
            groups.append(replace(shown, name=cluster_title(diagnosis, cluster), cluster=cluster.id))
        else:
            others.append(shown)
    section = on_new_data(replace(diagnosis, prediction=prediction))
    lines = [f"{row.subject}: {row.text}" for row in section.rows]
    digest = f"SHA-256 of the frozen findings: {prediction.digest}"
    figures = render("compare/figures.html.j2", lines=[section.lead, *lines, *section.notes, digest])
    return Parts(headline(prediction), "", groups or others[:MAX_OTHERS], figures)


def headline(prediction: Prediction) -> str:
    """Return how many findings hold on new samples, as a heading (plain text)."""
    sentence = replication_sentence(prediction).rstrip(".")
    return sentence[:1].upper() + sentence[1:]


def _colour(row: PredictionRow) -> Literal["held", "partly", "unsure"]:
    if row.as_predicted is None or not replicates(row):
        return "unsure"
    return "held" if row.as_predicted else "partly"


def _tile(sample: MatchedSample) -> Tile:
    """Return the image of a new sample, which no row of the run has."""
    true, *predicted = sample.answer.split(" → ")
    alt = f"{sample.text or ', model: '.join((true, *predicted)) or sample.id}{', wrong' if sample.wrong else ''}"
    lines = tuple(f"model: {name}" for name in predicted)
    return Tile(-1, sample.id, sample.picture, sample.id, alt, "", true, lines, bool(sample.wrong), sample.text)


def frozen_parts(diagnosis: Diagnosis, frozen: Frozen) -> Parts:
    """Return what each finding predicts for new data, the groups first, and the hash of all."""
    digits = digits_for(diagnosis.outcomes.loss)
    groups = list[GroupVerdict]()
    others = list[str]()
    for finding in frozen.findings:
        expected = expected_sentence(finding.predicted, finding.measure, digits)
        if finding.kind == "cluster":
            cluster = diagnosis.clusters[finding.index]
            groups.append(GroupVerdict(cluster_title(diagnosis, cluster), expected, "", cluster=cluster.id))
        else:
            others.append(f"{finding.scope}: {finding.text}. {expected}")
    n = len(frozen.findings)
    lead = "Each finding says what it predicts, before you add the data."
    headline = f"{count(n, 'finding')} to check on new data"
    if not n:
        headline = "No finding to check on new data"
        lead = f"This run confirmed no group, condition, or phrase. {sensitivity_sentence(diagnosis)}"
    digest = f"SHA-256 of the frozen findings: {frozen.digest}"
    note = "An interval here can be narrower than in Findings, where it covers the whole search at once."
    figures = render("compare/figures.html.j2", lines=[*others, note, digest])
    return Parts(headline, lead, groups, figures)
