"""A probe's texts of each class, its training samples with their purity, and its other details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np

from core.numbers import count, number, percent
from core.records import F32
from core.systems.probes.records import ProbeResult, Support
from webapp.systems.probes.render import render

MAX_PROMPTS = 12
MAX_ROWS = 60
MAX_LISTED = 20
Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""(title, head, rows), as plain texts."""


def learned_view(result: ProbeResult) -> str:
    """Details in lines, lists of records as tables, the training samples, and the encoded texts of each class."""
    from core.systems.probes.wording import choice_name  # scipy: not needed to start the page

    facts: list[tuple[str, str]] = []
    tables: list[Table] = []
    for key, value in result.details.items():
        name = choice_name(str(key))
        title = name[:1].upper() + name[1:]
        if _is_list(value) and value and all(isinstance(row, Mapping) for row in value):
            head = list(dict.fromkeys(map(str, chain.from_iterable(value))))
            tables.append((title, head, [[_cell(row.get(name)) for name in head] for row in value[:MAX_ROWS]]))
        else:
            facts.append((title, _cell(value)))
    if result.support is not None:
        tables.append(_support(result.support, result.class_names, result.modality))
    prompts: list[tuple[str, tuple[str, ...], int]] = []
    if result.prompts:
        for name, texts in zip(result.class_names[:MAX_ROWS], result.prompts):
            prompts.append((name, texts[:MAX_PROMPTS], max(0, len(texts) - MAX_PROMPTS)))
    return render(
        "learned.html.j2",
        facts=facts,
        tables=tables,
        prompts=prompts,
        n_prompts=sum(map(len, result.prompts)),
        n_classes=len(result.prompts),
    )


def _support(support: Support, names: tuple[str, ...], noun: str) -> Table:
    """The training samples by class, with the share that belongs to it by zero-shot, or by labels that the probe did
    not see."""

    def share(purity: F32, c: int) -> str:
        return percent(float(purity[c])) if isfinite(purity[c]) else "none"

    head = ["Class", "Samples"]
    known: list[F32] = []
    for purity, source in ((support.purity, "by zero-shot"), (support.true_purity, "by labels it did not see")):
        if purity is not None:
            head.append(f"Share of the class, {source}")
            known.append(purity)
    rows: list[list[str]] = []
    for c, name in enumerate(names[:MAX_ROWS]):
        rows.append([name, f"{int((support.labels == c).sum()):,}", *(share(purity, c) for purity in known)])
    return f"Training samples: {support.source or count(len(support.ids), noun)}", head, rows


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


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
