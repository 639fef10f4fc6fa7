"""Frozen findings, and what fresh samples made of them: dot and whisker beside the figures."""

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
    """How many findings fail again on fresh samples, as a heading (plain text)."""
    said = replication_sentence(prediction).rstrip(".")
    return said[:1].upper() + said[1:]


def prediction_view(diagnosis: Diagnosis, prediction: Prediction) -> str:
    """The whole result: headline, the findings, what a person would have picked, notes, and the digest."""
    fresh = "" if "held-out" in prediction.source else f"{count(prediction.n_fresh, 'fresh sample')} of "
    notes = list(prediction.notes)
    if prediction.excluded:
        sample, reason = prediction.excluded[0]
        notes.append(f"{count(len(prediction.excluded), 'fresh sample')} left out, such as {sample}: {reason}.")
    return render(
        "predict/result.html.j2",
        headline=headline(prediction),
        lead=f"Tried on {fresh}{prediction.source}, which the search never saw. {WHICH_COUNTS}",
        tables=prediction_tables(diagnosis, prediction),
        notes=notes,
        digest=prediction.digest,
    )


def frozen_view(diagnosis: Diagnosis, frozen: Frozen) -> str:
    """What is fixed before fresh samples are opened: each finding with the error rate or mean loss that it predicts,
    apart by measure, and one hash over all."""
    groups: list[dict[str, Any]] = []
    for measure in MEASURES:
        own = [f for f in frozen.findings if f.measure == measure]
        style = MeasureStyle.of(diagnosis, measure)
        axis = measure_axis(style, [f.predicted for f in own])
        lines = [_frozen_line(diagnosis, f, style, axis) for f in own]
        name = measure_name(diagnosis, measure)
        groups += [{"measure": name, "findings": lines[:MAX_UNFOLDED], "more": lines[MAX_UNFOLDED:]}] if own else []
    return render(
        "predict/frozen.html.j2",
        groups=groups,
        n=len(frozen.findings),
        digest=frozen.digest,
        sensitivity=sensitivity_sentence(diagnosis),
    )


def _frozen_line(diagnosis: Diagnosis, finding: FrozenFinding, style: MeasureStyle, axis: Axis) -> dict[str, Any]:
    cluster = diagnosis.clusters[finding.index] if finding.kind == "cluster" else None
    name = f"{cluster.id + 1}: {cluster_title(diagnosis, cluster)}" if cluster else finding.text
    scope = "" if cluster or finding.scope == EVERYTHING or finding.scope in name else f" ({finding.scope})"
    return {
        "name": name + scope,
        "kind": finding.kind,
        "dots": dots([Mark(finding.predicted, "predicted")], axis),
        "value": style.value(finding.predicted.value),
        "interval": style.interval(finding.predicted),
    }


def selection_line(rows: Sequence[int]) -> str:
    """Whether a lasso goes along."""
    if not len(rows):
        return "A lasso that you draw in Explore goes along, for comparison."
    return f"Your selection of {count(len(rows), 'sample')} in Explore goes along as “your lasso”."
