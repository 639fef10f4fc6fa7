"""The map's colors: one byte per row, and the legend. Values are sent only for the chosen column."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import numpy.typing as npt

from core.records import F64, I64, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, column_of, columns_of
from webapp.failure_map import drawn_of, packed
from webapp.markup.html import shortened
from webapp.state.events import event_of_run
from webapp.state.filters import ABSENT, shown_column
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import Session

COLOUR_RANGE = (2.0, 98.0)
"""Percentiles at the ends of the color bar, so that outliers do not squeeze it; values beyond get the end's color."""
VALUE_STEPS = 254
ZERO = 127
MISSING = 255
"""The highest byte of a value, the byte of zero on a diverging scale, and the byte of a missing value. Must match
map_colour.js."""
MAX_HUES = 8
OTHER_BYTE = 8
"""Values with their own hue and sign; the others share one byte."""
DIVERGING = frozenset({"residual"})
MAX_LABEL = 80
"""Letters of a value in the legend."""
GROUPS = {"meta": "Your table", "property": "Measured"}


def on_colour(session: Session, event: gr.EventData) -> tuple[Session, Any]:
    """Color the map by another column: returns (session, map)."""
    session = replace(session, colour=str(event_of_run(event, session.run).get("key")))
    colours = colouring(RUNS.get(session.run), session.run, session.colour)
    return session, gr.update(colour=colours, view=view_of(session))


def choices(diagnosis: Diagnosis) -> list[dict[str, str]]:
    """Return the columns that can color the map, [{"key", "title", "group"}], as untrusted plain texts."""
    return [
        {"key": c.key, "title": c.title, "group": GROUPS.get(c.key.partition(":")[0], "This run")}
        for c in columns_of(diagnosis)
    ]


def colouring(diagnosis: Diagnosis, run: str, key: str, *, every: bool = False) -> dict[str, Any]:
    """Return the colors of a run by the column with that key.

    Args:
        key: untrusted; it is only looked up.
        every: as in `webapp.failure_map.map_points`.

    Returns:
        run, key, choices, title, meaning, kind ("sequential", "diverging" or "category"), and `values`, packed bytes
        of the points: 0 to 254 from `low` to `high`, or an index in `legend`; 255 for a missing value. `legend` is
        [{"label", "count"}] in the order of the hues; the last entry collects further values. `missing` counts the
        rows without a value, and `none` names them.

    Raises:
        InvalidInput: the run has no column with this key.
    """
    column = shown_column(diagnosis, key)
    common = {"run": run, "key": key, "title": column.title, "meaning": column.meaning, "choices": choices(diagnosis)}
    if column.kind == "category":
        codes, legend = _categories(diagnosis, column)
        parts: dict[str, Any] = {"kind": "category", "legend": legend}
    else:
        diverging = key in DIVERGING
        codes, low, high = on_scale(column.values, diverging=diverging)
        kind = "sequential"
        if diverging:
            kind = "diverging"
        parts = {"kind": kind, "low": low, "high": high}
    missing = int((codes == MISSING).sum())
    return {
        **common,
        **parts,
        "values": packed(drawn_of(codes, every=every)),
        "missing": missing,
        "none": ABSENT.get(key, "without a value"),
    }


def on_scale(values: F64, *, diverging: bool = False) -> tuple[npt.NDArray[np.uint8], float, float]:
    """Return (n,) bytes from 0 to 254 between two ends, 255 for values that are not finite, and the ends. A diverging
    scale has zero at 127 and symmetric ends."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(values), MISSING, np.uint8), 0.0, 0.0
    low, high = (float(v) for v in np.percentile(values[known], COLOUR_RANGE))
    if diverging:
        high = max(abs(low), abs(high))
        low = -high
    span = (high - low) or 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # values near the largest float overflow
        share = np.clip(np.nan_to_num((values - low) / span), 0.0, 1.0)
    return np.where(known, np.rint(share * VALUE_STEPS), MISSING).astype(np.uint8), low, high


def _categories(diagnosis: Diagnosis, column: ShownColumn) -> tuple[npt.NDArray[np.uint8], list[dict[str, Any]]]:
    """Return (n,) the legend index of each row's value, and the legend."""
    names, codes = coded(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = _order(diagnosis, column.key, names)
    position = np.append(np.argsort(order), -1)[codes]  # the last entry serves code -1
    folded = np.where(position < 0, MISSING, np.minimum(position, OTHER_BYTE)).astype(np.uint8)
    before = "group " if column.key == "cluster" else ""
    labels = [before + shortened(names[i], MAX_LABEL) for i in order[:MAX_HUES]]
    legend = [{"label": label, "count": int(counts[i])} for label, i in zip(labels, order)]
    if len(names) > MAX_HUES:
        legend.append({"label": f"{len(names) - MAX_HUES:,} other", "count": int(counts[order[MAX_HUES:]].sum())})
    return folded, legend


def _order(diagnosis: Diagnosis, key: str, names: tuple[str, ...]) -> I64:
    """Return the order of the values: most frequent first. Clusters keep their number, which sets the outline's hue;
    predictions follow the order of the classes, so that a class has the same color in both."""
    if key == "cluster":
        rank = [int(name) for name in names]
    else:
        classes = None
        if key == "prediction":
            classes = column_of(diagnosis, "class")
        known = {}
        if classes is not None:
            known = {name: i for i, name in enumerate(coded(classes)[0])}
        rank = [known.get(name, len(known) + i) for i, name in enumerate(names)]
    return np.argsort(rank, kind="stable").astype(np.int64)
