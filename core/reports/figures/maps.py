"""The map of a run, and what a lasso on it chose."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.data.inline import InlinePictures
from core.errors import InvalidInput
from core.numbers import with_unit
from core.program import missing_dependency
from core.records import I64, Diagnosis
from core.reports.figures.template import HUES, Look, Trace, drawing, label, look, plain, to_figure
from core.reports.html.charts import LossScale
from core.reports.wording.findings import cluster_title
from core.reports.wording.verdict import verdict

if TYPE_CHECKING:
    from ipywidgets import HBox
    from plotly.graph_objects import Figure, FigureWidget

METHODS = {"umap": "UMAP", "pca": "PCA"}
IMAGE_SIZE = 260
"""Longest side in pixels of the image beside the map."""
MOST_BYTES = 100_000_000
"""Bound on all images that one map shows in a notebook."""


def map(run: Diagnosis, *, by: Literal["group", "loss"] = "group", dark: bool = False) -> Figure | FigureWidget:
    """The map of the samples: a point each, its group, id, answer, and loss under the pointer.

    Args:
        run: what `diagnose` or `load` gave.
        by: what colors the points: their group, or their loss with the highest on top.
        dark: draws on a dark background.

    Returns:
        A FigureWidget in a notebook with anywidget: `figures.selected` gives the rows of its lasso. Else a Figure.
    """
    colours = look(dark)
    traces = _by_group(run, colours) if by == "group" else [_by_loss(run, colours)]
    method = METHODS[run.map.method]
    hidden = {"showgrid": False, "showticklabels": False}
    # The axes have no unit: their titles say what nearness means.
    layout = {
        "xaxis": {**hidden, "title": {"text": f"{method}: nearby points look similar to the encoder; no unit"}},
        "yaxis": {**hidden, "scaleanchor": "x"},
        "dragmode": "lasso",
        "height": 640,
        "annotations": _badges(run) if by == "group" else [],
        # Below: titles beside the map would leave a notebook's cell half of its width.
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
    }
    figure = to_figure(drawing(traces, layout, colours, run.samples.name, verdict(run)))
    if _in_notebook():
        from plotly.graph_objects import FigureWidget

        return FigureWidget(figure)
    return figure


def _by_group(run: Diagnosis, colours: Look) -> list[Trace]:
    """The samples outside groups, then each group, the first in rank on top."""
    groups, _ = run.cluster_of()
    name = "In no group"
    if not run.clusters:
        name = "Samples"
    traces = [_points(run, np.flatnonzero(groups < 0), name, {"color": colours.rest, "size": 4, "opacity": 0.8})]
    traces[0]["legendrank"] = 1001  # plotly counts from 1000
    for cluster in reversed(run.clusters):
        rows = np.flatnonzero(groups == cluster.id)
        marker = {"color": HUES[cluster.id % len(HUES)], "size": 6, "opacity": 0.85}
        title = f"{cluster.id + 1}. {cluster_title(run, cluster)}"
        traces.append({**_points(run, rows, title, marker), "legendrank": cluster.id + 1})
    return traces


def _by_loss(run: Diagnosis, colours: Look) -> Trace:
    """All samples, the highest loss on top; the colors run from the 2nd to the 98th percentile."""
    loss = run.outcomes.loss
    title = run.outcomes.name
    if run.outcomes.said_unit:
        title = f"{title}, {run.outcomes.said_unit}"
    rows = np.argsort(loss, kind="stable")
    scale = LossScale.of(loss)
    steps = np.linspace(0, 1, len(colours.losses)).tolist()
    marker = {
        "size": 5,
        "color": loss[rows].astype(np.float32),
        "colorscale": [list(stop) for stop in zip(steps, colours.losses)],
        "cmin": scale.low,
        "cmax": scale.high,
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0},
    }
    return _points(run, rows, run.samples.name, marker)


def _points(run: Diagnosis, rows: I64, title: str, marker: dict[str, Any]) -> Trace:
    """Points of these rows. Arrays travel as bytes, 32 bits a number, and a title once."""
    xy = run.map.xy[rows].astype(np.float32)
    answers = _answers(run, rows)
    loss = f"{plain(run.outcomes.name)} %{{customdata[1]:.3~r}}{with_unit(run)}"
    lines = ["<b>%{meta}</b>", "%{text}", *["%{hovertext}"] * (answers is not None), loss]
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": label(title),
        "meta": plain(title),
        "x": xy[:, 0],
        "y": xy[:, 1],
        "text": [plain(run.samples.ids[row]) for row in rows.tolist()],
        "hovertext": answers,
        "customdata": np.column_stack([rows, run.outcomes.loss[rows]]).astype(np.float32),
        "hovertemplate": f"{'<br>'.join(lines)}<extra></extra>",
        "marker": {**marker, "line": {"width": 0}},
    }


def _answers(run: Diagnosis, rows: I64) -> list[str] | None:
    """Of each row its label, and the prediction where that is another; None without labels."""
    labels = run.samples.labels
    if labels is None:
        return None
    predictions = run.outcomes.predictions
    if predictions is None:
        predictions = labels
    names = [*(plain(name) for name in run.samples.class_names), ""]  # -1: unknown
    answers = list[str]()
    for true, predicted in zip(labels[rows].tolist(), predictions[rows].tolist()):
        answer = names[true]
        if predicted not in (true, -1):
            answer = f"{answer} → {names[predicted]}"
        answers.append(answer)
    return answers


def _badges(run: Diagnosis) -> list[dict[str, Any]]:
    """The number of each group at the member nearest to its middle."""
    groups, _ = run.cluster_of()
    badges = list[dict[str, Any]]()
    for cluster in run.clusters:
        members = run.map.xy[groups == cluster.id]
        if not len(members):
            continue
        middle = np.abs(members - np.median(members, axis=0)).sum(1).argmin()
        x, y = members[middle].tolist()
        badges.append(
            {
                "x": x,
                "y": y,
                "text": f"<b>{cluster.id + 1}</b>",
                "showarrow": False,
                "font": {"color": "#ffffff", "size": 14},
                "bgcolor": HUES[cluster.id % len(HUES)],
                "bordercolor": "#ffffff",
                "borderpad": 4,
            }
        )
    return badges


def _in_notebook() -> bool:
    """Whether a kernel runs this, and widgets can be shown."""
    if "IPython" not in sys.modules:
        return False
    shell: Any = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None and find_spec("anywidget") is not None


def selected(figure: Any) -> I64:
    """The rows that a lasso or a box chose on a map in a notebook, ascending: row numbers of the run.

    Args:
        figure: what `figures.map` gave. Without a choice, or where it is no widget, no row is chosen.
    """
    if not isinstance(getattr(figure, "data", None), tuple):
        raise InvalidInput(
            f"selected takes what figures.map gave: got {type(figure).__name__}. Keep the widget's name."
        )
    rows = [np.empty(0)]
    for trace in figure.data:
        if trace.selectedpoints is not None:
            rows.append(np.asarray(trace.customdata)[list(trace.selectedpoints), 0])
    return np.sort(np.concatenate(rows)).astype(np.int64)


def browse(run: Diagnosis, *, by: Literal["group", "loss"] = "group", dark: bool = False) -> HBox:
    """The map in a notebook, and beside it the image of the point under the pointer.

    Args:
        run: what `diagnose` or `load` gave.
        by: as of `figures.map`.
        dark: as of `figures.map`.

    Returns:
        A box of two widgets; its first is the map, for `figures.selected`.

    Raises:
        MissingDependency: anywidget or plotly is not installed.
    """
    try:
        from ipywidgets import HTML, HBox
        from plotly.graph_objects import FigureWidget

        widget: Any = FigureWidget(map(run, by=by, dark=dark))
    except ModuleNotFoundError as error:
        raise missing_dependency(error, "A map with images") or error from error
    except ImportError as error:  # plotly's own words of a missing anywidget
        missing = ModuleNotFoundError(name="anywidget")
        raise missing_dependency(missing, "A map with images") or error from error
    pictures = InlinePictures(run.samples.items, MOST_BYTES, IMAGE_SIZE, run.samples.modality)
    beside = HTML("Point at a sample.", layout={"width": f"{IMAGE_SIZE + 20}px"})

    def show(trace: Any, points: Any, _: Any) -> None:
        for point in points.point_inds[:1]:
            row = int(trace.customdata[point][0])
            image = pictures.address(row)
            shown = f'<img alt="" src="{image}" style="max-width: 100%">' if image else ""
            beside.value = f"{shown}<p>{plain(run.samples.ids[row])}</p>"

    for trace in widget.data:
        trace.on_hover(show)
    return HBox([widget, beside])
