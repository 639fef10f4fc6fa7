"""Figures as people read them: one style for the command line, the report and the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.records import F64, Diagnosis, Estimate


def number(value: float | None, digits: int = 2) -> str:
    """The value with `digits` decimals, a true minus sign, and a dash where it is undefined."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−" if text.strip("-0.,") else "")  # no minus before a zero


def digits_for(loss: F64) -> int:
    """How many decimals show differences of this loss: two for losses of about 1, none for squared errors in the
    thousands."""
    spread = float(np.std(loss)) or 1.0
    return (
        2
        if 0.1 <= spread < 20
        else 1
        if 20 <= spread < 200
        else 0
        if spread >= 200
        else min(6, 1 - math.floor(math.log10(spread)))
    )


def percent(value: float | None) -> str:
    """A share of 1 as a percentage; tenths below 10 %."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{number(100 * value, 1 if 0 < abs(value) < 0.0995 else 0)}\u00a0%"


def interval(estimate: Estimate | None, *, share: bool = False, digits: int = 2) -> str:
    """The interval alone, such as "0.30 to 0.50" or "30 to 50 %"."""
    if estimate is None or not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return "no interval"
    if share:
        return f"{percent(estimate.low)[:-2]} to {percent(estimate.high)}"
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def p_value(p: float | None) -> str:
    """Such as "p = 0.004", "p < 0.001", or "no p" where none was computed."""
    if p is None or not math.isfinite(p):
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def count(n: int, noun: str) -> str:
    """The count with its noun, such as "1 cluster" or "2,400 samples"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def with_unit(diagnosis: Diagnosis) -> str:
    """The loss's unit with a space before it, or nothing where the unit says no more than "loss"."""
    unit = diagnosis.outcomes.unit
    return "" if unit in ("", "loss") else f" {unit}"


def points(difference: float | None) -> str:
    """A difference of two shares in percentage points, such as "45 points"; tenths below 10."""
    if difference is None or not math.isfinite(difference):
        return "–"
    text = number(100 * difference, 1 if 0 < abs(difference) < 0.0995 else 0)
    return f"{text} point" if text == "1" else f"{text} points"


def signed(value: float, digits: int = 2) -> str:
    """The value with its sign, "+" included; none before a zero."""
    text = number(value, digits)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def listed(parts: Sequence[str], most: int = 4, noun: str = "more") -> str:
    """The first `most` parts with semicolons, and how many are left, such as "a; b; and 3 more"."""
    left = len(parts) - most
    return "; ".join(parts[:most]) + (f"; and {left:,} {noun}" if left > 0 else "")


def either(parts: Sequence[str]) -> str:
    """Such as "1, 2 or 3"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def clock(seconds: float) -> str:
    """Minutes and seconds, such as "0:31"; hours in front from 60 minutes on."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
