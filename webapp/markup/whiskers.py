"""Dot and whisker: several estimates on one shared axis, as markup that needs no script and follows the page's
colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.records import Estimate
from webapp.markup.html import esc


@dataclass(frozen=True, slots=True)
class Mark:
    """One estimate on the axis."""

    value: Estimate
    kind: str = "observed"
    """"observed" (a dot), "read" or "predicted" (a ring with a band), "rest" (a thin line)."""
    label: str = ""
    said: str = ""


def axis_of(marks: Sequence[Mark], *, least: float | None = None, most: float | None = None) -> tuple[float, float]:
    """The ends of the axis that shows all marks, with a little room; `least` and `most` bound it."""
    known = [v for m in marks for v in (m.value.low, m.value.value, m.value.high) if math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = 0.06 * (high - low or 1.0)
    low, high = low - room, high + room
    return (low if least is None else max(low, least), high if most is None else min(high, most))


def line(marks: Sequence[Mark], axis: tuple[float, float]) -> str:
    """The marks drawn over each other on one line; for the eye only, so the figures must stand beside it as text."""
    low, high = axis
    span = high - low or 1.0

    def at(value: float) -> float:
        return 100 * float(np.clip((value - low) / span, 0, 1))

    drawn = ""
    for mark in marks:
        estimate = mark.value
        if not math.isfinite(estimate.value):
            continue
        if math.isfinite(estimate.low) and math.isfinite(estimate.high):
            left = at(estimate.low)
            drawn += (
                f'<i class="band {mark.kind}" '
                f'style="left:{left:.1f}%;width:{max(at(estimate.high) - left, 0.4):.1f}%"></i>'
            )
        drawn += f'<i class="at {mark.kind}" style="left:{at(estimate.value):.1f}%"></i>'
    return f'<span class="line" aria-hidden="true">{drawn}</span>'


def chart(marks: Sequence[Mark], axis: tuple[float, float], written: Callable[[float], str]) -> str:
    """One row for each mark: its label, its line, and what is said of it; the axis' ends beneath."""
    rows = ""
    for m in marks:
        rows += (
            f'<div class="dot-row"><span>{esc(m.label)}</span>{line([m], axis)}<span '
            f'class="dot-said">{esc(m.said)}</span></div>'
        )
    ends = f"<i>{written(axis[0])}</i><i>{written(axis[1])}</i>"
    return f'<div class="dots">{rows}<div class="dot-axis"><span></span><span>{ends}</span><span></span></div></div>'
