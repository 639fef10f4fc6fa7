"""The grid of binding as markup: attributes in rows, objects in columns, each cell with its share, its pictures and its
verdict."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core.numbers import bracketed, count, p_value, percent
from webapp.markup.html import esc
from webapp.markup.whiskers import Mark, chart

if TYPE_CHECKING:
    from core.composition.grid.binding import BindingGrid, GridCell, Share

MEASURES = {
    "binds": "Binding",
    "sees_attribute": "Sees the attribute",
    "sees_object": "Sees the object",
    "pair": "The plain question",
}
SIGNS = {
    "does not see the attribute": ("▲", "attribute"),
    "does not see the object": ("■", "object"),
    "sees neither the attribute nor the object": ("✕", "neither"),
    "sees both and binds them wrongly": ("⇄", "unbound"),
    "no claim": ("", "open"),
    "too few pictures": ("", "few"),
}
"""(sign, class) by verdict; those with a sign are claims."""


def grid_view(grid: BindingGrid | None, title: str, measure: str) -> str:
    """The grid with its key, the figures over all pictures, and what was left out."""
    if grid is None:
        return EMPTY
    return (
        '<article class="answer"><header><h2 tabindex="-1" '
        f'class="pane-title">{esc(title)}</h2></header>{_overall(grid)}</article>'
        '<article class="answer"><div class="compose-filters"><label>Show in the cells '
        f'<select data-do="measure">{_measures(grid, measure)}</select></label></div>'
        f'{_key(grid)}<div class="heat-scroll">{_table(grid, measure)}</div><p class="heat-live" '
        'aria-live="polite">Point at a cell, or reach it '
        f"with Tab and the arrow keys, to read it.</p>{_notes(grid)}</article>"
    )


def _measures(grid: BindingGrid, chosen: str) -> str:
    known = (
        MEASURES
        if grid.mode == "two"
        else {"binds": "Against every other pair", **{k: MEASURES[k] for k in ("sees_attribute", "sees_object")}}
    )
    return "".join(
        f'<option value="{key}"{" selected" if key == chosen else ""}>{title}</option>' for key, title in known.items()
    )


def _overall(grid: BindingGrid) -> str:
    """The questions over all pictures, each beside its chance."""
    names = ["sees_attribute", "sees_object", "binds", *(["pair"] if grid.mode == "two" else [])]
    marks: list[Mark] = []
    for name in names:
        share: Share = getattr(grid.overall, name)
        title = "Against every other pair" if name == "binds" and grid.mode == "one" else MEASURES[name]
        said = f"{percent(share.value.value)} {bracketed(share.value, share=True)}, chance {percent(share.chance)}"
        marks.append(Mark(share.value, "observed", title, said))
    what = (
        "Each picture shows two things. “Binding” asks whether the two true phrases together score higher than the "
        "two with the attributes "
        "exchanged, which a bag of words answers by chance."
        if grid.mode == "two"
        else "Each picture shows one thing, so only whether attribute and object are seen can be asked, "
        "not whether they are bound."
    )
    verdict = grid.overall.verdict
    claim = f" <b>Over all pictures together the model {esc(verdict)}.</b>" if SIGNS.get(verdict, ("", ""))[0] else ""
    return f'<p class="said">{what}{claim}</p><div class="grid-dots">{chart(marks, (0.0, 1.0), percent)}</div>'


def _key(grid: BindingGrid) -> str:
    counts = Counter(cell.verdict for cell in grid.cells)
    parts = "".join(
        f'<span><i class="sign {kind}">{sign or ("?" if kind == "few" else "·")}</i>{esc(name)} '
        f"<b>{counts.get(name, 0)}</b></span>"
        for name, (sign, kind) in SIGNS.items()
        if counts.get(name)
    )
    return f'<p class="compose-key grid-key">{parts}</p>'


def _table(grid: BindingGrid, measure: str) -> str:
    known = {(cell.attribute, cell.object): cell for cell in grid.cells}
    head = "".join(f'<th scope="col">{esc(name)}</th>' for name in grid.objects)
    body = ""
    for attribute in grid.attributes:
        cells = "".join(_cell(known.get((attribute, name)), measure) for name in grid.objects)
        body += f'<tr><th scope="row">{esc(attribute)}</th>{cells}</tr>'
    return f'<table class="heat binding"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(cell: GridCell | None, measure: str) -> str:
    if cell is None:
        return '<td class="none" aria-label="no picture"></td>'
    sign, kind = SIGNS.get(cell.verdict, ("", "open"))
    share: Share = getattr(cell, measure)
    low = share.value.value < share.chance
    span = share.chance if low else 1 - share.chance
    strength = min(abs(share.value.value - share.chance) / (span or 1), 1.0) if share.n else 0.0
    tone = "few" if kind == "few" else f"{'up' if low else 'down'}{' clear' if sign else ''}"
    said = _said(cell)
    return (
        f'<td class="{tone}" style="--s:{75 * strength:.0f}%" tabindex="-1" data-said="{esc(said)}" '
        f'aria-label="{esc(said)}">'
        f'<span class="sign {kind}" aria-hidden="true">{sign}</span> '
        f"{percent(share.value.value if share.n else None)}<small>{cell.n}</small></td>"
    )


def _said(cell: GridCell) -> str:
    """Everything of one cell in a line (plain text)."""
    parts = [f"{cell.attribute} {cell.object}, {count(cell.n, 'picture')}: {cell.verdict}"]
    for name, title, p in (
        ("sees_attribute", "sees the attribute", cell.p_attribute),
        ("sees_object", "sees the object", cell.p_object),
        ("binds", "binds", cell.p_binding),
    ):
        share: Share = getattr(cell, name)
        if share.n:
            tested = f", {p_value(p)}" if p_value(p) else ""
            parts.append(
                f"{title} {percent(share.value.value)} {bracketed(share.value, share=True)} (chance "
                f"{percent(share.chance)}{tested})"
            )
    return "; ".join(parts) + "."


def _notes(grid: BindingGrid) -> str:
    reasons = Counter(reason for _, reason in grid.left_out)
    lines = [*grid.notes, *(f"{count(n, 'picture')} left out: {reason}." for reason, n in reasons.most_common())]
    lines = list(dict.fromkeys(lines))
    test = (
        f"{grid.n_tests} tests, adjusted together (Holm). A claim needs a share clearly below half-way between "
        "chance and always; blue is above "
        "chance, orange below, the small number counts pictures."
    )
    return f'<ul class="compose-list muted"><li>{test}</li>{"".join(f"<li>{esc(line)}</li>" for line in lines)}</ul>'


EMPTY = (
    '<div class="empty small"><p>The grid will stand here: for each attribute of each object, '
    "whether the model sees the one, sees the other, and "
    "binds the two. Rendered scenes are chosen already: press “Draw the grid”. "
    "Over the open run, the columns of its table are attributes and "
    "objects.</p></div>"
)
