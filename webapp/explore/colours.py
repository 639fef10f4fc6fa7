"""What colors the map: one byte for each row and the words of its legend. Values travel only when they are chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.records import F64, I64, Diagnosis
from core.reports.tables.columns import ShownColumn, coded, column_of, columns_of
from webapp.failure_map import drawn_of, packed
from webapp.state.events import event_of_run
from webapp.state.filters import ABSENT
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import Session

COLOUR_RANGE = (2.0, 98.0)
"""Percentiles of the values at the two ends of the color bar; what lies beyond has the color of the end."""
STEPS = 254
ZERO = 127
MISSING = 255
"""The highest byte of a value, the byte of zero on a diverging scale, and the byte of a row without a value. In step
with map_colour.js."""
MAX_HUES = 8
OTHER = 8
"""So many values have a hue and a sign of their own; the rest share one byte."""
DIVERGING = frozenset({"residual"})
MAX_LABEL = 80
"""Letters of a value in the legend."""
GROUPS = {"meta": "Your table", "property": "Measured"}


def on_colour(session: Session, event: gr.EventData) -> tuple[Session, Any]:
    """Another column was chosen to color the map: returns (session, map)."""
    session = replace(session, colour=str(event_of_run(event, session.run).get("key")))
    colours = colouring(RUNS.get(session.run), session.run, session.colour)
    return session, gr.update(colour=colours, view=view_of(session))


def choices(diagnosis: Diagnosis) -> list[dict[str, str]]:
    """What the map may be colored by: [{"key", "title", "group"}]. Plain texts, anybody's."""
    return [
        {"key": c.key, "title": c.title, "group": GROUPS.get(c.key.partition(":")[0], "This run")}
        for c in columns_of(diagnosis)
    ]


def colouring(diagnosis: Diagnosis, run: str, key: str, *, every: bool = False) -> dict[str, Any]:
    """The colors of a run by the column with that key.

    Args:
        key: from anybody: it is looked up and nothing else.
        every: as in `webapp.failure_map.map_points`.

    Returns:
        run, key, choices, title, meaning, kind ("sequential", "diverging" or "category") and `values`, packed bytes
        of the points: 0 to 254 from `low` to `high`, or a place in `legend`; 255 where the row has none. `legend` is
        [{"label", "count"}] of the hues in their order, the last one for all others where there are more; `missing`
        counts the rows without a value, and `none` says what they are.

    Raises:
        InvalidInput: the run has no such column.
    """
    column = column_of(diagnosis, key)
    if column is None:
        raise InvalidInput(f"This run has no column {key[:80]!r} to color the map by. Choose one from the list.")
    said = {"run": run, "key": key, "title": column.title, "meaning": column.meaning, "choices": choices(diagnosis)}
    if column.kind == "category":
        codes, legend = _categories(diagnosis, column)
        parts: dict[str, Any] = {"kind": "category", "legend": legend}
    else:
        diverging = key in DIVERGING
        codes, low, high = on_scale(column.values, diverging=diverging)
        parts = {"kind": "diverging" if diverging else "sequential", "low": low, "high": high}
    missing = int((codes == MISSING).sum())
    return {
        **said,
        **parts,
        "values": packed(drawn_of(codes, every=every)),
        "missing": missing,
        "none": ABSENT.get(key, "without a value"),
    }


def on_scale(values: F64, *, diverging: bool = False) -> tuple[npt.NDArray[np.uint8], float, float]:
    """(n,) bytes from 0 to 254 between the two ends, 255 for what is not finite; and the ends. A diverging scale has
    its zero at 127 and ends that are as far from it."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(values), MISSING, np.uint8), 0.0, 0.0
    low, high = (float(v) for v in np.percentile(values[known], COLOUR_RANGE))
    if diverging:
        high = max(abs(low), abs(high))
        low = -high
    span = (high - low) or 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # of values next to the largest float
        share = np.clip(np.nan_to_num((values - low) / span), 0.0, 1.0)
    return np.where(known, np.rint(share * STEPS), MISSING).astype(np.uint8), low, high


def _categories(diagnosis: Diagnosis, column: ShownColumn) -> tuple[npt.NDArray[np.uint8], list[dict[str, Any]]]:
    """(n,) the place of each row's value in the legend, and the legend."""
    names, codes = coded(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = _order(diagnosis, column.key, names)
    place = np.append(np.argsort(order), -1)[codes]  # the last: of code -1
    folded = np.where(place < 0, MISSING, np.minimum(place, OTHER)).astype(np.uint8)
    legend = [{"label": _label(column.key, names[i]), "count": int(counts[i])} for i in order[:MAX_HUES]]
    if len(names) > MAX_HUES:
        legend.append({"label": f"{len(names) - MAX_HUES:,} other", "count": int(counts[order[MAX_HUES:]].sum())})
    return folded, legend


def _order(diagnosis: Diagnosis, key: str, names: tuple[str, ...]) -> I64:
    """The most frequent first; clusters by their number, whose hue is that of the outline; predictions in the order of
    the classes, so that one class has one color in both."""
    if key == "cluster":
        rank = [int(name) for name in names]
    else:
        other = column_of(diagnosis, "class") if key == "prediction" else None
        known = {name: i for i, name in enumerate(coded(other)[0])} if other is not None else {}
        rank = [known.get(name, len(known) + i) for i, name in enumerate(names)]
    return np.argsort(rank, kind="stable").astype(np.int64)


def _label(key: str, name: str) -> str:
    short = name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"
    return f"cluster {short}" if key == "cluster" else short
