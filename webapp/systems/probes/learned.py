"""A probe's texts of each class, its training samples with their purity, and its other details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from math import isfinite
from typing import Any

import numpy as np

from core.numbers import count, number
from core.records import F32
from core.systems.probes.records import ProbeResult, Support
from webapp.systems.probes.render import render

MAX_PROMPTS = 12
MAX_ROWS = 60
MAX_FACTS = 16
MAX_LISTED = 20


def learned_view(result: ProbeResult) -> str:
    """Texts, support set and details: single values in a line, lists of records as tables, other lists as chips."""
    from core.systems.probes.wording import choice_name  # scipy: not needed to start the page

    facts: list[tuple[str, str]] = []
    details: list[tuple[str, str, Any]] = []
    for key, value in result.details.items():
        title = _title(choice_name(str(key)))
        if isinstance(value, Mapping) or _is_list(value):
            details.append(_detail(title, value))
        else:
            facts.append((title, _cell(value)))
    support = None
    if result.support is not None:
        support = _support(result.support, result.class_names, result.modality)
    prompts = None
    if result.prompts:
        prompts = _prompts(result)
    return render("learned.html.j2", facts=facts, details=details, support=support, prompts=prompts)


def _prompts(result: ProbeResult) -> dict[str, Any]:
    """The encoded texts of each class: (class, texts, number of further texts)."""
    rows: list[tuple[str, tuple[str, ...], int]] = []
    for name, texts in islice(zip(result.class_names, result.prompts), MAX_ROWS):
        rows.append((name, texts[:MAX_PROMPTS], max(0, len(texts) - MAX_PROMPTS)))
    return {"rows": rows, "n": sum(map(len, result.prompts)), "n_classes": len(result.prompts)}


def _support(support: Support, names: tuple[str, ...], noun: str) -> dict[str, Any]:
    """The training samples: (class, images, purity by zero-shot, purity by hidden labels); None for an unknown
    share."""

    def share(purity: F32 | None, c: int) -> float | None:
        if purity is None or not isfinite(purity[c]):
            return None
        return float(purity[c])

    rows: list[tuple[str, int, float | None, float | None]] = []
    for c, name in enumerate(names[:MAX_ROWS]):
        n = int((support.labels == c).sum())
        rows.append((name, n, share(support.purity, c), share(support.true_purity, c)))
    return {
        "source": support.source or count(len(support.ids), noun),
        "rows": rows,
        "has_purity": support.purity is not None,
        "has_true_purity": support.true_purity is not None,
    }


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _title(name: object) -> str:
    return str(name)[:1].upper() + str(name)[1:]


def _detail(title: str, value: Any) -> tuple[str, str, Any]:
    """(title, kind, content) of a detail, in plain text: "facts", "chips", a "curve", or the (head, rows) of a
    "table"."""
    if isinstance(value, Mapping):
        if len(value) <= MAX_FACTS and not any(isinstance(v, Mapping | list | tuple) for v in value.values()):
            return title, "facts", [(_title(k).replace("_", " "), _cell(v) or "none") for k, v in value.items()]
        return title, "table", ((), [(k, _cell(v)) for k, v in list(value.items())[:MAX_ROWS]])
    if value and all(isinstance(v, Mapping) for v in value):
        return title, *_records(value)
    if value and all(map(_is_list, value)):
        return title, "table", ((), [[*map(_cell, row)] for row in value[:MAX_ROWS]])
    return title, "chips", [*map(_cell, value[:MAX_ROWS])]


def _records(rows: Sequence[Mapping[str, Any]]) -> tuple[str, Any]:
    names = list(dict.fromkeys(map(str, chain.from_iterable(rows))))
    if names and names[0] == "epoch" and len(rows) > 2:
        curve = _curve(rows, names[1:])
        if curve is not None:
            return "curve", curve
    return "table", (names, [[_cell(row.get(n)) for n in names] for row in rows[:MAX_ROWS]])


def _curve(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any] | None:
    """The training curve, (name, points, last value) of each figure over the epochs; None without finite numbers."""
    series: list[list[tuple[int, float]]] = []  # (epoch, value) of each figure
    values: list[float] = []
    for n in names:
        points = [(i, float(row[n])) for i, row in enumerate(rows) if isinstance(row.get(n), int | float)]
        series.append(points)
        values += [v for _, v in points if isfinite(v)]
    if not values:
        return None
    low = min(values)
    span = max(max(values) - low, 1e-9)
    lines: list[tuple[str, str, float | None]] = []
    for name, points in zip(names, series):
        at = [f"{400 * i / (len(rows) - 1):.1f},{110 - 100 * (v - low) / span:.1f}" for i, v in points if isfinite(v)]
        lines.append((name, " ".join(at), points[-1][1] if points else None))
    first = _cell(rows[0]["epoch"])
    last = _cell(rows[-1]["epoch"])
    return {"lines": lines, "first": first, "last": last, "low": low, "high": low + span}


def _cell(value: Any) -> str:
    """One value in a cell (plain text): numbers rounded, lists in a line."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        return number(float(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_cell(v)}" for k, v in value.items())
    if _is_list(value):
        cells: list[str] = []
        for v in value[:MAX_LISTED]:
            cells.append(" ".join(map(_cell, v)) if isinstance(v, list | tuple) else _cell(v))
        return ", ".join(cells)
    return str(value)[:400]
