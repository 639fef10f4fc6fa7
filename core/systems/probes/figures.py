"""Figures of probes, as `errata.figures` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.checks.compare import probe_of
from core.checks.paired_errors import MODEL
from core.errors import InvalidInput
from core.numbers import count, with_interval
from core.records import Diagnosis
from core.reports.figures.template import HUES, Drawing, Look, Trace, drawing, error_bars, hover, look, plain, to_figure
from core.reports.wording.comparison import model_name, share
from core.reports.wording.findings import sample_noun
from core.systems.probes.measures import Bin, reliability as bins_of
from core.systems.probes.records import ProbeResult
from core.systems.probes.shot_curves import ShotCurve, ShotCurves, shot_curves
from core.systems.probes.wording import curve_sentence, curves_lead

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def shots(run: Diagnosis, result: str | None = None, *, dark: bool = False) -> Figure:
    """How many labeled samples it takes: a probe's accuracy over the labeled samples a class, beside zero-shot.

    Args:
        run: with a probe of two numbers of shots or more, such as `probe --shots 1,4,16`.
        result: name of a result on the curve; by default the latest curve.
        dark: draws on a dark background.

    Raises:
        InvalidInput: the run has no curve, or none with that result.
    """
    curves = curves_with(run, result)
    if curves is None:
        of = f" with the result {result!r}" if result else ""
        raise InvalidInput(
            f"The run has no curve over labeled samples{of}. Run a probe with several numbers of shots: "
            "probe --shots 1,4,16."
        )
    lead = curves_lead(curves)
    if len(curves.curves) == 1:
        lead = curve_sentence(curves.curves[0])
    title = "How many labeled samples does it take?"
    return to_figure(shots_drawing(curves, look(dark), title, lead))


def curves_with(run: Diagnosis, result: str | None = None) -> ShotCurves | None:
    """The latest curves, or those that hold the result of that name; None without any."""
    for curves in reversed(shot_curves(run)):
        names = {point.result for curve in curves.curves for point in curve.points}
        if result is None or result in names:
            return curves
    return None


def shots_drawing(curves: ShotCurves, colours: Look, title: str = "", lead: str = "") -> Drawing:
    """What `shots` draws; without a title for the page."""
    numbers = sorted({point.shots for curve in curves.curves for point in curve.points})
    traces = [_curve(curve, hue) for curve, hue in zip(curves.curves, HUES * len(curves.curves))]
    zero = {curve.zero_shot.value: curve.zero_shot for curve in curves.curves if curve.zero_shot is not None}
    for value, estimate in zero.items():
        traces.append(
            {
                "x": [numbers[0], numbers[-1]],
                "y": [value] * 2,
                "mode": "lines",
                "name": "zero-shot",
                "line": {"color": colours.soft, "dash": "dash", "width": 2},
                "hovertext": [hover("zero-shot", f"{share(estimate)} right.")] * 2,
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    layout: dict[str, Any] = {
        "xaxis": {
            "type": "log",
            "tickvals": numbers,
            "minor": {"ticks": ""},
            "title": {"text": f"labeled {curves.modality}s a class"},
        },
        "yaxis": {"tickformat": ".0%", "title": {"text": f"right, of {count(curves.n, curves.modality)}"}},
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": -0.22, "yanchor": "top"},
        "height": 440,
    }
    return drawing(traces, layout, colours, title, lead)


def _curve(curve: ShotCurve, hue: str) -> Trace:
    accuracies = [point.accuracy for point in curve.points]
    return {
        "x": [point.shots for point in curve.points],
        "y": [accuracy.value for accuracy in accuracies],
        "error_y": error_bars(accuracies),
        "mode": "lines+markers",
        "name": plain(curve.name),
        "line": {"color": hue, "width": 2},
        "marker": {"size": 9},
        "hovertext": [hover(point.result, f"{share(point.accuracy)} right.") for point in curve.points],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def reliability(run: Diagnosis, model: str = MODEL, *, dark: bool = False) -> Figure:
    """Whether confidence is accuracy: the share that is right in bins of equal count by confidence.

    Args:
        run: what `diagnose` or `load` gave.
        model: "model" for the one under diagnosis, or the name of a probe's result.
        dark: draws on a dark background.

    Raises:
        InvalidInput: the model's probabilities or errors are unknown, or no model is called so.
    """
    outcomes = run.outcomes
    groups = run.samples.groups
    result = None
    if model != MODEL:
        result = probe_of(run, model)
        outcomes = result.outcomes
        groups = None if groups is None else groups[result.rows]
    if outcomes.scores is None or outcomes.errors is None:
        raise InvalidInput(
            f"A reliability diagram needs probabilities and labels: {model_name(model, run)} has none. "
            "Diagnose a table with a probability of each class."
        )
    bins = bins_of(outcomes.scores.max(1), ~outcomes.errors, groups)
    lead = f"Each dot is about {bins[0].n:,} of {count(len(outcomes.loss), sample_noun(run))}."
    if isinstance(result, ProbeResult):
        error = with_interval(result.calibration_error, share=True)
        lead = f"Expected calibration error {error}. {lead}"
    title = f"Does the confidence of {model_name(model, run)} hold?"
    return to_figure(reliability_drawing(bins, look(dark), title, lead))


def reliability_drawing(bins: Sequence[Bin], colours: Look, title: str = "", lead: str = "") -> Drawing:
    """What `reliability` draws; without a title for the page."""
    even: Trace = {
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "line": {"color": colours.soft, "dash": "dot", "width": 1.5},
        "hoverinfo": "skip",
    }
    texts = list[str]()
    for part in bins:
        confidence = f"{100 * part.confidence:.0f}% confident"
        texts.append(hover(f"{confidence}", f"{share(part.accuracy)} of {part.n:,} right."))
    dots: Trace = {
        "x": [part.confidence for part in bins],
        "y": [part.accuracy.value for part in bins],
        "error_y": error_bars([part.accuracy for part in bins]),
        "mode": "markers",
        "marker": {"size": 10, "color": HUES[3]},
        "hovertext": texts,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    side: dict[str, Any] = {"range": [-0.02, 1.02], "tickformat": ".0%"}
    notes = [("over-confident", 0.97, 0.04, "right"), ("under-confident", 0.03, 0.96, "left")]
    annotations = [
        {"text": text, "x": x, "y": y, "xanchor": anchor, "showarrow": False, "font": {"color": colours.soft}}
        for text, x, y, anchor in notes
    ]
    layout: dict[str, Any] = {
        "xaxis": {**side, "title": {"text": "confidence: probability of the predicted class"}, "constrain": "domain"},
        "yaxis": {**side, "title": {"text": "right"}, "scaleanchor": "x"},
        "annotations": annotations,
        "showlegend": False,
        "hovermode": "closest",
        "height": 540,
    }
    return drawing([even, dots], layout, colours, title, lead)
