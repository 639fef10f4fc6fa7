"""The failure map: a `gr.HTML` that draws points on a canvas and hands a lasso back as a polygon.

The points travel once, as base64 arrays; afterwards only a small bit mask does, or a byte for each row where another
column colours them. Which rows lie inside a lasso is decided here, not in the browser. The drawing itself is in
assets/js/failure_map.js and its neighbours.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.records import F32, I64, Diagnosis
from core.reports.wording.findings import cluster_title
from webapp.markup.components import script
from webapp.markup.render import render

MAX_VERTICES = 2000
SCRIPTS = ("latest", "map_paint", "map_colour", "map_points", "map_cells", "map_outline", "failure_map", "map_hand")
"""In one scope, each after what it uses."""

NO_SELECTION: dict[str, Any] = {"count": 0}
"""An empty record, since Gradio leaves a None out of an update."""


def map_view(
    value: dict[str, Any] | None,
    *,
    describe: Callable[[Any], Any],
    elem_id: str = "map",
    view: Any = None,
    colour: Any = None,
) -> gr.HTML:
    """The map as a component; events `lasso` {run, polygon}, `point` {run, row}, `cluster` {run, cluster}, `colour`
    {run, key} and `clear` {}.

    Args:
        value: what `map_points` gives; None draws nothing.
        colour: what `webapp.explore.colours.colouring` gives of the same run; nothing is drawn without it.
        describe: called with [run, row] while the mouse rests on a point; returns {"src", "title", "lines"} or None.
        elem_id: the element's id on the page.
        view: what `webapp.state.query.view_of` gives, handed on to the page's address.

    A plain `gr.HTML` and no subclass: Gradio writes a stub file beside the source of every subclass that it meets.
    """
    return gr.HTML(
        value,
        html_template=render("failure_map.html.j2"),
        js_on_load="\n".join(script(name) for name in SCRIPTS),
        apply_default_css=False,
        server_functions=[describe],
        elem_id=elem_id,
        selection=NO_SELECTION,
        view=view,
        colour=colour,
    )


def map_points(diagnosis: Diagnosis, run: str) -> dict[str, Any]:
    """Where the map draws a diagnosis: coordinates, and the cluster of each row. Its colours come beside it."""
    cluster, _ = diagnosis.cluster_of()
    return {
        "run": run,
        "n": len(diagnosis.samples),
        "x": packed(diagnosis.map.xy[:, 0].astype("<f4")),
        "y": packed(diagnosis.map.xy[:, 1].astype("<f4")),
        "cluster": packed(np.minimum(cluster, 254).astype("<i2")),
        "clusters": [{"id": c.id, "name": cluster_title(diagnosis, c), "size": c.size} for c in diagnosis.clusters],
        "method": diagnosis.map.method,
    }


def map_selection(rows: I64, n: int, *, cluster: int | None = None) -> dict[str, Any]:
    """The selection as a bit mask: bit i of byte i // 8, least significant first."""
    mask = np.zeros(n, bool)
    mask[rows] = True
    return {"mask": packed(np.packbits(mask, bitorder="little")), "count": len(rows), "cluster": cluster}


def read_polygon(payload: Any) -> tuple[tuple[float, float], ...]:
    """The polygon of a lasso event, checked: it comes from the browser, so nothing about it is trusted.

    Raises:
        InvalidInput: not a list of at most 2,000 pairs of finite numbers.
    """
    if not isinstance(payload, Sequence) or isinstance(payload, str) or len(payload) > MAX_VERTICES:
        raise InvalidInput(f"A lasso must be a list of at most {MAX_VERTICES:,} points. Draw a simpler outline.")
    try:
        polygon = tuple((float(x), float(y)) for x, y in payload)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput("Each point of a lasso must be a pair of numbers. Draw the outline again.") from None
    if not all(math.isfinite(v) for point in polygon for v in point):
        raise InvalidInput("Each point of a lasso must be finite. Draw the outline again.")
    return polygon


def rows_inside(xy: F32, polygon: Sequence[tuple[float, float]]) -> I64:
    """Row numbers of the points inside the polygon, by the even-odd rule; empty for fewer than three vertices.

    A polygon that crosses itself counts a doubly enclosed point as outside, as a drawn figure eight suggests.
    """
    if len(polygon) < 3 or not len(xy):
        return np.empty(0, np.int64)
    corners = np.asarray(polygon, np.float64)
    near = np.flatnonzero(((xy >= corners.min(0)) & (xy <= corners.max(0))).all(1))
    near = near[np.argsort(xy[near, 1], kind="stable")]  # an edge can cross only the ray of points of its heights
    x, y = xy[near, 0].astype(np.float64), xy[near, 1].astype(np.float64)
    inside = np.zeros(len(near), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0)):
        if y0 == y1:
            continue
        at = slice(*np.searchsorted(y, [min(y0, y1), max(y0, y1)]))
        inside[at] ^= x[at] < (x1 - x0) * (y[at] - y0) / (y1 - y0) + x0
    return np.sort(near[inside]).astype(np.int64)


def packed(values: npt.NDArray[Any]) -> str:
    """The bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
