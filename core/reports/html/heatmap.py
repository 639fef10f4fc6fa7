"""The audit as an image: phrases down, classes across, each cell colored by how much higher the loss is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import digits_for, interval, percent, signed
from core.records import Diagnosis

if TYPE_CHECKING:
    from core.checks.audit_table import AuditCell  # scipy: not needed to draw one

STEPS = 3
"""Colors on either side of zero."""


@dataclass(frozen=True, slots=True)
class Heat:
    """One cell as it is shown."""

    observed: str
    read: str
    """What the ensemble reads in the words, in deviations; empty where it was not read."""
    share: float
    """-1 to 1: the excess as a share of the strongest color's."""
    step: int
    """-STEPS to STEPS: the same in whole steps."""
    clear: bool
    """Whether the reading stands out of the whole grid."""
    title: str
    """Everything that is known of the cell, in one line."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Rows of (phrase, family, cells), in the order of `scopes`."""

    scopes: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Heat, ...]], ...]
    top: float
    """The excess loss of the strongest color."""


def heat_map(diagnosis: Diagnosis, cells: Sequence[AuditCell], top: float | None = None) -> HeatMap:
    """The cells of `core.checks.audit_table.audit_table` arranged: the phrases in their order, the scopes in theirs.

    The color steps are equal, and the strongest begins at an excess of `top`: by default the 95th percentile of the
    absolute excess, so that one cell doesn't pale the rest.
    """
    digits = digits_for(diagnosis.outcomes.loss)
    scopes = tuple(dict.fromkeys(c.scope for c in cells))
    if top is None:
        sizes = [abs(c.observed.value) for c in cells] or [0.0]
        top = float(np.percentile(sizes, 95))
    of = {(c.phrase, c.scope): _heat(c, top or 1.0, digits) for c in cells}
    families = {c.phrase: c.family for c in cells}
    return HeatMap(scopes, tuple((p, family, tuple(of[p, s] for s in scopes)) for p, family in families.items()), top)


def _heat(cell: AuditCell, top: float, digits: int) -> Heat:
    share = float(np.clip(cell.observed.value / top, -1, 1))
    step = int(np.sign(share) * np.floor(abs(share) * STEPS + 0.5))
    texts = [
        f"{cell.phrase}, {cell.scope}: {cell.support:,} samples most like it",
        f"excess loss {signed(cell.observed.value, digits)}",
    ]
    texts.append(f"95% {interval(cell.observed, digits=digits)}")
    if cell.error_inside is not None:
        texts.append(f"{percent(cell.error_inside)} wrong against {percent(cell.error_outside)}")
    read = ""
    if cell.read is not None:
        read = signed(cell.read, 1)
        out = "does not stand out"
        if cell.stands_out:
            out = "stands out"
        texts.append(f"in the words alone the ensemble reads {read} deviations: it {out}")
    return Heat(
        observed=signed(cell.observed.value, digits),
        read=read,
        share=share,
        step=step,
        clear=cell.stands_out,
        title="; ".join(texts),
    )


def text_table(diagnosis: Diagnosis, cells: Sequence[AuditCell], width: int = 120) -> str:
    """The observed excess loss as aligned text, at most `width` characters wide; the classes that do not fit are
    counted below."""
    grid = heat_map(diagnosis, cells)
    name = min(36, max((len(p) for p, _, _ in grid.rows), default=6))
    texts = [[f"{h.observed}{'*' if h.clear else ' '}" for h in row] for _, _, row in grid.rows]
    widths = list[int]()
    for j, scope in enumerate(grid.scopes):
        widest = max((len(row[j]) for row in texts), default=0)
        widths.append(max(8, min(14, len(scope) + 1), widest))
    fitting = int((np.cumsum([w + 1 for w in widths]) <= width - name).sum())
    shown = list(range(max(1, fitting)))
    lines = [" " * name + "".join(f" {_cut(f'{grid.scopes[j]} ', widths[j]):>{widths[j]}}" for j in shown)]
    for (phrase, _, _), row in zip(grid.rows, texts):
        lines.append(f"{_cut(phrase, name):<{name}}" + "".join(f" {row[j]:>{widths[j]}}" for j in shown))
    if len(shown) < len(grid.scopes):
        lines.append(f"{len(grid.scopes) - len(shown):,} more classes do not fit; --out FILE holds them.")
    unit = diagnosis.outcomes.unit or "loss"
    lines.append(
        f"Excess loss ({unit}) of the tenth of a class that is most like the phrase; not tested. *: from the words "
        "alone Errata predicts more loss than in any cell with shuffled losses."
    )
    return "\n".join(line.rstrip() for line in lines)


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return f"{text[: width - 1]}…"
