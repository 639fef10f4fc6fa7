"""The failure map: a `gr.HTML` that draws points on a canvas and hands a lasso back as a polygon.

The points travel once, as base64 arrays; afterwards only a small bit mask does, or a byte for each point where another
column colors them. Of many rows some are drawn (`drawn_rows`), so that what is sent is bounded. Which rows lie inside
a lasso is decided here, among all, not in the browser. The drawing itself is in assets/js/failure_map.js and its
neighbors.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
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
MOST_DRAWN = 100_000
"""Points that are drawn."""
_FINEST = 65_535
"""Steps of a coordinate from one end of the map to the other: less than half a pixel at the closest look."""
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


def drawn_rows(n: int) -> I64 | None:
    """Which of n rows the map draws: one by chance of each of MOST_DRAWN stretches of one length, always the same ones;
    None for all of them."""
    return None if n <= MOST_DRAWN else _one_of_each(n, MOST_DRAWN)


@lru_cache(maxsize=8)
def _one_of_each(n: int, stretches: int) -> I64:
    ends = np.arange(stretches + 1) * n // stretches
    rows = ends[:-1] + (np.random.default_rng(0).random(stretches) * np.diff(ends)).astype(np.int64)
    rows.setflags(write=False)
    return rows


def drawn_of(values: npt.NDArray[Any], *, every: bool = False) -> npt.NDArray[Any]:
    """Of one value for each row those of the rows that are drawn; with `every` all."""
    rows = None if every else drawn_rows(len(values))
    return values if rows is None else values[rows]


def map_points(diagnosis: Diagnosis, run: str, *, every: bool = False) -> dict[str, Any]:
    """Where the map draws a diagnosis: coordinates in steps of `box`, [[lowest, step] of x, of y], and the cluster of
    each point, 255 for none. Its colors come beside it.

    Args:
        every: draw every row, however many there are. Else, of more than MOST_DRAWN, `gaps` says which are drawn: how
            far each is from the one before.
    """
    n = len(diagnosis.samples)
    cluster = drawn_of(diagnosis.cluster_of()[0], every=every)
    rows = None if every else drawn_rows(n)
    steps, box = zip(*(_in_steps(drawn_of(axis, every=every)) for axis in diagnosis.map.xy.T), strict=True)
    return {
        "run": run,
        "n": len(cluster),
        "of": n,
        "gaps": "" if rows is None else packed(np.diff(rows, prepend=0).astype("<u2")),
        "x": packed(steps[0]),
        "y": packed(steps[1]),
        "box": box,
        "cluster": packed(np.where(cluster < 0, 255, np.minimum(cluster, 254)).astype(np.uint8)),
        "clusters": [{"id": c.id, "name": cluster_title(diagnosis, c), "size": c.size} for c in diagnosis.clusters],
        "method": diagnosis.map.method,
    }


def _in_steps(values: F32) -> tuple[npt.NDArray[np.uint16], tuple[float, float]]:
    """The values as whole steps, and (lowest value, length of a step)."""
    low, high = (float(end) for end in (values.min(initial=np.inf), values.max(initial=-np.inf)))
    if not high > low:
        return np.zeros(len(values), "<u2"), (low if len(values) else 0.0, 1.0)
    step = (high - low) / _FINEST
    return np.rint((values.astype(np.float64) - low) / step).astype("<u2"), (low, step)


def map_selection(diagnosis: Diagnosis, rows: I64, *, cluster: int | None = None) -> dict[str, Any]:
    """The selection as a bit mask over the points that are drawn; of a single row that is not drawn also where it
    lies."""
    n = len(diagnosis.samples)
    drawn = drawn_rows(n)
    said: dict[str, Any] = {"mask": row_mask(rows, n, drawn=drawn), "count": len(rows), "cluster": cluster}
    if len(rows) == 1 and drawn is not None and rows[0] not in drawn:
        said["at"] = [float(place) for place in diagnosis.map.xy[rows[0]]]
    return said


def row_mask(rows: I64, n: int, *, drawn: I64 | None = None) -> str:
    """Bit i of byte i // 8, least significant first, says whether row i of n is among the rows; with `drawn`, the i-th
    of these."""
    mask = np.zeros(n, bool)
    mask[rows] = True
    return packed(np.packbits(mask if drawn is None else mask[drawn], bitorder="little"))


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
    x = xy[near, 0].astype(np.float64)
    y = xy[near, 1].astype(np.float64)
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
