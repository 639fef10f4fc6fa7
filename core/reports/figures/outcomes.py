"""What the model answered, and its losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.checks.compare import probe_of
from core.checks.paired_errors import MODEL
from core.errors import InvalidInput
from core.numbers import count, number, percent, with_unit
from core.records import F64, I64, Bool, Diagnosis
from core.reports.figures.template import BETTER, WORSE, Trace, drawing, hover, look, plain, to_figure
from core.reports.wording.comparison import model_name
from core.reports.wording.findings import sample_noun

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BLUE = "#5f7fb8"
"""Of right answers in a matrix, and of losses without errors."""
MOST_CLASSES = 30
"""Classes whose names stand legibly beside a matrix 800 pixels wide; those with the most errors are shown."""
N_BINS = 40
TAIL = 0.99
"""Quantile at which the last bin begins, which is open: outliers would squeeze the others."""


def confusion(run: Diagnosis, model: str = MODEL, *, dark: bool = False) -> Figure:
    """How often each class is taken for each other: counts in the cells, colors by the share of the true class.

    Args:
        run: what `diagnose` or `load` gave.
        model: "model" for the one under diagnosis, or the name of a probe's result or a second model.
        dark: draws on a dark background.

    Raises:
        InvalidInput: labels or predictions are unknown, or no model is called so.
    """
    labels = run.samples.labels
    predictions = run.outcomes.predictions
    names = run.samples.class_names
    if model != MODEL:
        other = probe_of(run, model)
        labels = other.labels
        predictions = other.outcomes.predictions
        names = other.class_names
    if labels is None or predictions is None:
        raise InvalidInput(
            f"A confusion matrix needs labels and predictions: {model_name(model, run)} has losses alone. "
            "Diagnose a table with both."
        )
    k = len(names)
    both = (labels >= 0) & (predictions >= 0)
    counts = np.bincount(labels[both] * k + predictions[both], minlength=k * k).reshape(k, k)  # true by predicted
    seen = np.flatnonzero(counts.sum(0) + counts.sum(1))
    wrong = counts.sum(1) - counts.diagonal()
    shown = np.sort(seen[np.argsort(-wrong[seen], kind="stable")][:MOST_CLASSES])
    of = counts.sum(1)[shown]
    cells = counts[np.ix_(shown, shown)]
    titles = [plain(names[c]) for c in shown.tolist()]
    n = int(counts.sum())
    lead = f"Right on {n - int(wrong.sum()):,} of {count(n, sample_noun(run))}: the diagonal."
    if len(shown) < len(seen):
        lead += f" Shown: the {len(shown)} of {len(seen):,} classes with the most errors."
    colours = look(dark)
    right = np.eye(len(shown), dtype=bool)
    traces = [
        _cells(cells, of, titles, right, [[0, colours.paper], [1, BLUE]]),
        _cells(cells, of, titles, ~right & (cells > 0), [[0, colours.paper], [1, WORSE]]),
    ]
    side = max(320, 46 * len(shown))
    axis: dict[str, Any] = {"type": "category", "showgrid": False, "categoryarray": titles, "ticks": ""}
    layout = {
        "xaxis": {**axis, "title": {"text": "predicted class"}, "constrain": "domain"},
        "yaxis": {
            **axis,
            "title": {"text": "true class"},
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
        },
        "height": min(side, 900) + 160,
    }
    return to_figure(drawing(traces, layout, colours, f"What {model_name(model, run)} takes each class for", lead))


def _cells(counts: I64, of: I64, names: list[str], shown: Bool, scale: list[list[Any]]) -> Trace:
    """The cells of `shown`, by their shares of the true classes, the color up to the largest."""
    shares = counts / np.maximum(of, 1)[:, None]
    texts = list[list[str]]()
    for name, n, row in zip(names, of.tolist(), counts.tolist()):
        texts.append([f"<b>{name} → {predicted}</b><br>{cell:,} of {n:,}" for predicted, cell in zip(names, row)])
    return {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": np.where(shown, shares, np.nan).tolist(),
        "zmin": 0,
        "zmax": float(shares[shown].max(initial=0.0)) or 1.0,
        "text": np.where(shown & (counts > 0), counts.astype(str), "").tolist(),
        "texttemplate": "%{text}",
        "hovertext": texts,
        "hovertemplate": "%{hovertext} (%{z:.1%})<extra></extra>",
        "colorscale": scale,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }


def loss_histogram(run: Diagnosis, *, dark: bool = False) -> Figure:
    """How many samples have which loss, right and wrong ones apart where errors are known.

    Args:
        run: what `diagnose` or `load` gave.
        dark: draws on a dark background.

    Returns:
        Bars of 40 equal bins; the last is open and begins at the 99th percentile.
    """
    loss = run.outcomes.loss
    errors = run.outcomes.errors
    colours = look(dark)
    low = float(loss.min())
    high = float(np.quantile(loss, TAIL))
    if high <= low:
        high = max(float(loss.max()), low + 1.0)
    edges = np.linspace(low, high, N_BINS + 1)
    parts = [("samples", np.ones(len(loss), dtype=bool), BLUE)]
    if errors is not None:
        parts = [("right", ~errors, BETTER), ("wrong", errors, WORSE)]
    traces = list[Trace]()
    for name, rows, hue in parts:
        counts = np.histogram(np.minimum(loss[rows], edges[-1]), edges)[0]
        texts = [_bin_text(run, edges, i, int(n), name) for i, n in enumerate(counts.tolist())]
        traces.append(
            {
                "type": "bar",
                "name": f"{name}, {int(counts.sum()):,}",
                "x": ((edges[1:] + edges[:-1]) / 2).tolist(),
                "width": (0.92 * np.diff(edges)).tolist(),
                "y": counts.tolist(),
                "marker": {"color": hue, "line": {"width": 0}},
                "hovertext": texts,
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    unit = run.outcomes.said_unit
    layout: dict[str, Any] = {
        "barmode": "stack",
        "xaxis": {"title": {"text": f"{run.outcomes.name}, {unit}" if unit else run.outcomes.name}},
        "yaxis": {"title": {"text": f"{sample_noun(run)}s"}},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 0.98, "yanchor": "top", "traceorder": "normal"},
        "showlegend": errors is not None,
        "height": 440,
    }
    lead = f"Mean {number(float(loss.mean()))}{with_unit(run)}."
    if errors is not None:
        lead += f" {int(errors.sum()):,} of {len(loss):,} are wrong ({percent(float(errors.mean()))})."
    if float(loss.max()) > edges[-1]:
        lead += f" The last bar holds all losses above {number(float(edges[-2]))}."
    return to_figure(drawing(traces, layout, colours, f"Losses: {run.samples.name}", lead))


def _bin_text(run: Diagnosis, edges: F64, index: int, n: int, name: str) -> str:
    """Such as "12 images wrong" above "0.4 to 0.8 nats"."""
    ends = f"{number(float(edges[index]))} to {number(float(edges[index + 1]))}"
    if index == len(edges) - 2 and run.outcomes.loss.max() > edges[-1]:
        ends = f"{number(float(edges[index]))} and more"
    what = count(n, sample_noun(run))
    if run.outcomes.errors is not None:
        what += f" {name}"
    return hover(what, f"{ends}{with_unit(run)}")
