"""Frozen findings and their results on new samples, with dots and whiskers beside the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.numbers import count
from core.records import EVERYTHING, Diagnosis, Prediction
from core.reports.html.intervals import Axis, Mark, dots
from core.reports.html.predictions import MEASURES, measure_axis, prediction_tables
from core.reports.wording.findings import cluster_title
from core.reports.wording.predictions import WHICH_COUNTS, MeasureStyle, measure_name, replication_sentence
from core.reports.wording.sensitivity import sensitivity_sentence
from webapp.markup.render import render

if TYPE_CHECKING:
    from core.checks.freeze import Frozen, FrozenFinding

MAX_UNFOLDED = 14


def headline(prediction: Prediction) -> str:
    """Return how many findings hold on new samples, as a heading (plain text)."""
    sentence = replication_sentence(prediction).rstrip(".")
    return sentence[:1].upper() + sentence[1:]


def prediction_view(diagnosis: Diagnosis, prediction: Prediction) -> str:
    """Render the whole result: headline, findings, picks by eye, notes, and the digest."""
    fresh = ""
    if "held-out" not in prediction.source:
        fresh = f"{count(prediction.n_fresh, 'new sample')} of "
    notes = list(prediction.notes)
    if prediction.excluded:
        sample, reason = prediction.excluded[0]
        notes.append(f"Left out {count(len(prediction.excluded), 'new sample')}, such as {sample}: {reason}.")
    return render(
        "predict/result.html.j2",
        headline=headline(prediction),
        lead=f"Checked on {fresh}{prediction.source}, which the search did not use. {WHICH_COUNTS}",
        tables=prediction_tables(diagnosis, prediction),
        notes=notes,
        digest=prediction.digest,
    )


def frozen_view(diagnosis: Diagnosis, frozen: Frozen) -> str:
    """Render the frozen findings, grouped by measure: each with its predicted error rate or mean loss, and one hash."""
    groups: list[dict[str, Any]] = []
    for measure in MEASURES:
        findings = [f for f in frozen.findings if f.measure == measure]
        style = MeasureStyle.of(diagnosis, measure)
        axis = measure_axis(style, [f.predicted for f in findings])
        lines = [_frozen_line(diagnosis, f, style, axis) for f in findings]
        name = measure_name(diagnosis, measure)
        if findings:
            groups.append({"measure": name, "findings": lines[:MAX_UNFOLDED], "more": lines[MAX_UNFOLDED:]})
    return render(
        "predict/frozen.html.j2",
        groups=groups,
        n=len(frozen.findings),
        digest=frozen.digest,
        sensitivity=sensitivity_sentence(diagnosis),
    )


def _frozen_line(diagnosis: Diagnosis, finding: FrozenFinding, style: MeasureStyle, axis: Axis) -> dict[str, Any]:
    cluster = None
    if finding.kind == "cluster":
        cluster = diagnosis.clusters[finding.index]
    name = finding.text
    if cluster:
        name = f"{cluster.id + 1}: {cluster_title(diagnosis, cluster)}"
    scope = ""
    if not (cluster or finding.scope == EVERYTHING or finding.scope in name):
        scope = f" ({finding.scope})"
    return {
        "name": name + scope,
        "kind": finding.kind,
        "dots": dots([Mark(finding.predicted, "predicted")], axis),
        "value": style.value(finding.predicted.value),
        "interval": style.interval(finding.predicted),
    }


def selection_line(rows: Sequence[int]) -> str:
    """Return a line on whether a lasso is compared too."""
    if not len(rows):
        return "Draw a lasso in Findings to compare it too."
    return f"Your selection in Findings ({count(len(rows), 'sample')}) is compared too, as “your lasso”."
