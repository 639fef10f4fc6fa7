"""The figures of a probe, in folds, and its learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradio.components.plot import PlotData

from core.numbers import number, percent
from core.records import Comparison, Diagnosis, Estimate
from core.reports.figures.template import PAGE
from core.reports.html.intervals import Axis, Mark, axis_of, dots
from core.systems.probes.records import ProbeResult
from core.systems.probes.section import section_beside
from webapp.markup.components import plotly_chart
from webapp.markup.render import section_view
from webapp.markup.shares import is_own, own_model
from webapp.systems.probes.classes import confusion_view, reliability_view
from webapp.systems.probes.learned import learned_view
from webapp.systems.probes.render import render

if TYPE_CHECKING:
    from core.systems.probes.shot_charts import ShotChart

PLOT_HEIGHT = 280
"""Pixels of the learning curves, so that images stay in sight."""


def figures_view(
    diagnosis: Diagnosis, results: Sequence[ProbeResult], result: ProbeResult, comparison: Comparison | None
) -> str:
    """The figures of one probe in folds, which stand below its groups of images."""
    section = section_beside(diagnosis, result, comparison, in_full=True)
    if comparison is None:
        why = "Your table has only losses, so your model's errors are unknown and cannot be compared."
        if is_own(diagnosis, result.name):
            why = "The model of this run is this probe itself."
        section = replace(section, lead=f"{section.lead} {why}")
    folds = [
        ("intervals", "figures, intervals and p", section_view(diagnosis, section)),
        ("confusions", "confusions", confusion_view(result)),
        ("calibration", "calibration", reliability_view(diagnosis, result)),
        ("learned", "texts and training samples", learned_view(result)),
        ("all", "all results", table_view(diagnosis, results, result)),
    ]
    chart = shot_chart_of(diagnosis, result)
    if chart is not None:
        folds.insert(0, ("shots-figures", "figures by number of shots", render("shots.html.j2", chart=chart)))
    return render("result.html.j2", folds=folds)


def shot_chart_of(diagnosis: Diagnosis, result: ProbeResult) -> ShotChart | None:
    """The learning curves with this result and others on the same rows; None without any."""
    from core.systems.probes.figures import curves_with  # scipy
    from core.systems.probes.shot_charts import shot_charts

    curves = curves_with(diagnosis, result.name)
    if curves is None:
        return None
    return shot_charts([curves])[0]


def shots_plot(diagnosis: Diagnosis, result: ProbeResult) -> PlotData | None:
    """The learning curves as `errata.figures.shots` draws them, in colors for light and dark; None without any."""
    from core.systems.probes.figures import curves_with, shots_drawing  # scipy

    curves = curves_with(diagnosis, result.name)
    if curves is None:
        return None
    return plotly_chart(shots_drawing(curves, PAGE), PLOT_HEIGHT)


def table_view(diagnosis: Diagnosis, results: Sequence[ProbeResult], shown: ProbeResult) -> str:
    """Every probe of this run, one a line; a press shows one."""
    from core.statistics.intervals import accuracy_of

    accuracies = [r.accuracy for r in results]
    model = None
    if diagnosis.outcomes.errors is not None and not any(is_own(diagnosis, r.name) for r in results):
        model = accuracy_of(diagnosis.outcomes.errors, diagnosis.samples.groups)
        accuracies.append(model)
    axis = axis_of([Mark(e) for e in accuracies], least=0.0, most=1.0)
    return render(
        "results.html.j2",
        own=model and {"accuracy": model, "dots": dots([Mark(model)], axis)},
        rows=[_line(diagnosis, r, axis) for r in results],
        shown=shown.name,
        low=percent(axis[0]),
        high=percent(axis[1]),
        mine=own_model(diagnosis),
    )


def _line(diagnosis: Diagnosis, r: ProbeResult, axis: Axis) -> dict[str, Any]:
    """One probe in the table of all."""
    return {
        "result": r,
        "dots": dots([Mark(r.accuracy)], axis),
        "over_zero_shot": next((c.gain for c in r.controls if c.name == "zero-shot"), None),
        "over_model": _difference(diagnosis, r),
        "seconds": cpu(r.seconds),
    }


def cpu(seconds: float) -> str:
    """CPU seconds, rounded (plain text)."""
    if seconds < 0.1:
        return "Under 0.1"
    return number(seconds)


def _difference(diagnosis: Diagnosis, r: ProbeResult) -> Estimate | None:
    """The probe's accuracy minus the model's; None if either has no errors."""
    from core.statistics.paired import paired_difference
    from core.systems.probes.measures import groups_of

    model_errors = diagnosis.outcomes.errors
    errors = r.outcomes.errors
    if model_errors is None or errors is None:
        return None
    return paired_difference(model_errors[r.rows], errors, groups_of(diagnosis, r))
