"""The failure map: a `gr.HTML` that draws points on a canvas and returns a lasso as a polygon.

The points are sent once, as base64 arrays. Afterwards only a bit mask is sent, or one byte per point for another color
column. Large runs draw a sample of the rows (`drawn_rows`), which bounds the transfer. The server decides which of all
rows lie inside a lasso. assets/js/failure_map.js and its neighbors do the drawing. Its events: `lasso` {run, polygon},
`point` {run, row}, `cluster` {run, cluster}, `colour` {run, key}, and `clear` {}.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.records import F32, I64, Diagnosis
from core.reports.wording.findings import cluster_title

MAX_VERTICES = 2000
MAX_DRAWN_POINTS = 100_000
"""Points drawn, a convention that bounds what is sent to the browser."""
_COORDINATE_STEPS = 65_535
"""Steps of a coordinate across the map (16 bits): less than half a pixel at the highest zoom."""
SCRIPTS = ("latest", "map_paint", "map_colour", "map_points", "map_cells", "map_outline", "failure_map", "map_hand")
"""Joined in one scope, each after its dependencies."""

NO_SELECTION: dict[str, Any] = {"count": 0}
"""An empty record, because Gradio drops None from an update."""


def drawn_rows(n: int) -> I64 | None:
    """Return the rows of n that the map draws: a random one from each of MAX_DRAWN_POINTS equal stretches, with a fixed
    seed; None for all rows."""
    if n <= MAX_DRAWN_POINTS:
        return None
    return _one_of_each(n, MAX_DRAWN_POINTS)


@lru_cache(maxsize=8)
def _one_of_each(n: int, stretches: int) -> I64:
    ends = np.arange(stretches + 1) * n // stretches
    rows = ends[:-1] + (np.random.default_rng(0).random(stretches) * np.diff(ends)).astype(np.int64)
    rows.setflags(write=False)
    return rows


def drawn_of(values: npt.NDArray[Any], *, every: bool = False) -> npt.NDArray[Any]:
    """Return the values (one per row) of the drawn rows; with `every`, all values."""
    rows = None
    if not every:
        rows = drawn_rows(len(values))
    if rows is None:
        return values
    return values[rows]


def map_points(diagnosis: Diagnosis, run: str, *, every: bool = False) -> dict[str, Any]:
    """Return the map of a diagnosis: coordinates in steps of `box`, [[lowest, step] of x, of y], and each point's
    cluster, 255 for none. Colors are separate.

    Args:
        every: draw every row. Otherwise, above MAX_DRAWN_POINTS, `gaps` holds the distance of each drawn row from the
            previous one.
    """
    n = len(diagnosis.samples)
    cluster = drawn_of(diagnosis.cluster_of()[0], every=every)
    rows = None
    if not every:
        rows = drawn_rows(n)
    gaps = ""
    if rows is not None:
        gaps = packed(np.diff(rows, prepend=0).astype("<u2"))
    steps, box = zip(*(_in_steps(drawn_of(axis, every=every)) for axis in diagnosis.map.xy.T), strict=True)
    return {
        "run": run,
        "n": len(cluster),
        "of": n,
        "gaps": gaps,
        "x": packed(steps[0]),
        "y": packed(steps[1]),
        "box": box,
        "cluster": packed(np.where(cluster < 0, 255, np.minimum(cluster, 254)).astype(np.uint8)),
        "clusters": [{"id": c.id, "name": cluster_title(diagnosis, c), "size": c.size} for c in diagnosis.clusters],
        "method": diagnosis.map.method,
    }


def _in_steps(values: F32) -> tuple[npt.NDArray[np.uint16], tuple[float, float]]:
    """Return the values as whole steps, and (lowest value, step length)."""
    if not len(values):
        return np.zeros(0, "<u2"), (0.0, 1.0)
    low = float(values.min())
    high = float(values.max())
    if not high > low:
        return np.zeros(len(values), "<u2"), (low, 1.0)
    step = (high - low) / _COORDINATE_STEPS
    return np.rint((values.astype(np.float64) - low) / step).astype("<u2"), (low, step)


def map_selection(diagnosis: Diagnosis, rows: I64, *, cluster: int | None = None) -> dict[str, Any]:
    """Return the selection as a bit mask over the drawn points; a single row not drawn also gets its position."""
    n = len(diagnosis.samples)
    drawn = drawn_rows(n)
    selection: dict[str, Any] = {"mask": row_mask(rows, n, drawn=drawn), "count": len(rows), "cluster": cluster}
    if len(rows) == 1 and drawn is not None and rows[0] not in drawn:
        selection["at"] = [float(coordinate) for coordinate in diagnosis.map.xy[rows[0]]]
    return selection


def row_mask(rows: I64, n: int, *, drawn: I64 | None = None) -> str:
    """Return a bit mask in base64: bit i of byte i // 8, least significant first, marks row i of n as selected; with
    `drawn`, the i-th of these rows."""
    mask = np.zeros(n, bool)
    mask[rows] = True
    return packed(np.packbits(mask if drawn is None else mask[drawn], bitorder="little"))


def read_polygon(payload: Any) -> tuple[tuple[float, float], ...]:
    """Check the polygon of a lasso event, which comes from the browser and is not trusted.

    Raises:
        InvalidInput: not a list of at most 2,000 pairs of finite numbers.
    """
    if not isinstance(payload, Sequence) or isinstance(payload, str) or len(payload) > MAX_VERTICES:
        raise InvalidInput(f"A lasso can have at most {MAX_VERTICES:,} points. Draw a simpler outline.")
    try:
        polygon = tuple((float(x), float(y)) for x, y in payload)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput("Each lasso point must be a pair of numbers. Draw the outline again.") from None
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in polygon):
        raise InvalidInput("Each lasso point must be finite. Draw the outline again.")
    return polygon


def rows_inside(xy: F32, polygon: Sequence[tuple[float, float]]) -> I64:
    """Return the row numbers of points inside the polygon by the even-odd rule; empty for fewer than three vertices.

    In a polygon that crosses itself, a doubly enclosed point is outside, as in a drawn figure eight.
    """
    if len(polygon) < 3 or not len(xy):
        return np.empty(0, np.int64)
    corners = np.asarray(polygon, np.float64)
    near = np.flatnonzero(((xy >= corners.min(0)) & (xy <= corners.max(0))).all(1))
    near = near[np.argsort(xy[near, 1], kind="stable")]  # an edge can only cross the rays of points between its ends
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
    """Encode the bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
