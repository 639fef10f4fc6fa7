"""What a probe worked with: the texts of each class, what it learned from, how pure that came out, and what else it has
to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from core.numbers import count, number
from core.records import F32, ProbeResult, Support
from webapp.markup.render import render

MAX_PROMPTS = 12
MAX_ROWS = 60
MAX_FACTS = 16
MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class PromptList:
    """For each class the texts that were encoded: (class, texts, how many more)."""

    rows: tuple[tuple[str, tuple[str, ...], int], ...]
    n: int
    n_classes: int


@dataclass(frozen=True, slots=True)
class SupportTable:
    """What the probe learned from: (class, images, purity by zero-shot, by the label that it was not shown); a share is
    None where it is not known."""

    source: str
    rows: tuple[tuple[str, int, float | None, float | None], ...]
    has_purity: bool
    has_true_purity: bool


@dataclass(frozen=True, slots=True)
class CurveLine:
    """One figure over the epochs."""

    name: str
    points: str
    last: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The course of training."""

    lines: tuple[CurveLine, ...]
    first: str
    last: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Detail:
    """Something else that a probe has to show: facts, chips, a curve, or a table; plain texts."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    chips: tuple[str, ...] | None = None
    curve: Curve | None = None
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def learned_view(result: ProbeResult) -> str:
    """Texts, support set, and the probe's own details: single values in a line, lists of records as tables, other lists
    as chips."""
    plain = {k: v for k, v in result.details.items() if not isinstance(v, Mapping) and not _is_list(v)}
    return render(
        "probe/learned.html.j2",
        facts=[(_title(k), _cell(v)) for k, v in plain.items()],
        details=[_detail(_title(k), v) for k, v in result.details.items() if k not in plain],
        support=None if result.support is None else _support(result.support, result.class_names),
        prompts=_prompts(result) if result.prompts else None,
    )


def _prompts(result: ProbeResult) -> PromptList:
    rows = [
        (name, tuple(texts[:MAX_PROMPTS]), max(0, len(texts) - MAX_PROMPTS))
        for name, texts in list(zip(result.class_names, result.prompts))[:MAX_ROWS]
    ]
    return PromptList(tuple(rows), sum(map(len, result.prompts)), len(result.prompts))


def _support(support: Support, names: tuple[str, ...]) -> SupportTable:
    def share(purity: F32 | None, c: int) -> float | None:
        return float(purity[c]) if purity is not None and isfinite(purity[c]) else None

    rows = [
        (name, int((support.labels == c).sum()), share(support.purity, c), share(support.true_purity, c))
        for c, name in list(enumerate(names))[:MAX_ROWS]
    ]
    source = support.source or count(len(support.ids), "image")
    return SupportTable(source, tuple(rows), support.purity is not None, support.true_purity is not None)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _title(name: object) -> str:
    return str(name)[:1].upper() + str(name)[1:]


def _detail(title: str, value: Any) -> Detail:
    if isinstance(value, Mapping):
        if len(value) <= MAX_FACTS and not any(isinstance(v, Mapping | list | tuple) for v in value.values()):
            facts = [(_title(k).replace("_", " "), _cell(v) or "none") for k, v in value.items()]
            return Detail(title, facts=tuple(facts))
        return Detail(title, rows=tuple((str(k), _cell(v)) for k, v in list(value.items())[:MAX_ROWS]))
    if value and all(isinstance(v, Mapping) for v in value):
        return _records(title, value)
    if value and all(map(_is_list, value)):
        return Detail(title, rows=tuple(tuple(map(_cell, row)) for row in value[:MAX_ROWS]))
    return Detail(title, chips=tuple(map(_cell, value[:MAX_ROWS])))


def _records(title: str, rows: Sequence[Mapping[str, Any]]) -> Detail:
    names = list(dict.fromkeys(str(k) for row in rows for k in row))
    if names and names[0] == "epoch" and len(rows) > 2 and (curve := curve_of(rows, names[1:])):
        return Detail(title, curve=curve)
    cells = tuple(tuple(_cell(row.get(n)) for n in names) for row in rows[:MAX_ROWS])
    return Detail(title, head=tuple(names), rows=cells)


def curve_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Curve | None:
    """The course of training: one line for each figure over the epochs; None where nothing is a finite number."""
    series = [[(i, float(row[n])) for i, row in enumerate(rows) if isinstance(row.get(n), int | float)] for n in names]
    values = [v for own in series for _, v in own if isfinite(v)]
    if not values:
        return None
    low, span = min(values), max(max(values) - min(values), 1e-9)
    lines: list[CurveLine] = []
    for name, own in zip(names, series):
        at = [f"{400 * i / (len(rows) - 1):.1f},{110 - 100 * (v - low) / span:.1f}" for i, v in own if isfinite(v)]
        lines.append(CurveLine(name, " ".join(at), own[-1][1] if own else None))
    return Curve(tuple(lines), _cell(rows[0]["epoch"]), _cell(rows[-1]["epoch"]), low, low + span)


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
