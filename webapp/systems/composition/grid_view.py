"""The view of the binding grid: attributes in rows, objects in columns, each cell with its share, its number of images
and its verdict."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from core.numbers import count, p_value, percent, with_interval
from core.reports.html.intervals import DotChart, Mark, dot_chart
from webapp.systems.composition.render import render

if TYPE_CHECKING:
    from core.systems.composition.grid.binding import BindingGrid
    from core.systems.composition.grid.cells import GridCell, Share

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
    "too few images": ("", "few"),
}
"""(sign, class) by verdict; those with a sign are claims."""
QUESTIONS = (
    ("sees_attribute", "p_attribute", "sees the attribute"),
    ("sees_object", "p_object", "sees the object"),
    ("binds", "p_binding", "binds"),
)
"""(share, p, words) of the tests of a cell."""
AGAINST_EVERY = "Against every other pair"
"""Title of "binds" if each image shows one object."""


def grid_view(grid: BindingGrid | None, title: str, measure: str) -> str:
    """The grid with its key, the figures over all images, and omissions; an empty state without a grid."""
    if grid is None:
        return render("grid.html.j2", grid=None)
    known = {(cell.attribute, cell.object): cell for cell in grid.cells}
    verdict = grid.overall.verdict
    claim = ""
    if SIGNS.get(verdict, ("", ""))[0]:
        claim = verdict
    rows = list[tuple[str, list[dict[str, Any] | None]]]()
    for attribute in grid.attributes:
        rows.append((attribute, [_cell(known.get((attribute, name)), measure) for name in grid.objects]))
    return render(
        "grid.html.j2",
        grid=grid,
        title=title,
        claim=claim,
        chart=_overall(grid),
        measures=[(key, name, key == measure) for key, name in _measures(grid).items()],
        key=_key(grid),
        rows=rows,
        notes=_notes(grid),
    )


def _measures(grid: BindingGrid) -> dict[str, str]:
    """The title of each figure for the cells."""
    if grid.mode == "two":
        return MEASURES
    return {"binds": AGAINST_EVERY, **{key: MEASURES[key] for key in ("sees_attribute", "sees_object")}}


def _overall(grid: BindingGrid) -> DotChart:
    """The figures over all images, each with its chance."""
    titles = _measures(grid)
    names = ["sees_attribute", "sees_object", "binds"]
    if grid.mode == "two":
        names.append("pair")
    marks = list[Mark]()
    for name in names:
        share: Share = getattr(grid.overall, name)
        text = f"{with_interval(share.value, share=True)}, chance {percent(share.chance)}"
        marks.append(Mark(share.value, "observed", titles[name], text))
    return dot_chart(marks, (0.0, 1.0), percent)


def _key(grid: BindingGrid) -> list[tuple[str, str, str, int]]:
    """(class, sign, verdict, number of cells) of each verdict in the grid."""
    counts = Counter(cell.verdict for cell in grid.cells)
    substitutes = {"few": "?", "open": "·"}
    key = list[tuple[str, str, str, int]]()
    for verdict, (sign, kind) in SIGNS.items():
        if counts[verdict]:
            key.append((kind, sign or substitutes[kind], verdict, counts[verdict]))
    return key


def _cell(cell: GridCell | None, measure: str) -> dict[str, Any] | None:
    """A cell, colored by the distance of its share from chance; None if no image shows the pair."""
    if cell is None:
        return None
    sign, kind = SIGNS.get(cell.verdict, ("", "open"))
    share: Share = getattr(cell, measure)
    tone = "down"
    span = 1 - share.chance
    if share.value.value < share.chance:
        tone = "up"
        span = share.chance
    if kind == "few":
        tone = "few"
    elif sign:
        tone += " clear"
    strength = 0.0
    value = None
    if share.n:
        value = share.value.value
        strength = min(abs(value - share.chance) / (span or 1), 1.0)
    return {
        "tone": tone,
        "strength": f"{75 * strength:.0f}",
        "said": _cell_text(cell),
        "kind": kind,
        "sign": sign,
        "value": value,
        "n": cell.n,
    }


def _cell_text(cell: GridCell) -> str:
    """All figures of a cell in a line."""
    parts = [f"{cell.attribute} {cell.object}, {count(cell.n, 'image')}: {cell.verdict}"]
    for name, p, title in QUESTIONS:
        share: Share = getattr(cell, name)
        if share.n:
            text = with_interval(share.value, share=True)
            parts.append(f"{title} {text} (chance {percent(share.chance)}, {p_value(getattr(cell, p))})")
    return "; ".join(parts) + "."


def _notes(grid: BindingGrid) -> list[str]:
    reasons = Counter(reason for _, reason in grid.left_out)
    left = (f"{count(n, 'image')} left out: {reason}." for reason, n in reasons.most_common())
    return list(dict.fromkeys([*grid.notes, *left]))
