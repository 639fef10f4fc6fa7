"""Two models on the same items of a benchmark as markup: every paired difference, with who alone is right."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import bracketed, p_value, points, signed
from core.records import ComparedMetric, CompositionComparison
from webapp.compose.markup import AS_IT_IS, figure
from webapp.markup.html import esc
from webapp.markup.shares import ALPHA

OPEN_TAGS = 2
"""Tags whose values are shown at once; those of the others are folded away."""
COLUMNS = ("Items", "n", "First", "Second", "Difference", "p, adjusted", "Only first", "Only second")


def comparison_view(comparison: CompositionComparison) -> str:
    """The paired difference of every metric over all items and by kind of item."""
    keys = list(dict.fromkeys(row.key for row in comparison.rows))
    body = ""
    for key in keys:
        table = _tables([row for row in comparison.rows if row.key == key])
        title = (
            f"{key[:1].upper()}{key[1:]} score" if key in ("image", "text", "group") else f"{key[:1].upper()}{key[1:]}"
        )
        body += (
            f"<h3>{esc(title)}</h3>{table}"
            if key == keys[0]
            else f"<details><summary>{esc(title)}</summary>{table}</details>"
        )
    notes = "".join(f"<li>{esc(n)}</li>" for n in comparison.notes)
    only = "".join(
        f'<button type="button" class="chip-button" data-do="which" data-which="{key}">Items that only '
        f"{esc(name)} has right</button>"
        for key, name in (("only_a", comparison.a), ("only_b", comparison.b))
    )
    return (
        f'<p class="versus-names"><span><b>First</b> {esc(comparison.a)}</span><span><b>Second</b> '
        f"{esc(comparison.b)}</span></p>"
        '<p class="muted small-note">Second minus first on the same items, with 95 % intervals. '
        "p by McNemar (or by flipping signs), adjusted over "
        f'the rows of one metric.</p><div class="chips">{only}</div>{body}<ul class="muted plain-list">{notes}</ul>'
    )


def difference(row: ComparedMetric) -> str:
    """Second minus first with its interval (plain text)."""
    if row.key in AS_IT_IS:
        return f"{signed(row.difference.value)} {bracketed(row.difference)}"
    return f"{points(row.difference.value, sign=True)} {bracketed(row.difference, points=True)}"


def _tables(rows: Sequence[ComparedMetric]) -> str:
    """All items and the first tags in one table, the other tags in one that is folded."""
    tags = list(dict.fromkeys(row.scope.partition(": ")[0] for row in rows))
    shown = [row for row in rows if row.scope.partition(": ")[0] in tags[: 1 + OPEN_TAGS]]
    rest = [row for row in rows if row not in shown]
    return _table(shown) + (
        f"<details><summary>More kinds of item <small>{len(rest)}</small></summary>{_table(rest)}</details>"
        if rest
        else ""
    )


def _table(rows: Sequence[ComparedMetric]) -> str:
    head = "".join(
        f'<th scope="col"{"" if name in ("Items", "Difference") else " class=num"}>{name}</th>' for name in COLUMNS
    )
    body = "".join(_row(row) for row in rows)
    return (
        '<div class="scroll tall"><table class="probes '
        f'versus"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(row: ComparedMetric) -> str:
    better = row.difference.value > 0 if row.key not in AS_IT_IS else row.difference.value < 0
    kind = ("better" if better else "worse") if row.p <= ALPHA else ""
    sign = {"better": "▲ ", "worse": "▼ "}.get(kind, "")
    return (
        f'<tr><th scope="row">{esc(row.scope)}</th><td class="num">{row.n:,}</td><td '
        f'class="num">{figure(row.key, row.a.value)}</td>'
        f'<td class="num">{figure(row.key, row.b.value)}</td><td class="{kind}">{sign}{difference(row)}</td>'
        f'<td class="num">{p_value(row.p, bare=True)}</td><td class="num">{row.only_a:,}</td><td '
        f'class="num">{row.only_b:,}</td></tr>'
    )
