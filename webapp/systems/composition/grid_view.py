"""The view of the grid of binding: attributes in rows, objects in columns, each cell with its share, its images and
its verdict."""

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
"""(share, p, words) of what is tested of a cell."""
AGAINST_EVERY = "Against every other pair"
"""What "binds" is called where each image shows one thing."""


def grid_view(grid: BindingGrid | None, title: str, measure: str) -> str:
    """The grid with its key, the figures over all images, and what was left out; without one, what will stand
    there."""
    if grid is None:
        return render("grid.html.j2", grid=None)
    known = {(cell.attribute, cell.object): cell for cell in grid.cells}
    verdict = grid.overall.verdict
    return render(
        "grid.html.j2",
        grid=grid,
        title=title,
        claim=verdict if SIGNS.get(verdict, ("", ""))[0] else "",
        chart=_overall(grid),
        measures=[(key, name, key == measure) for key, name in _measures(grid).items()],
        key=_key(grid),
        rows=[(name, [_cell(known.get((name, other)), measure) for other in grid.objects]) for name in grid.attributes],
        notes=_notes(grid),
    )


def _measures(grid: BindingGrid) -> dict[str, str]:
    """Title of each figure that the cells can show."""
    if grid.mode == "two":
        return MEASURES
    return {"binds": AGAINST_EVERY, **{key: MEASURES[key] for key in ("sees_attribute", "sees_object")}}


def _overall(grid: BindingGrid) -> DotChart:
    """The questions over all images, each beside its chance."""
    titles = _measures(grid)
    names = ["sees_attribute", "sees_object", "binds", *(["pair"] if grid.mode == "two" else [])]
    shares: list[tuple[str, Share]] = [(titles[name], getattr(grid.overall, name)) for name in names]
    marks = [
        Mark(s.value, "observed", title, f"{with_interval(s.value, share=True)}, chance {percent(s.chance)}")
        for title, s in shares
    ]
    return dot_chart(marks, (0.0, 1.0), percent)


def _key(grid: BindingGrid) -> list[tuple[str, str, str, int]]:
    """(class, sign, verdict, cells) of the verdicts that occur."""
    counts = Counter(cell.verdict for cell in grid.cells)
    return [
        (kind, sign or ("?" if kind == "few" else "·"), name, counts[name])
        for name, (sign, kind) in SIGNS.items()
        if counts[name]
    ]


def _cell(cell: GridCell | None, measure: str) -> dict[str, Any] | None:
    """A cell, the stronger coloured the further its share lies from chance; None where no image shows the pair."""
    if cell is None:
        return None
    sign, kind = SIGNS.get(cell.verdict, ("", "open"))
    share: Share = getattr(cell, measure)
    low = share.value.value < share.chance
    span = share.chance if low else 1 - share.chance
    strength = 0.0
    if share.n:
        strength = min(abs(share.value.value - share.chance) / (span or 1), 1.0)
    return {
        "tone": "few" if kind == "few" else f"{'up' if low else 'down'}{' clear' if sign else ''}",
        "strength": f"{75 * strength:.0f}",
        "said": _said(cell),
        "kind": kind,
        "sign": sign,
        "value": share.value.value if share.n else None,
        "n": cell.n,
    }


def _said(cell: GridCell) -> str:
    """Everything of one cell in a line."""
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
