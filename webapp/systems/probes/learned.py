"""What a probe worked with: the texts of each class, what it learned from, how pure that came out, and what else it has
to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Texts, support set, and the probe's own details: single values in a line, lists of records as tables, other lists
    as chips."""
    from core.systems.probes.wording import choice_name  # scipy: not needed to start the page

    known = {choice_name(str(k)): v for k, v in result.details.items()}
    plain = {k: v for k, v in known.items() if not isinstance(v, Mapping) and not _is_list(v)}
    return render(
        "learned.html.j2",
        facts=[(_title(k), _cell(v)) for k, v in plain.items()],
        details=[_detail(_title(k), v) for k, v in known.items() if k not in plain],
        support=None if result.support is None else _support(result.support, result.class_names, result.modality),
        prompts=_prompts(result) if result.prompts else None,
    )


def _prompts(result: ProbeResult) -> dict[str, Any]:
    """For each class the texts that were encoded: (class, texts, how many more)."""
    rows = [
        (name, texts[:MAX_PROMPTS], max(0, len(texts) - MAX_PROMPTS))
        for name, texts in list(zip(result.class_names, result.prompts))[:MAX_ROWS]
    ]
    return {"rows": rows, "n": sum(map(len, result.prompts)), "n_classes": len(result.prompts)}


def _support(support: Support, names: tuple[str, ...], noun: str) -> dict[str, Any]:
    """What the probe learned from: (class, images, purity by zero-shot, by the label that it was not shown); a share is
    None where it is not known."""

    def share(purity: F32 | None, c: int) -> float | None:
        return float(purity[c]) if purity is not None and isfinite(purity[c]) else None

    rows = [
        (name, int((support.labels == c).sum()), share(support.purity, c), share(support.true_purity, c))
        for c, name in list(enumerate(names))[:MAX_ROWS]
    ]
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
    """(title, kind, content) of something else that a probe has to show, plain texts: "facts", "chips", a "curve", or
    the (head, rows) of a "table"."""
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
    names = list(dict.fromkeys(str(k) for row in rows for k in row))
    if names and names[0] == "epoch" and len(rows) > 2 and (curve := _curve(rows, names[1:])):
        return "curve", curve
    return "table", (names, [[_cell(row.get(n)) for n in names] for row in rows[:MAX_ROWS]])


def _curve(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any] | None:
    """The course of training, (name, points, last value) of each figure over the epochs; None where nothing is a finite
    number."""
    series = [[(i, float(row[n])) for i, row in enumerate(rows) if isinstance(row.get(n), int | float)] for n in names]
    values = [v for own in series for _, v in own if isfinite(v)]
    if not values:
        return None
    low = min(values)
    span = max(max(values) - min(values), 1e-9)
    lines: list[tuple[str, str, float | None]] = []
    for name, own in zip(names, series):
        at = [f"{400 * i / (len(rows) - 1):.1f},{110 - 100 * (v - low) / span:.1f}" for i, v in own if isfinite(v)]
        lines.append((name, " ".join(at), own[-1][1] if own else None))
    first, last = (_cell(row["epoch"]) for row in (rows[0], rows[-1]))
    return {"lines": lines, "first": first, "last": last, "low": low, "high": low + span}


def _cell(value: Any) -> str:
    """One value in a cell (plain text): numbers shortened, lists in a line."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        return number(float(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_cell(v)}" for k, v in value.items())
    if _is_list(value):
        listed = value[:MAX_LISTED]
        return ", ".join(" ".join(map(_cell, v)) if isinstance(v, list | tuple) else _cell(v) for v in listed)
    return str(value)[:400]
