"""What a probe worked with, as markup: the texts of each class, what it learned from, how pure that came out, and what
else it has to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.numbers import count, number, percent
from core.records import ProbeResult, Support
from webapp.markup.html import esc

MAX_PROMPTS = 12
MAX_ROWS = 60
MAX_FACTS = 16


def learned_view(result: ProbeResult) -> str:
    """Texts, support set, and the probe's own details."""
    parts = details_view(result.details) + support_view(result) + prompts_view(result)
    return parts or '<p class="muted">This probe has nothing of its own to show.</p>'


def prompts_view(result: ProbeResult) -> str:
    """For each class the texts that were encoded, folded."""
    if not result.prompts:
        return ""
    body = ""
    for name, texts in list(zip(result.class_names, result.prompts))[:MAX_ROWS]:
        more = f" <small>and {len(texts) - MAX_PROMPTS:,} more</small>" if len(texts) > MAX_PROMPTS else ""
        body += f"<dt>{esc(name)}</dt><dd>{'; '.join(esc(t) for t in texts[:MAX_PROMPTS])}{more}</dd>"
    total = sum(len(t) for t in result.prompts)
    left = (
        f'<p class="muted">{len(result.prompts) - MAX_ROWS:,} more classes.</p>'
        if len(result.prompts) > MAX_ROWS
        else ""
    )
    summary = f"{count(total, 'text')} for {count(len(result.prompts), 'class')}"
    return (
        '<h3>What the text encoder read</h3><details class="prompts" '
        f"open><summary>{summary}</summary><dl>{body}</dl>{left}</details>"
    )


def support_view(result: ProbeResult) -> str:
    """What the probe learned from, and by class how many images, and how pure a support set made without labels came
    out."""
    support = result.support
    if support is None:
        return ""
    body = "".join(_support_row(support, c, name) for c, name in list(enumerate(result.class_names))[:MAX_ROWS])
    pure = support.purity is not None
    true = support.true_purity is not None
    heads = ["Class", "Images", *(["By zero-shot", ""] if pure else []), *(["By its real label", ""] if true else [])]
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    note = (
        "Purity: the share of a class’s support images that zero-shot, or the label that the probe was not shown, "
        "takes for that class."
        if pure
        else ""
    )
    return (
        f'<h3>What it learned from: {esc(support.source or count(len(support.ids), "image"))}</h3><p class="muted '
        f'small-note">{note}</p>'
        '<div class="scroll"><table class="probes '
        f'support"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _support_row(support: Support, c: int, name: str) -> str:
    cells = f"<td>{esc(name)}</td><td>{int((support.labels == c).sum()):,}</td>"
    for purity in (support.purity, support.true_purity):
        if purity is not None:
            share = float(purity[c])
            known = share == share
            cells += (
                '<td class="purity"><span class="bar" aria-hidden="true"><i '
                f'style="width:{100 * share if known else 0:.0f}%"></i></span></td>'
            )
            cells += f"<td>{percent(share) if known else 'none'}</td>"
    return f"<tr>{cells}</tr>"


def details_view(details: Mapping[str, Any]) -> str:
    """Whatever else a probe has to show, by its name: single values in a line, lists of records as tables, other lists
    as chips."""
    plain = {
        k: v
        for k, v in details.items()
        if not isinstance(v, Mapping) and (isinstance(v, str) or not isinstance(v, Sequence))
    }
    facts = "".join(f"<div><dt>{esc(_title(k))}</dt><dd>{_cell(v)}</dd></div>" for k, v in plain.items())
    listed = "".join(
        f"<h3>{esc(_title(name))}</h3>{_value(value)}" for name, value in details.items() if name not in plain
    )
    return (f'<dl class="probe-facts">{facts}</dl>' if facts else "") + listed


def _title(name: str) -> str:
    return str(name)[:1].upper() + str(name)[1:]


def _value(value: Any) -> str:
    if (
        isinstance(value, Mapping)
        and not any(isinstance(v, Mapping | list | tuple) for v in value.values())
        and len(value) <= MAX_FACTS
    ):
        facts = "".join(
            f"<div><dt>{esc(_title(k).replace('_', ' '))}</dt><dd>{_cell(v) or 'none'}</dd></div>"
            for k, v in value.items()
        )
        return f'<dl class="probe-facts">{facts}</dl>'
    if isinstance(value, Mapping):
        rows = "".join(f"<tr><td>{esc(k)}</td><td>{_cell(v)}</td></tr>" for k, v in list(value.items())[:MAX_ROWS])
        return f'<div class="scroll"><table class="probes details"><tbody>{rows}</tbody></table></div>'
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(v, Mapping) for v in value):
            return _records(value)
        if value and all(isinstance(v, Sequence) and not isinstance(v, str) for v in value):
            rows = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in value[:MAX_ROWS])
            return f'<div class="scroll"><table class="probes details"><tbody>{rows}</tbody></table></div>'
        return f'<div class="chips">{"".join(f"<span class=chip>{_cell(v)}</span>" for v in value[:MAX_ROWS])}</div>'
    return f"<p>{_cell(value)}</p>"


def _records(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(k for row in rows for k in row))
    if names and names[0] == "epoch" and len(rows) > 2:
        return curve_view(rows, names[1:])
    head = "".join(f'<th scope="col">{esc(n)}</th>' for n in names)
    cells = ("".join(f"<td>{_cell(row.get(n))}</td>" for n in names) for row in rows[:MAX_ROWS])
    body = "".join(f"<tr>{own}</tr>" for own in cells)
    return (
        '<div class="scroll"><table class="probes '
        f'details"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def curve_view(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """The course of training: one line for each figure over the epochs."""
    series = [[(i, float(row[n])) for i, row in enumerate(rows) if isinstance(row.get(n), int | float)] for n in names]
    values = [v for own in series for _, v in own if np.isfinite(v)]
    if not values:
        return ""
    low, span = min(values), max(max(values) - min(values), 1e-9)
    lines = key = ""
    for place, (name, own) in enumerate(zip(names, series)):
        at = " ".join(
            f"{400 * i / (len(rows) - 1):.1f},{110 - 100 * (v - low) / span:.1f}" for i, v in own if np.isfinite(v)
        )
        lines += f'<polyline class="curve c{place % 3}" points="{at}"/>'
        last = number(own[-1][1]) if own else "–"
        key += f'<span><i class="curve-key c{place % 3}"></i>{esc(name)}, {last} at the end</span>'
    drawn = (
        '<svg class="curves" viewBox="0 0 400 120" preserveAspectRatio="none" role="img" aria-label="The '
        f'course of training">{lines}</svg>'
    )
    ends = f"<figcaption><span>epoch {_cell(rows[0]['epoch'])}</span><span>{number(low)} to {number(low + span)}</span>"
    return (
        f'<figure class="curve-figure">{drawn}{ends}<span>epoch '
        f'{_cell(rows[-1]["epoch"])}</span></figcaption></figure><p class="seg-key">{key}</p>'
    )


def _cell(value: Any) -> str:
    """One value in a cell: numbers shortened, lists in a line, texts escaped."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        return number(float(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{esc(k)}: {_cell(v)}" for k, v in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(" ".join(map(_cell, v)) if isinstance(v, list | tuple) else _cell(v) for v in value[:20])
    return esc(str(value)[:400])
